import { writeSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../../../src/base/clock.ts';
import { readLine, writeLine, type SpoolContent, type SpoolEntry } from '../../../../src/jobs/spool/line.ts';
import { Spool, type SpoolOptions } from '../../../../src/jobs/spool/spool.ts';
import { SeededRandom } from '../../../support/random.ts';
import { until } from '../../../support/until.ts';

let folder: string;
let complaints: string[];
const open: Spool[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-spool-'));
  complaints = [];
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((spool) => spool.close()));
  await rm(folder, { recursive: true });
});

async function openSpool(more: Partial<SpoolOptions> = {}): Promise<Spool> {
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      complaints.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
  const spool = await Spool.open({
    ...{ folder, fsync: 'interval', fsyncIntervalMs: 5, segmentBytes: 1000, bytesMax: 1_000_000 },
    ...{ log: pino({ level: 'warn', base: null }, sink), ...more },
  });
  open.push(spool);
  return spool;
}

function word(n: number, text = `word ${n}`): SpoolContent {
  const fact = { type: 'heard', atMs: n, text };
  return { type: 'call', tenant: 'acme', callId: 'call_1', word: { type: 'fact', index: n, fact } };
}

function textsOf(entries: readonly SpoolEntry[]): unknown[] {
  return entries.map(({ content }) =>
    content.type === 'call' && content.word.type === 'fact' ? content.word.fact['text'] : content.type,
  );
}

/** Reads until `count` entries were seen. */
async function read(spool: Spool, count: number): Promise<SpoolEntry[]> {
  const seen: SpoolEntry[] = [];
  while (seen.length < count) {
    const next = await spool.next();
    if (next === undefined) throw new Error(`the spool was closed after ${seen.length} of ${count}`);
    seen.push(...next);
  }
  return seen;
}

const words = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `word ${from + n}`);

/** Tries again at the next turn of the event loop. */
const impatient: Clock = {
  nowMs: () => performance.now(),
  after: (_ms, fire) => {
    const immediate = setImmediate(fire);
    return () => clearImmediate(immediate);
  },
};

/** An open file, as the spool writes into it. */
interface WritesBytes {
  readonly fd: number;
  write(bytes: Uint8Array, from: number, length: number, at: number): Promise<unknown>;
}

/** What all open files have in common. */
async function fileHandles(): Promise<FileHandle> {
  const file = await openFile(import.meta.filename);
  await file.close();
  return Object.getPrototypeOf(file) as FileHandle;
}

async function logPaths(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.log')).map((name) => join(folder, name));
}

async function fill(spool: Spool, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) expect(spool.append(word(n))).toBe(true);
  await spool.settled();
}

describe('a line of the spool', () => {
  it('comes back as it was', () => {
    const entry = { seq: 7, content: word(1, 'Zoë\nsaid "hi" \u{1f600}') };
    const line = writeLine(entry);
    expect(line.indexOf(0x0a)).toBe(line.length - 1);
    expect(readLine(line.toString().trimEnd())).toEqual(entry);
  });

  it.each([
    ['a changed letter', (line: string) => line.replace('word', 'wort')],
    ['a changed sum', (line: string) => `0${line.slice(1)}`.replace(/^0[0-9a-f]/, '0g')],
    ['a missing end', (line: string) => line.slice(0, -3)],
    ['a missing beginning', (line: string) => line.slice(2)],
    ['nothing', () => ''],
    ['another file', () => 'GET / HTTP/1.1'],
  ])('is not read with %s', (_what, change) => {
    const line = writeLine({ seq: 7, content: word(1) })
      .toString()
      .trimEnd();
    expect(readLine(change(line))).toBeUndefined();
  });
});

describe('a spool', () => {
  it('gives back what it was given, in order and numbered, over many files', async () => {
    const spool = await openSpool();
    await fill(spool, 1, 60);
    const seen = await read(spool, 60);
    expect(textsOf(seen)).toEqual(words(1, 60));
    expect(seen.map((entry) => entry.seq)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    expect((await readdir(folder)).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(3);
  });

  it('lets a reader wait for what comes', async () => {
    const spool = await openSpool();
    const waiting = spool.next();
    spool.append(word(1));
    expect(textsOf((await waiting) ?? [])).toEqual(['word 1']);
  });

  it('never makes the one who appends wait, however much it is', async () => {
    const spool = await openSpool();
    for (let n = 1; n <= 2000; n += 1) spool.append(word(n));
    expect(spool.waiting).toBe(2000);
    expect(textsOf(await read(spool, 2000))).toEqual(words(1, 2000));
  });

  it('loses nothing that is appended while a file is being written', async () => {
    const spool = await openSpool({ segmentBytes: 1_000_000, fsync: 'always' });
    for (let n = 1; n <= 200; n += 1) {
      expect(spool.append(word(n))).toBe(true);
      // A turn of the event loop: some of these come while the ones before are on their way to the disk.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(textsOf(await read(spool, 200))).toEqual(words(1, 200));
  });

  it('removes the files whose entries are all taken over, and keeps the others', async () => {
    const spool = await openSpool();
    await fill(spool, 1, 60);
    const before = await readdir(folder);
    await read(spool, 60);
    await spool.taken(40);
    expect(spool.waiting).toBe(20);
    const after = await readdir(folder);
    expect(after.length).toBeLessThan(before.length);
    spool.rewind();
    expect(textsOf(await read(spool, 20))).toEqual(words(41, 60));
    await spool.taken(60);
    await fill(spool, 61, 70);
    expect(textsOf(await read(spool, 10))).toEqual(words(61, 70));
  });

  it('begins where it was after a restart, as the same gateway, with the next number', async () => {
    const first = await openSpool();
    await fill(first, 1, 30);
    await read(first, 30);
    await first.taken(12);
    await first.close();
    const second = await openSpool();
    expect([second.gateway, second.waiting]).toEqual([first.gateway, 18]);
    await fill(second, 31, 35);
    const seen = await read(second, 23);
    expect(textsOf(seen)).toEqual(words(13, 35));
    expect(seen.at(-1)?.seq).toBe(35);
  });

  it('counts on when everything was taken over before the restart', async () => {
    const first = await openSpool();
    await fill(first, 1, 5);
    await first.taken(5);
    await first.close();
    await Promise.all(
      (await readdir(folder)).filter((name) => name.endsWith('.log')).map((name) => rm(join(folder, name))),
    );
    const second = await openSpool();
    await fill(second, 6, 6);
    expect((await read(second, 1)).map((entry) => entry.seq)).toEqual([6]);
  });

  it('tells again what it cannot know to be taken over: nothing is left out', async () => {
    const first = await openSpool({ segmentBytes: 1_000_000 });
    await fill(first, 1, 10);
    await first.taken(10);
    await first.close();
    await writeFile(join(folder, 'state.json'), '{"gatew');
    const second = await openSpool({ segmentBytes: 1_000_000 });
    expect(textsOf(await read(second, 10))).toEqual(words(1, 10));
  });

  it.each([1, 5, 20])(
    'cuts off the last %i bytes of an entry that was not written whole',
    async (missing) => {
      const first = await openSpool({ segmentBytes: 1_000_000 });
      await fill(first, 1, 10);
      await first.close();
      const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.log'));
      const path = join(folder, name);
      await truncate(path, (await stat(path)).size - missing);
      const second = await openSpool({ segmentBytes: 1_000_000 });
      expect(second.waiting).toBe(9);
      await fill(second, 10, 12);
      const seen = await read(second, 12);
      expect(textsOf(seen)).toEqual(words(1, 12));
      expect(seen.map((entry) => entry.seq)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    },
  );

  it('cuts off a tail of zeros, as a power cut leaves them', async () => {
    const first = await openSpool({ segmentBytes: 1_000_000 });
    await fill(first, 1, 4);
    await first.close();
    const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.log'));
    await appendFile(join(folder, name), Buffer.alloc(4096));
    const second = await openSpool({ segmentBytes: 1_000_000 });
    await fill(second, 5, 5);
    expect(textsOf(await read(second, 5))).toEqual(words(1, 5));
  });

  it('goes on after an entry that was damaged in the middle, and says so', async () => {
    const first = await openSpool({ segmentBytes: 1_000_000 });
    await fill(first, 1, 5);
    await first.close();
    const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.log'));
    const path = join(folder, name);
    await writeFile(path, (await readFile(path, 'utf8')).replace('word 3', 'wort 3'));
    const second = await openSpool({ segmentBytes: 1_000_000 });
    expect(textsOf(await read(second, 4))).toEqual(['word 1', 'word 2', 'word 4', 'word 5']);
    expect(complaints.join()).toContain('SPOOL_DAMAGED');
  });

  it('refuses what does not fit, loudly and counted, and takes more when there is room', async () => {
    const spool = await openSpool({ bytesMax: 3000 });
    let taken = 0;
    while (spool.append(word(taken + 1))) taken += 1;
    expect([spool.append(word(0)), spool.refused]).toEqual([false, 2]);
    await expect(spool.keep(word(0))).rejects.toMatchObject({ code: 'JOBS_UNAVAILABLE' });
    expect(complaints.filter((line) => line.includes('SPOOL_FULL'))).toHaveLength(1);
    await spool.settled();
    expect(spool.bytes).toBeLessThanOrEqual(3000);
    expect(await read(spool, taken)).toHaveLength(taken);
    await spool.taken(taken);
    expect(spool.append(word(taken + 1))).toBe(true);
    await expect(spool.keep(word(taken + 2))).resolves.toBeUndefined();
  });

  it.each(['always', 'interval', 'never'] as const)(
    'keeps an entry in a file with fsync %s',
    async (fsync) => {
      const spool = await openSpool({ fsync });
      await spool.keep(word(1));
      const [name = ''] = (await readdir(folder)).filter((one) => one.endsWith('.log'));
      expect(await readFile(join(folder, name), 'utf8')).toContain('word 1');
    },
  );

  it('brings everything to the disk when it is closed, and ends its readers', async () => {
    const spool = await openSpool();
    const reader = (async () => {
      while ((await spool.next()) !== undefined);
      return 'ended';
    })();
    for (let n = 1; n <= 20; n += 1) spool.append(word(n));
    await spool.close();
    expect(await reader).toBe('ended');
    expect(spool.append(word(21))).toBe(false);
    expect((await openSpool()).waiting).toBe(20);
  });

  it('goes on writing when the disk was away for a while', async () => {
    const spool = await openSpool({ segmentBytes: 400, clock: impatient });
    await fill(spool, 1, 4);
    await rm(folder, { recursive: true });
    for (let n = 5; n <= 12; n += 1) spool.append(word(n));
    await until('it noticed', () => complaints.join().includes('SPOOL_UNWRITABLE'));
    await mkdir(folder);
    await spool.settled();
    expect(textsOf(await read(spool, 12))).toEqual(words(1, 12));
  });

  it.each([
    ['failed', () => Promise.reject(new Error('ENOSPC'))],
    ['was cut short', (bytesWritten: number) => Promise.resolve({ bytesWritten })],
  ])('writes over what a write that %s has left behind', async (_how, ended) => {
    const first = await openSpool({ segmentBytes: 1_000_000, clock: impatient });
    await fill(first, 1, 2);
    const write = vi.spyOn((await fileHandles()) as WritesBytes, 'write');
    write.mockImplementationOnce(function (this: WritesBytes, bytes, _from, length, at) {
      return ended(writeSync(this.fd, bytes, 0, Math.floor(length / 2), at));
    });
    await fill(first, 3, 6);
    write.mockRestore();
    expect(complaints.join()).toContain('SPOOL_UNWRITABLE');
    await first.close();
    complaints = [];
    const second = await openSpool();
    expect(textsOf(await read(second, 6))).toEqual(words(1, 6));
    expect(complaints).toEqual([]);
  });
});

describe('a reader of the spool', () => {
  it('that keeps up needs no files', async () => {
    const spool = await openSpool({ segmentBytes: 400 });
    for (let n = 1; n <= 9; n += 3) {
      await fill(spool, n, n + 2);
      for (const path of await logPaths()) await truncate(path, 0);
      expect(textsOf(await read(spool, 3))).toEqual(words(n, n + 2));
    }
  });

  it('that does not is given the files', async () => {
    const spool = await openSpool({ segmentBytes: 1_000_000 });
    for (let n = 1; n <= 1000; n += 100) await fill(spool, n, n + 99);
    const inMemory = (await spool.next()) ?? [];
    expect(inMemory.length).toBeGreaterThan(100);
    expect(inMemory.length).toBeLessThan(1000);
    const fromFiles = await read(spool, 1000 - inMemory.length);
    expect(textsOf([...inMemory, ...fromFiles])).toEqual(words(1, 1000));
    spool.rewind();
    expect(textsOf(await read(spool, 1000))).toEqual(words(1, 1000));
  });

  it('finds everything that was not taken over, in order, wherever it goes back', async () => {
    const spool = await openSpool({ segmentBytes: 4000, bytesMax: 10_000_000 });
    const random = new SeededRandom(20_261_127);
    let [given, taken, next] = [0, 0, 1];
    const look = async (): Promise<void> => {
      for (const { seq } of (await spool.next()) ?? []) expect(seq).toBe(next++);
    };
    for (let turn = 0; turn < 120; turn += 1) {
      const many = random.chance(0.05) ? 1000 : 5;
      for (let n = 0; n < many; n += 1) spool.append(word((given += 1)));
      // Sometimes in the middle of a write.
      if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
      if (random.chance(0.2)) {
        spool.rewind();
        next = taken + 1;
      }
      if (next <= given && random.chance(0.7)) await look();
      if (random.chance(0.2)) await spool.taken((taken = next - 1));
    }
    while (next <= given) await look();
    await spool.taken(given);
    expect(spool.waiting).toBe(0);
  });
});
