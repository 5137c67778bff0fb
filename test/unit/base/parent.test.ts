import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MODULE = new URL('../../../src/base/parent.ts', import.meta.url).href;
/** What the child ends with when it was told. */
const TOLD = 7;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-parent-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A program that does `before`, then asks to be told; it would live on without. */
async function program(name: string, before: string): Promise<string> {
  const path = join(folder, `${name}.mjs`);
  await writeFile(
    path,
    `${before}
     const { whenParentGoes } = await import('${MODULE}');
     setInterval(() => undefined, 1000);
     whenParentGoes(() => process.exit(${TOLD}));
     process.send?.('listening');
     if (process.send === undefined) console.log('listening');`,
  );
  return path;
}

const endOf = async (child: ChildProcess): Promise<unknown> => ((await once(child, 'exit')) as unknown[])[0];

describe('a process that belongs to another', () => {
  it('is told when its parent goes', async () => {
    const child = fork(await program('later', ''));
    await once(child, 'message');
    child.disconnect();
    expect(await endOf(child)).toBe(TOLD);
  });

  it('is told when its parent went before it could listen', async () => {
    const gone = `process.once('disconnect', () => console.log('gone'));
      await new Promise((resolve) => process.once('disconnect', resolve));`;
    const child = fork(await program('sooner', gone), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    child.disconnect();
    const said = child.stdout && once(child.stdout, 'data');
    expect(String((await said)?.[0])).toBe('gone\n');
    expect(await endOf(child)).toBe(TOLD);
  });

  it('and was started by nobody who speaks to it lives on', async () => {
    const child = spawn(process.execPath, [await program('alone', '')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    expect(String(said)).toBe('listening\n');
    child.kill('SIGTERM');
    expect(await endOf(child)).toBeNull();
  });
});
