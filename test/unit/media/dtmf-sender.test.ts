import { describe, expect, it } from 'vitest';
import { DtmfReceiver } from '../../../src/media/dtmf-receiver.ts';
import { DIGITS_QUEUED_MAX, DtmfSender } from '../../../src/media/dtmf-sender.ts';
import { DtmfTones } from '../../../src/media/dtmf-tones.ts';
import { dtmfFrequenciesHz } from '../../../src/media/tone.ts';
import { toneLevels } from '../../support/tones.ts';

interface Sent {
  readonly tick: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly event: number;
  readonly end: boolean;
  readonly duration: number;
}

function run(sender: DtmfSender, ticks: number): Sent[] {
  const sent: Sent[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    if (!sender.step(10_000 + tick * 160)) continue;
    const [event = -1, flags = 0, high = 0, low = 0] = sender.payload;
    sent.push({
      tick,
      timestamp: sender.timestamp,
      marker: sender.marker,
      event,
      end: (flags & 0x80) !== 0,
      duration: high * 256 + low,
    });
  }
  return sent;
}

describe('sending RFC 4733', () => {
  it('freezes the timestamp, lets the duration grow, and sends the end three times', () => {
    const sender = new DtmfSender();
    sender.enqueue('7', { toneMs: 100, gapMs: 100 });
    const sent = run(sender, 20);
    expect(sent.map((packet) => packet.duration)).toEqual([160, 320, 480, 640, 800, 800, 800]);
    expect(sent.map((packet) => packet.end)).toEqual([false, false, false, false, true, true, true]);
    expect(sent.map((packet) => packet.marker)).toEqual([true, false, false, false, false, false, false]);
    expect(new Set(sent.map((packet) => packet.timestamp))).toEqual(new Set([10_000]));
    expect(new Set(sent.map((packet) => packet.event))).toEqual(new Set([7]));
    expect(sender.idle).toBe(true);
  });

  it('sends the flags that RFC 4733 asks for: no reserved bit, 10 dB below', () => {
    const sender = new DtmfSender();
    sender.enqueue('#', { toneMs: 40, gapMs: 40 });
    sender.step(0);
    expect([...sender.payload]).toEqual([11, 10, 0, 160]);
  });

  it('leaves the gap between digits to sound', () => {
    const sender = new DtmfSender();
    sender.enqueue('12', { toneMs: 40, gapMs: 100 });
    const ticks = run(sender, 30).map((packet) => packet.tick);
    // 2 ticks of tone, 5 of gap; the two repeated ends stand in the gap.
    expect(ticks).toEqual([0, 1, 2, 3, 7, 8, 9, 10]);
  });

  it('keeps digits apart even with the shortest gap', () => {
    const sender = new DtmfSender();
    sender.enqueue('11', { toneMs: 40, gapMs: 40 });
    const sent = run(sender, 30);
    expect(sent.filter((packet) => packet.marker).map((packet) => packet.timestamp)).toEqual([
      10_000, 10_640,
    ]);
  });

  it('is understood by our own receiver, digit by digit', () => {
    const digits: string[] = [];
    const receiver = new DtmfReceiver((digit, durationMs) => digits.push(`${digit}${durationMs}`));
    const sender = new DtmfSender();
    sender.enqueue('0123456789*#ABCD', { toneMs: 80, gapMs: 60 });
    for (let tick = 0; tick < 200; tick++) {
      if (sender.step(tick * 160))
        receiver.receive(Buffer.from(sender.payload), 0, 4, sender.timestamp, tick * 20);
    }
    expect(digits.join(' ')).toBe(
      Array.from('0123456789*#ABCD')
        .map((digit) => `${digit}80`)
        .join(' '),
    );
  });

  it('takes no more digits than its limit, all or nothing', () => {
    const sender = new DtmfSender();
    const timing = { toneMs: 40, gapMs: 40 };
    expect(sender.enqueue('1'.repeat(DIGITS_QUEUED_MAX), timing)).toBe(true);
    expect(sender.enqueue('2', timing)).toBe(false);
    sender.clear();
    expect(sender.idle).toBe(true);
    expect(sender.step(0)).toBe(false);
    expect(sender.enqueue('2', timing)).toBe(true);
  });
});

describe('pressing keys as tones', () => {
  it.each(Array.from('0123456789*#ABCD'))('key %s sounds in its two frequencies and no other', (digit) => {
    const tones = new DtmfTones();
    tones.enqueue(digit, { toneMs: 200, gapMs: 40 });
    const payloads: Uint8Array[] = [];
    for (let tick = 0; tick < 20; tick++) {
      const payload = tones.step('pcmu');
      if (payload !== null) payloads.push(Uint8Array.from(payload));
    }
    expect(payloads).toHaveLength(10);
    const all = [697, 770, 852, 941, 1209, 1336, 1477, 1633];
    const own = dtmfFrequenciesHz(digit);
    const levels = toneLevels(payloads, 'pcmu', all);
    for (const [i, hz] of all.entries()) {
      if (own.includes(hz)) expect(levels[i]).toBeGreaterThan(-20);
      else expect(levels[i]).toBeLessThan(-40);
    }
  });

  it('takes turns with sound, and no more than its limit', () => {
    const tones = new DtmfTones();
    const timing = { toneMs: 40, gapMs: 60 };
    expect(tones.enqueue('1'.repeat(DIGITS_QUEUED_MAX + 1), timing)).toBe(false);
    tones.enqueue('12', timing);
    const pattern = Array.from({ length: 12 }, () => (tones.step('pcma') === null ? '.' : 'x')).join('');
    expect(pattern).toBe('xx...xx.....');
  });
});
