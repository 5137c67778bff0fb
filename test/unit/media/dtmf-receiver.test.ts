import { describe, expect, it } from 'vitest';
import { DTMF_DIGITS, DtmfReceiver } from '../../../src/media/dtmf-receiver.ts';
import { eventPayload } from '../../support/media/packets.ts';
import { SeededRandom } from '../../support/random.ts';

interface EventPacket {
  readonly event: number;
  readonly timestamp: number;
  readonly duration: number;
  readonly end?: boolean;
  readonly atMs?: number;
}

interface Heard {
  digit: string;
  durationMs: number;
}

/**
 * Plays packets 20 ms apart (or at their own time), with a tick between,
 * and waits for the last to fall silent.
 */
function heard(packets: readonly EventPacket[]): Heard[] {
  const digits: Heard[] = [];
  const receiver = new DtmfReceiver((digit, durationMs) => digits.push({ digit, durationMs }));
  let nowMs = 0;
  for (const { event, timestamp, duration, end = false, atMs } of packets) {
    nowMs = atMs ?? nowMs + 20;
    receiver.expire(nowMs);
    const payload = Buffer.from(eventPayload(event, { end, duration }));
    receiver.receive(payload, 0, payload.length, timestamp >>> 0, nowMs);
  }
  receiver.expire(nowMs + 500);
  return digits;
}

/** A press of 100 ms as phones send it: growing duration, then three ends. */
function press(
  event: number,
  timestamp: number,
  options: { ends?: number; frames?: number } = {},
): EventPacket[] {
  const { ends = 3, frames = 4 } = options;
  const total = (frames + 1) * 160;
  return [
    ...Array.from({ length: frames }, (_, i) => ({ event, timestamp, duration: (i + 1) * 160 })),
    ...Array.from({ length: ends }, () => ({ event, timestamp, duration: total, end: true })),
  ];
}

const ONE = [{ digit: '5', durationMs: 100 }];

describe('a press is told once', () => {
  it.each<[string, EventPacket[], Heard[]]>([
    ['as phones send it', press(5, 1000), ONE],
    ['with one end packet only', press(5, 1000, { ends: 1 }), ONE],
    ['with many retransmitted ends', press(5, 1000, { ends: 9 }), ONE],
    ['without an end bit', press(5, 1000, { ends: 0 }), [{ digit: '5', durationMs: 80 }]],
    ['when only the ends arrived', press(5, 1000).slice(4), ONE],
    ['when one end alone arrived', press(5, 1000).slice(6), ONE],
    ['when only the first packet arrived', press(5, 1000).slice(0, 1), [{ digit: '5', durationMs: 20 }]],
    ['when every other packet was lost', press(5, 1000).filter((_, i) => i % 2 === 0), ONE],
    ['when packets came in another order', [...press(5, 1000).slice(2), ...press(5, 1000).slice(0, 2)], ONE],
    ['with a timestamp that wraps', press(5, 0xffffffff), ONE],
    ['with timestamp zero', press(5, 0), ONE],
  ])('%s', (_what, packets, digits) => {
    expect(heard(packets)).toEqual(digits);
  });

  it('when the ends come again after half a second', () => {
    const late = press(5, 1000).map((packet, i) => ({ ...packet, atMs: i < 6 ? i * 20 : 700 }));
    expect(heard(late)).toEqual(ONE);
  });

  it('when it goes on after packets were missing for longer than patience', () => {
    const packets = press(5, 1000, { frames: 10 }).map((packet, i) => ({
      ...packet,
      atMs: i * 20 + (i > 5 ? 300 : 0),
    }));
    expect(heard(packets)).toEqual([{ digit: '5', durationMs: 120 }]);
  });

  it('when the sender moves the timestamp with every packet', () => {
    const packets = press(5, 1000).map((packet, i) => ({ ...packet, timestamp: 1000 + i * 160 }));
    expect(heard(packets)).toEqual(ONE);
  });

  it('when it lasts longer than 16 bits hold (RFC 4733 §2.5.1.3)', () => {
    const first = Array.from({ length: 410 }, (_, i) => ({
      event: 7,
      timestamp: 1000,
      duration: Math.min(0xffff, (i + 1) * 160),
    }));
    const second = press(7, 1000 + 0xffff);
    expect(heard([...first, ...second])).toEqual([
      { digit: '7', durationMs: Math.round((0xffff + 800) / 8) },
    ]);
  });
});

describe('several presses', () => {
  it('of different keys', () => {
    expect(heard([...press(1, 1000), ...press(2, 3000), ...press(3, 5000)]).map((h) => h.digit)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  it('of the same key', () => {
    expect(heard([...press(1, 1000), ...press(1, 2600), ...press(1, 4200)]).map((h) => h.digit)).toEqual([
      '1',
      '1',
      '1',
    ]);
  });

  it('of the same key without marker or end bit, as fast as Q.24 allows', () => {
    const packets = [0, 640, 1280].flatMap((start) => press(9, 1000 + start, { ends: 0, frames: 2 }));
    expect(heard(packets).map((h) => h.digit)).toEqual(['9', '9', '9']);
  });

  it('of another key right after one that never ended', () => {
    expect(heard([...press(1, 1000, { ends: 0 }), ...press(2, 1640)]).map((h) => h.digit)).toEqual([
      '1',
      '2',
    ]);
  });

  it('where an old end is heard after the next began', () => {
    const [end] = press(1, 1000).slice(-1);
    const next = press(2, 3000);
    if (end === undefined) throw new Error('no end');
    expect(
      heard([...press(1, 1000), ...next.slice(0, 2), end, ...next.slice(2)]).map((h) => h.digit),
    ).toEqual(['1', '2']);
  });

  it('over all sixteen keys', () => {
    const packets = Array.from(DTMF_DIGITS).flatMap((_, event) => press(event, 1000 + event * 1600));
    expect(
      heard(packets)
        .map((h) => h.digit)
        .join(''),
    ).toBe('0123456789*#ABCD');
  });

  it('survive loss of any packets, as long as one of each press arrives', () => {
    const random = new SeededRandom(5);
    for (let round = 0; round < 300; round++) {
      const keys = Array.from({ length: 8 }, () => random.below(16));
      let atMs = 0;
      const packets = keys.flatMap((key, i) => {
        const all = press(key, 50_000 * round + i * 2400).map((packet) => ({
          ...packet,
          atMs: (atMs += 20),
        }));
        atMs += 160;
        const kept = all.filter(() => random.chance(0.5));
        return kept.length > 0 ? kept : all.slice(0, 1);
      });
      expect(
        heard(packets)
          .map((h) => h.digit)
          .join(''),
      ).toBe(keys.map((key) => DTMF_DIGITS[key]).join(''));
    }
  });
});

describe('what is no key', () => {
  it.each([
    ['flash', eventPayload(16, { duration: 160 })],
    ['a modem tone', eventPayload(32, { duration: 160 })],
    ['a short payload', Uint8Array.of(1, 10, 0)],
    ['nothing', new Uint8Array(0)],
  ])('%s is refused', (_what, payload) => {
    const digits: string[] = [];
    const receiver = new DtmfReceiver((digit) => digits.push(digit));
    expect(receiver.receive(Buffer.from(payload), 0, payload.length, 1, 0)).toBe(false);
    receiver.expire(1000);
    expect(digits).toEqual([]);
  });

  it('is not asked again after a new sender began: its old timestamps mean nothing', () => {
    const digits: string[] = [];
    const receiver = new DtmfReceiver((digit) => digits.push(digit));
    const end = Buffer.from(eventPayload(4, { duration: 800, end: true }));
    receiver.receive(end, 0, 4, 90_000, 0);
    receiver.reset();
    receiver.receive(end, 0, 4, 400, 100);
    expect(digits).toEqual(['4', '4']);
  });

  it('counts an unfinished press when the sender changes', () => {
    const digits: string[] = [];
    const receiver = new DtmfReceiver((digit) => digits.push(digit));
    receiver.receive(Buffer.from(eventPayload(4, { duration: 160 })), 0, 4, 90_000, 0);
    receiver.reset();
    receiver.expire(1000);
    expect(digits).toEqual(['4']);
  });
});
