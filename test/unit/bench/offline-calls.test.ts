import { describe, expect, it } from 'vitest';
import { wishOf } from '../../../bench/booking-caller.ts';
import { report } from '../../../bench/offline-calls.ts';
import { dialogueFigures, type OfflineLevel } from '../../../bench/offline-level.ts';
import type { Dialogue } from '../../../bench/offline-messages.ts';

const { name, clock } = wishOf(0);
/** A Monday, as the first wish has it. */
const booked = { name, day: '2026-11-30', time: clock };
const dialogue = (changes: Partial<Dialogue>): Dialogue => ({
  ...{ wish: 0, said: ['on Monday', 'yes'], heard: ['on monday', 'yes'], corrections: 0 },
  ...{ responseMs: [700, 800], booked, trouble: null, lastedMs: 30_000 },
  ...changes,
});

describe('what became of the dialogues', () => {
  it('tells bookings from those of just what was wanted', () => {
    const figures = dialogueFigures([
      dialogue({}),
      dialogue({ booked: { ...booked, name: 'Somebody Else' } }),
      dialogue({ booked: { ...booked, day: '2026-12-01' } }),
      dialogue({ booked: { ...booked, time: '19:00' } }),
      dialogue({ booked: null, trouble: 'no end' }),
    ]);
    expect(figures).toMatchObject({ dialogues: 5, booked: 4, asWanted: 1 });
    expect(figures.troubles).toEqual(['dialogue 0: no end']);
  });

  it('counts the words that were heard otherwise, and all answers', () => {
    const heard = ['on friday', 'yes', 'please'];
    expect(dialogueFigures([dialogue({ heard, corrections: 1 }), dialogue({})])).toMatchObject({
      ...{ words: 6, wrong: 2, corrections: 1, responseMs: [700, 800, 700, 800] },
    });
  });
});

describe('the section', () => {
  const spread = { count: 1, p50: 0.5, p95: 1, p99: 2, max: 3 };
  const level: OfflineLevel = {
    ...{
      calls: 2,
      dialogues: [dialogue({})],
      packets: 1000,
      missing: 3,
      jitterMs: spread,
      ownLateMs: spread,
    },
    cpu: { gateway: 5, recognisers: 10, synthesisers: 1, mediasoup: 0, afterCalls: 2, callers: 4, others: 7 },
    rssBytes: {
      ...{ gateway: 2 ** 27, recognisers: 2 ** 26, synthesisers: 2 ** 25 },
      ...{ mediasoup: 0, afterCalls: 0, callers: 0 },
    },
  };
  const rows = report([level])
    .split('\n')
    .filter((line) => line.startsWith('| 2'))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has dialogues, CPU, memory and sound of each level', () => {
    expect(rows.map((cells) => cells.slice(1, -1))).toEqual([
      ['2', '1', '1', '1', '0', '100.0', '700', '800', '800'],
      ['2', '9.00', '5.0', '10.0', '1.0', '0.0', '2.0', '4.0', '7.0'],
      ['2', '128', '64', '32', '0.50', '2.00', '2.00', '1000', '3'],
    ]);
  });

  it('names dialogues without a proper end', () => {
    const text = report([{ ...level, dialogues: [dialogue({ wish: 3, trouble: 'no end' })] }]);
    expect(text).toContain('- 2 calls, dialogue 3: no end');
    expect(report([level])).not.toContain('proper end');
  });
});
