import { describe, expect, it } from 'vitest';
import {
  levelOfUlaw,
  longestSilence,
  missingIn,
  silence_dbfs,
  silenceAfter,
  softerAfter,
  soundMs,
  soundsIn,
  type Heard,
} from '../../../bench/heard.ts';
import { attenuate, fade } from '../../../src/media/g711.ts';
import { silenceOf } from '../../../src/media/jitter-buffer.ts';
import { Tone } from '../../../src/media/tone.ts';

const toneOf = (level: number): Uint8Array => {
  const bytes = new Uint8Array(160);
  new Tone([440], level).fill('pcmu', bytes);
  return bytes;
};

/** One packet every 20 ms from `fromMs`, at these levels; null: none came. */
function packets(levels: readonly (number | null)[], fromMs = 0): Heard[] {
  return levels.flatMap((levelDbfs, at) =>
    levelDbfs === null ? [] : [{ atMs: fromMs + 20 * at, levelDbfs, sequence: at & 0xffff }],
  );
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('the level of a packet', () => {
  it('is that of its sound: a sine of -12 dB has an RMS of 3 dB less', () => {
    expect(levelOfUlaw(toneOf(-12))).toBeCloseTo(-15.2, 0);
    expect(levelOfUlaw(toneOf(-32))).toBeCloseTo(-35.2, 0);
  });

  it('is far under the bound for silence, and for no sound at all', () => {
    expect(levelOfUlaw(silenceOf('pcmu'))).toBe(-Infinity);
    expect(levelOfUlaw(new Uint8Array(0))).toBe(-Infinity);
    expect(levelOfUlaw(new Uint8Array(160).fill(0x7f))).toBeLessThan(silence_dbfs);
    expect(levelOfUlaw(toneOf(-60))).toBeLessThan(silence_dbfs);
  });

  it('tells a voice that is being ducked from one that is not, and from silence', () => {
    const [ducking, ducked, fading] = [new Uint8Array(160), new Uint8Array(160), new Uint8Array(160)];
    fade('pcmu', toneOf(-12), { from: 1, to: 0.2 }, ducking);
    attenuate('pcmu', toneOf(-12), 0.2, ducked);
    fade('pcmu', toneOf(-12), { from: 0.2, to: 0 }, fading);
    const usual = levelOfUlaw(toneOf(-12));
    expect(levelOfUlaw(ducking)).toBeLessThan(usual - 3);
    expect(levelOfUlaw(ducked)).toBeLessThan(usual - 13);
    expect(levelOfUlaw(fading)).toBeGreaterThan(silence_dbfs);
  });
});

describe('sound', () => {
  it('is counted in packets that hold some, within the span only', () => {
    const heard = packets([-15, -15, -Infinity, -30, null, -15]);
    expect(soundMs(heard, { fromMs: 0, toMs: 1000 })).toBe(80);
    expect(soundMs(heard, { fromMs: 20, toMs: 60 })).toBe(40);
    expect(soundsIn(heard, { fromMs: 61, toMs: 1000 }).map((one) => one.atMs)).toEqual([100]);
  });

  it('that is lost on the way is told by the numbers, also over their end', () => {
    const of = (...sequences: number[]): Heard[] =>
      sequences.map((sequence, at) => ({ atMs: 20 * at, levelDbfs: -15, sequence }));
    expect(missingIn(of(7, 8, 9))).toBe(0);
    expect(missingIn(of(7, 10, 11))).toBe(2);
    expect(missingIn(of(65_534, 65_535, 0, 2))).toBe(1);
    expect(missingIn(of(7, 8, 8, 9))).toBe(0);
    expect(missingIn([])).toBe(0);
  });
});

describe('a steady voice goes softer', () => {
  const before = times(20, -15);

  it('with the first packet that is 3 dB under what it was', () => {
    const heard = packets([...before, -15, -15, -18.8, -29]);
    expect(softerAfter(heard, { fromMs: 400, toMs: 1000 })).toBe(40);
  });

  it('not with a wobble, not before the moment asked for, and not after the span', () => {
    expect(softerAfter(packets([...before, -16, -17]), { fromMs: 400, toMs: 1000 })).toBeNull();
    const wobbly = packets([...times(10, -15), -29, ...times(10, -15), -29]);
    expect(softerAfter(wobbly, { fromMs: 410, toMs: 1000 })).toBe(10);
    expect(softerAfter(packets([...before, -15, -29]), { fromMs: 400, toMs: 410 })).toBeNull();
  });

  it('is not known of a voice that was hardly heard before', () => {
    expect(softerAfter(packets([-15, -15, -29]), { fromMs: 40, toMs: 1000 })).toBeNull();
    expect(softerAfter([], { fromMs: 40, toMs: 1000 })).toBeNull();
  });
});

describe('the line goes silent', () => {
  const voice = times(10, -15);
  const span = { fromMs: 100, toMs: 1000, lastingMs: 200 };

  it('when the last sound has been played, whether silence is sent or nothing', () => {
    expect(silenceAfter(packets([...voice, ...times(30, -Infinity)]), span)).toBe(100);
    expect(silenceAfter(packets(voice), span)).toBe(100);
  });

  it('not in a pause that is shorter than asked for', () => {
    const paused = packets([...voice, ...times(8, null), ...voice]);
    expect(silenceAfter(paused, span)).toBe(560 - 100);
  });

  it('at once when nothing sounds any more', () => {
    expect(silenceAfter(packets(voice), { ...span, fromMs: 250 })).toBe(0);
  });

  it('not while it goes on to the end', () => {
    expect(silenceAfter(packets(times(50, -15)), span)).toBeNull();
    expect(silenceAfter(packets(times(45, -15)), span)).toBeNull();
  });
});

describe('the longest silence', () => {
  it('is the longest of those before, between and after what was heard', () => {
    const heard = packets([-15, -15, null, null, null, -15, -Infinity, -15]);
    expect(longestSilence(heard, { fromMs: 0, toMs: 160 })).toEqual({ ms: 60, fromMs: 40 });
    expect(longestSilence(heard, { fromMs: -100, toMs: 160 })).toEqual({ ms: 100, fromMs: -100 });
    expect(longestSilence(heard, { fromMs: 0, toMs: 400 })).toEqual({ ms: 240, fromMs: 160 });
  });

  it('is the whole span when nothing was heard, and none when sound never stopped', () => {
    expect(longestSilence([], { fromMs: 50, toMs: 750 })).toEqual({ ms: 700, fromMs: 50 });
    expect(longestSilence(packets(times(10, -15)), { fromMs: 0, toMs: 190 }).ms).toBe(0);
  });

  it('is not made longer by packets that come in a bunch', () => {
    const bunched = packets([-15, -15, -15]).map((one) => ({ ...one, atMs: 40 }));
    expect(longestSilence(bunched, { fromMs: 20, toMs: 80 })).toEqual({ ms: 20, fromMs: 20 });
  });
});
