import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/base/log.ts';

const MODULE = new URL('../../../src/base/log.ts', import.meta.url).href;

/** A program with a log, that does as it is told once it has said on its IPC channel that it is there. */
function program(body: string): ChildProcess {
  const source = `
    const { createLog } = await import('${MODULE}');
    const log = createLog({ level: 'info' });
    process.once('message', () => { ${body} });
    process.send('there');`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

async function told(child: ChildProcess): Promise<void> {
  await once(child, 'message');
  child.send('go');
}

/** Its reader is gone before it is told. */
async function toldUnread(child: ChildProcess): Promise<void> {
  await once(child, 'message');
  child.stdout?.destroy();
  child.send('go');
}

const endOf = async (child: ChildProcess): Promise<unknown> => ((await once(child, 'exit')) as unknown[])[0];

describe('a log on standard output', () => {
  it('has every line, the last one before the end included', async () => {
    const child = program(`for (let n = 1; n <= 1000; n += 1) log.info({ n }, 'line'); process.exit(3)`);
    const [lines, code] = await Promise.all([child.stdout && text(child.stdout), endOf(child), told(child)]);
    const read = (lines ?? '').trim().split('\n');
    expect(read.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 1000 }, (_, at) => at + 1),
    );
    expect(code).toBe(3);
  });

  it('holds nobody up at the end whose reader is gone', async () => {
    // The first line is under way when the process ends, the second one waits.
    const child = program(`log.warn('one'); log.warn('two'); process.exit(4)`);
    await toldUnread(child);
    expect(await endOf(child)).toBe(4);
  });

  it('is silent, and the process goes on, once its reader is gone', async () => {
    const child = program(`
      let left = 20;
      setInterval(() => { log.info('again'); if ((left -= 1) === 0) process.exit(5); }, 5)`);
    await toldUnread(child);
    expect(await endOf(child)).toBe(5);
  });

  it('holds nobody up for long whose reader stands still', async () => {
    // More than a socket takes, read by nobody.
    const child = program(`
      const line = 'x'.repeat(10_000);
      for (let n = 0; n < 400; n += 1) log.info(line);
      setTimeout(() => process.exit(6), 50)`);
    await told(child);
    expect(await endOf(child)).toBe(6);
    child.stdout?.destroy();
  });

  it('ends a process with its fatal line', async () => {
    const child = program(`log.fatal({ err: new Error('broken') }, 'cannot go on'); process.exit(1)`);
    const [lines, code] = await Promise.all([child.stdout && text(child.stdout), endOf(child), told(child)]);
    expect(JSON.parse(lines ?? '')).toMatchObject({
      level: 60,
      msg: 'cannot go on',
      err: { message: 'broken' },
    });
    expect(code).toBe(1);
  });
});

describe('any log', () => {
  it('takes the level it is given', () => {
    expect(createLog({ level: 'warn' }).level).toBe('warn');
    expect(createLog({ level: 'silent' }).isLevelEnabled('fatal')).toBe(false);
  });

  it('has no secret in it', () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info' }, { write: (line) => void lines.push(line) });
    log.info({ secret: 'a1', trunk: { password: 'b2', name: 'carrier' }, apiKey: 'c3' }, 'with secrets');
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/a1|b2|c3/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ trunk: { name: 'carrier', password: '[secret]' } });
  });
});
