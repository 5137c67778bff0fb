import { describe, expect, it } from 'vitest';
import { at } from '../../../src/base/at.ts';

describe('an item that is known to be there', () => {
  it('is given, also when it is 0, empty or null', () => {
    expect([at([5, 0], 1), at(['', 'x'], 0), at([null], 0), at(Uint8Array.of(7), 0)]).toEqual([
      0,
      '',
      null,
      7,
    ]);
  });

  it.each([-1, 2, 0.5, Number.NaN])('and is not is a bug that shows: %f', (index) => {
    expect(() => at([1, 2], index)).toThrow(RangeError);
  });
});
