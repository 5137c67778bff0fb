import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { sendTogether } from '../../../src/base/send-together.ts';

/** Writes as they reach the socket: several at once are one. */
class Pieces extends Writable {
  readonly pieces: string[] = [];

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(String(piece));
    done();
  }

  override _writev(pieces: { chunk: Buffer }[], done: () => void): void {
    this.pieces.push(pieces.map(({ chunk }) => String(chunk)).join(''));
    done();
  }
}

/** As a driver does: asked in a turn of promises, each statement some promises after the one before. */
async function ask(stream: Writable, words: string): Promise<void> {
  for (const word of words) {
    await Promise.resolve();
    sendTogether(stream);
    stream.write(word);
  }
}

describe('what is sent together', () => {
  it('leaves in one piece, in order, when all that has been settled has had its say', async () => {
    const stream = new Pieces();
    await Promise.all([ask(stream, 'abc'), ask(stream, '123')]);
    expect(stream.pieces).toEqual([]);
    await new Promise(setImmediate);
    expect(stream.pieces).toEqual(['a1b2c3']);
  });

  it('is held by turns: what comes later is another piece', async () => {
    const stream = new Pieces();
    await ask(stream, 'ab');
    await new Promise(setImmediate);
    stream.write('alone');
    await ask(stream, 'cd');
    await new Promise(setImmediate);
    expect(stream.pieces).toEqual(['ab', 'alone', 'cd']);
  });

  it('waits for no other stream, and minds none that has gone', async () => {
    const [one, other] = [new Pieces(), new Pieces()];
    await Promise.all([ask(one, 'ab'), ask(other, '12')]);
    one.destroy();
    await new Promise(setImmediate);
    expect([one.pieces, other.pieces]).toEqual([[], ['12']]);
  });

  it('is not lost when the stream is ended in the same turn', async () => {
    const stream = new Pieces();
    const finished = once(stream, 'finish');
    await ask(stream, 'ab');
    stream.end('!');
    await finished;
    expect(stream.pieces.join('')).toBe('ab!');
  });
});
