/** The lives of a gateway's process, and what each tells of those before it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unwrap } from '../../../src/jobs/envelope.ts';
import { beginRun } from '../../../src/jobs/gateway-runs.ts';
import type { SpoolContent } from '../../../src/jobs/spool/line.ts';
import { Spool } from '../../../src/jobs/spool/spool.ts';
import { silent } from '../../support/store/databases.ts';

let folder: string;
let spool: Spool;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-runs-'));
  spool = await openSpool();
});
afterEach(async () => {
  await spool.close();
  await rm(folder, { recursive: true });
});

function openSpool(bytesMax = 1_000_000): Promise<Spool> {
  return Spool.open({
    ...{ folder, fsync: 'never', fsyncIntervalMs: 5, segmentBytes: 100_000, bytesMax, log: silent },
  });
}

/** As after a crash or a stop: nothing but the folder is left. */
async function startAgain(bytesMax?: number): Promise<void> {
  await spool.close();
  spool = await openSpool(bytesMax);
}

function begin(tenants = ['acme']): Promise<string> {
  return beginRun(spool, { folder, tenants, log: silent });
}

function word(run: string): SpoolContent {
  const fact = { type: 'heard', atMs: 1, text: 'x'.repeat(200) };
  return { type: 'call', tenant: 'acme', callId: 'call', run, word: { type: 'fact', index: 0, fact } };
}

/** Everything that waits, in order: `word RUN`, or `TENANT: GATEWAY RUN is over`. */
async function waiting(): Promise<string[]> {
  await spool.settled();
  if (spool.waiting === 0) return [];
  spool.rewind();
  return ((await spool.next()) ?? []).map(({ content }) => {
    if (content.type === 'call') return `word ${content.run ?? ''}`;
    const { tenant, data } = unwrap('transcripts', content.envelope);
    return data.type === 'words' ? 'words' : `${tenant}: ${data.gateway} ${data.run} is over`;
  });
}

describe('a run of a gateway', () => {
  it('is the first of a new spool: nothing was before it', async () => {
    const run = await begin();
    expect(run).toMatch(/^run_/);
    expect(await waiting()).toEqual([]);
  });

  it('has a name that no other has', async () => {
    const first = await begin();
    await startAgain();
    expect(await begin()).not.toBe(first);
  });

  it('tells behind the words of the one before that it is over, to each of its tenants', async () => {
    const first = await begin(['acme', 'other', 'acme']);
    spool.append(word(first));
    await startAgain();
    // Who is a tenant now is of no matter to the calls of before.
    const second = await begin(['newcomer']);
    spool.append(word(second));
    const over = (tenant: string): string => `${tenant}: ${spool.gateway} ${first} is over`;
    expect(await waiting()).toEqual([`word ${first}`, over('acme'), over('other'), `word ${second}`]);
    await startAgain();
    await begin();
    expect((await waiting()).slice(4)).toEqual([`newcomer: ${spool.gateway} ${second} is over`]);
  });

  it('tells of each run once', async () => {
    const runs = [await begin()];
    for (let starts = 0; starts < 3; starts += 1) {
      await startAgain();
      runs.push(await begin());
    }
    const told = runs.slice(0, -1).map((run) => `acme: ${spool.gateway} ${run} is over`);
    expect(await waiting()).toEqual(told);
  });

  it('tells of calls that a version without runs left open', async () => {
    spool.append({ ...word(''), run: undefined } as unknown as SpoolContent);
    await startAgain();
    await begin();
    expect((await waiting()).slice(1)).toEqual([`acme: ${spool.gateway}  is over`]);
  });

  it('leaves to the next start what a full spool did not take', async () => {
    const first = await begin();
    for (let n = 0; n < 10; n += 1) spool.append(word(first));
    await startAgain(1000);
    const second = await begin();
    expect(await waiting()).toHaveLength(10);
    await startAgain();
    await begin();
    const over = [first, second].map((run) => `acme: ${spool.gateway} ${run} is over`);
    expect((await waiting()).slice(10)).toEqual(over);
  });

  it.each(['', '{', '[{}]', 'null'])('begins all the same when the file of runs says %j', async (text) => {
    await begin();
    await writeFile(join(folder, 'runs.json'), text);
    await startAgain();
    const run = await begin();
    expect(await readFile(join(folder, 'runs.json'), 'utf8')).toContain(run);
  });
});
