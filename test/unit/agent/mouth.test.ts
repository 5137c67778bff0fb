import { beforeEach, describe, expect, it } from 'vitest';
import { Mouth, type Said, type Spoken } from '../../../src/agent/mouth.ts';

let said: Said[];
let captions: string[];
let begun: string[];
let frames: { first: number; marker: boolean; rtpTimestamp: number }[];
let mouth: Mouth;

beforeEach(() => {
  [said, captions, begun, frames] = [[], [], [], []];
  mouth = new Mouth({
    codec: 'pcmu',
    on: {
      frame: ({ payload, marker, rtpTimestamp }) =>
        frames.push({ first: payload[0] ?? -1, marker, rtpTimestamp }),
      begins: (itemId) => {
        begun.push(itemId);
        return { startedMs: 1000, responseMs: 300, textMs: null, audioMs: null };
      },
      saying: ({ text }) => captions.push(text),
      said: (one) => said.push(one),
    },
  });
});

function reply(itemId: string, ms: number, options = { uninterruptible: false }): void {
  mouth.begin(itemId, options);
  mouth.text(itemId, `Text of ${itemId}.`);
  mouth.audio(itemId, new Uint8Array(ms * 8).fill(0x10));
  mouth.end(itemId);
}
const speak = (ticks: number): Spoken[] => Array.from({ length: ticks }, () => mouth.speak());

describe('Mouth', () => {
  it('tells the words as they are said, a few at a time', () => {
    reply('a', 2000);
    mouth.text('a', 'One two three four five six seven eight nine ten.');
    speak(100);
    expect(captions).toEqual([
      'One two three',
      'One two three four five',
      'One two three four five six seven',
      'One two three four five six seven eight',
      'One two three four five six seven eight nine ten.',
    ]);
  });

  it('says one reply after the other, and tells each with its text and times', () => {
    reply('a', 40);
    reply('b', 20);
    expect(speak(4)).toEqual(['frame', 'frame', 'frame', 'empty']);
    expect(begun).toEqual(['a', 'b']);
    const times = { startedMs: 1000, responseMs: 300, textMs: null, audioMs: null, interrupted: false };
    expect(said).toEqual([
      { itemId: 'a', text: 'Text of a.', heardMs: 40, totalMs: 40, ...times },
      { itemId: 'b', text: 'Text of b.', heardMs: 20, totalMs: 20, ...times },
    ]);
  });

  it('marks the first frame after a silence, and its clock runs through rests', () => {
    reply('a', 40);
    mouth.rest();
    speak(3);
    mouth.rest();
    reply('b', 20);
    speak(1);
    expect(frames.map(({ marker, rtpTimestamp }) => [marker, rtpTimestamp / 160])).toEqual([
      [true, 2],
      [false, 3],
      [true, 6],
    ]);
  });

  it('is starved while a reply is under way and its sound is late', () => {
    mouth.begin('a', { uninterruptible: false });
    expect(speak(2)).toEqual(['starved', 'starved']);
    mouth.giveUp();
    expect(speak(1)).toEqual(['empty']);
    expect(said).toMatchObject([{ itemId: 'a', heardMs: 0, interrupted: false }]);
  });

  it('waits in silence and goes on where it was', () => {
    reply('a', 100);
    speak(2);
    mouth.pause();
    expect(speak(3)).toEqual(['frame', 'paused', 'paused']);
    mouth.restore();
    expect(speak(3)).toEqual(['frame', 'frame', 'empty']);
    expect(said).toMatchObject([{ heardMs: 100, totalMs: 100, interrupted: false }]);
  });

  it('does not begin a reply while it waits', () => {
    mouth.pause();
    reply('a', 40);
    expect(speak(2)).toEqual(['paused', 'paused']);
    expect(begun).toEqual([]);
  });

  it('cuts the replies that it is told to, and only those', () => {
    reply('a', 100);
    reply('b', 100);
    expect(mouth.waiting).toEqual(['a', 'b']);
    speak(2);
    const held = mouth.waiting;
    reply('c', 20);
    expect(mouth.cut(held)).toEqual([
      { itemId: 'a', heardMs: 40, totalMs: 100 },
      { itemId: 'b', heardMs: 0, totalMs: 100 },
    ]);
    // One frame of `a` fades out; then comes what was not cut.
    expect(speak(3)).toEqual(['frame', 'frame', 'empty']);
    expect(said.map((one) => [one.itemId, one.interrupted])).toEqual([
      ['a', true],
      ['c', false],
    ]);
    expect(mouth.cut(['a', 'nobody'])).toEqual([]);
  });

  it('takes nothing more of a reply that was cut or refused', () => {
    reply('a', 40);
    mouth.cut(['a']);
    mouth.refuse('b');
    reply('a', 40);
    reply('b', 40);
    expect(mouth.busy).toBe(false);
    expect(speak(1)).toEqual(['empty']);
  });

  it('knows when what sounds may not be interrupted', () => {
    reply('a', 40, { uninterruptible: true });
    reply('b', 40);
    expect(mouth.protected).toBe(false);
    speak(1);
    expect(mouth.protected).toBe(true);
    mouth.withdraw('a');
    expect(speak(2)).toEqual(['frame', 'frame']);
    expect(mouth.protected).toBe(false);
    mouth.withdraw('b');
    mouth.withdraw('nobody');
    expect(said.map((one) => [one.itemId, one.heardMs, one.interrupted])).toEqual([
      ['a', 40, false],
      ['b', 20, true],
    ]);
  });
});
