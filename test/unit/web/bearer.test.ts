import { describe, expect, it } from 'vitest';
import { bearerOf } from '../../../src/web/keys.ts';

describe('a key in the Authorization header', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    [`Bearer ${'x'.repeat(10)}`, 'x'.repeat(10)],
    [`Bearer ${'x'.repeat(11)}`, undefined],
    ['Bearer a b', undefined],
    ['Bearer  abc', undefined],
    ['Bearer ', undefined],
    ['Basic abc', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j holds %j', (header, key) => {
    expect(bearerOf(header, 10)).toBe(key);
  });
});
