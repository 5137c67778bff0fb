import { describe, expect, it } from 'vitest';
import { DigitMerger, digitInInfo } from '../../../src/phone/info-digits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('digitInInfo', () => {
  const relay = 'application/dtmf-relay';
  const plain = 'application/dtmf';
  const table: [string, string, ReturnType<typeof digitInInfo>][] = [
    [relay, 'Signal=5\r\nDuration=240\r\n', { digit: '5', durationMs: 240 }],
    [relay, 'Signal= *\r\nDuration= 100\r\n', { digit: '*', durationMs: 100 }],
    [relay, 'signal=d', { digit: 'D', durationMs: 160 }],
    [relay, 'Signal=10\r\n', { digit: '*', durationMs: 160 }],
    [relay, 'Signal=11\r\n', { digit: '#', durationMs: 160 }],
    [relay, 'Signal=15\r\n', { digit: 'D', durationMs: 160 }],
    [relay, 'Signal=5\r\nDuration=999999\r\n', { digit: '5', durationMs: 10_000 }],
    [relay, 'Signal=16\r\n', 'nothing'],
    [relay, 'Signal=!\r\n', 'nothing'],
    [relay, 'Signal=17\r\n', undefined],
    [relay, 'Signal=', undefined],
    [relay, 'Duration=100', undefined],
    [plain, '7', { digit: '7', durationMs: 160 }],
    [plain, ' # \r\n', { digit: '#', durationMs: 160 }],
    [plain, '77', undefined],
    [plain, '', undefined],
    ['text/plain', '7', undefined],
  ];
  for (const [type, body, expected] of table)
    it(`reads ${JSON.stringify(body)} as ${type}`, () => {
      expect(digitInInfo(type, body)).toEqual(expected);
    });
});

describe('DigitMerger', () => {
  type Told = ['rtp' | 'info', string];
  const keep = (told: Told[], merger = new DigitMerger(new ManualClock())): string =>
    told.map(([path, digit]) => (merger.isNew(path, digit) ? digit : '')).join('');

  const table: [string, Told[], string][] = [
    [
      'one path alone',
      [
        ['rtp', '5'],
        ['rtp', '5'],
      ],
      '55',
    ],
    [
      'a twin',
      [
        ['rtp', '5'],
        ['info', '5'],
      ],
      '5',
    ],
    [
      'a twin that comes first',
      [
        ['info', '5'],
        ['rtp', '5'],
      ],
      '5',
    ],
    [
      'a double press told twice',
      [
        ['rtp', '5'],
        ['info', '5'],
        ['rtp', '5'],
        ['info', '5'],
      ],
      '55',
    ],
    [
      'a double press, one path late',
      [
        ['rtp', '5'],
        ['rtp', '5'],
        ['info', '5'],
        ['info', '5'],
      ],
      '55',
    ],
    [
      'another digit',
      [
        ['rtp', '5'],
        ['info', '6'],
      ],
      '56',
    ],
    [
      'twins out of order',
      [
        ['rtp', '5'],
        ['rtp', '6'],
        ['info', '5'],
        ['info', '6'],
      ],
      '56',
    ],
  ];
  for (const [what, told, expected] of table)
    it(`keeps ${expected} of ${what}`, () => {
      expect(keep(told)).toBe(expected);
    });

  it('takes a late telling for a press of its own', () => {
    const clock = new ManualClock();
    const merger = new DigitMerger(clock);
    expect(merger.isNew('rtp', '5')).toBe(true);
    clock.advance(1001);
    expect(merger.isNew('info', '5')).toBe(true);
  });

  it('forgets the oldest of many', () => {
    const merger = new DigitMerger(new ManualClock());
    expect(merger.isNew('rtp', '1')).toBe(true);
    for (let press = 0; press < 32; press += 1) merger.isNew('rtp', '2');
    expect(merger.isNew('info', '1')).toBe(true);
  });
});
