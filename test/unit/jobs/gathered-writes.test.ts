import { describe, expect, it } from 'vitest';
import { GatheredWrites } from '../../../src/jobs/gathered-writes.ts';
import { until } from '../../support/until.ts';

/** Writes that end when the test says so. */
class Writer {
  readonly begun: string[] = [];
  readonly #open: PromiseWithResolvers<undefined>[] = [];

  readonly write = (entries: readonly string[]): Promise<void> => {
    this.begun.push(entries.join());
    const done = Promise.withResolvers<undefined>();
    this.#open.push(done);
    return done.promise;
  };

  async end(failure?: Error): Promise<void> {
    await until('a write', () => this.#open.length > 0);
    const done = this.#open.shift();
    if (failure === undefined) done?.resolve(undefined);
    else done?.reject(failure);
  }
}

const settled = async (done: Promise<void>): Promise<string> =>
  done.then(
    () => 'done',
    (error: unknown) => String(error),
  );

describe('gathered writes', () => {
  it('take together what came while one was under way, in order, so many at a time', async () => {
    const writes = new GatheredWrites<string>({ entriesMax: 3 });
    const writer = new Writer();
    const done = ['a', 'b', 'c', 'd', 'e'].map((entry) => writes.add('acme', entry, writer.write));
    for (let written = 0; written < 3; written += 1) await writer.end();
    await Promise.all(done);
    expect(writer.begun).toEqual(['a', 'b,c,d', 'e']);
    const later = writes.add('acme', 'f', writer.write);
    await writer.end();
    await later;
    expect(writer.begun).toHaveLength(4);
  });

  it('tell each entry what became of it', async () => {
    const writes = new GatheredWrites<string, string>({ entriesMax: 3 });
    const write = (entries: readonly string[]): Promise<string[]> =>
      entries.includes('bad') && entries.length > 1
        ? Promise.reject(new Error('not these'))
        : Promise.resolve(entries.map((entry) => `${entry} of ${entries.length}`));
    const done = ['a', 'b', 'c', 'bad', 'd'].map((entry) => writes.add('acme', entry, write));
    expect(await Promise.all(done)).toEqual(['a of 1', 'b of 1', 'c of 1', 'bad of 1', 'd of 1']);
    const again = ['a', 'b', 'c', 'd', 'e'].map((entry) => writes.add('acme', entry, write));
    expect(await Promise.all(again)).toEqual(['a of 1', 'b of 3', 'c of 3', 'd of 3', 'e of 1']);
  });

  it('do not let tenants wait for one another', async () => {
    const writes = new GatheredWrites<string>({ entriesMax: 3 });
    const [slow, quick] = [new Writer(), new Writer()];
    const first = writes.add('acme', 'a', slow.write);
    const other = writes.add('other', 'b', quick.write);
    await quick.end();
    await other;
    await slow.end();
    await first;
    expect([slow.begun, quick.begun]).toEqual([['a'], ['b']]);
  });

  it('fail an entry for its own sake alone', async () => {
    const writes = new GatheredWrites<string>({ entriesMax: 9 });
    const writer = new Writer();
    const done = ['a', 'bad', 'c'].map((entry) => settled(writes.add('acme', entry, writer.write)));
    await writer.end(new Error('not a'));
    await writer.end(new Error('not these'));
    await writer.end(new Error('not bad'));
    await writer.end();
    expect(await Promise.all(done)).toEqual(['Error: not a', 'Error: not bad', 'done']);
    expect(writer.begun).toEqual(['a', 'bad,c', 'bad', 'c']);
  });

  it('fail together where the failure is not theirs', async () => {
    const writes = new GatheredWrites<string>({ entriesMax: 9, failTogether: true });
    const writer = new Writer();
    const done = ['a', 'b', 'c'].map((entry) => settled(writes.add('sms', entry, writer.write)));
    await writer.end();
    await writer.end(new Error('away'));
    expect(await Promise.all(done)).toEqual(['done', 'Error: away', 'Error: away']);
    expect(writer.begun).toEqual(['a', 'b,c']);
  });
});
