import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { loadLibrary } from '../../../src/base/native-library.ts';

const LENGTH = { length: 'size_t strlen(const char*)' };

describe('a native library', () => {
  it('is loaded by soname, and its functions can be called by their names here', () => {
    const { length } = loadLibrary(['libc.so.6'], LENGTH, 'SPEECH_UNAVAILABLE');
    expect(Number(length('trunk'))).toBe(5);
  });

  it('may have several names: the first that is there counts', () => {
    const { length } = loadLibrary(['libnowhere.so.1', 'libc.so.6'], LENGTH, 'SPEECH_UNAVAILABLE');
    expect(Number(length(''))).toBe(0);
  });

  it.each([
    [
      'no library is there',
      ['libnowhere.so.1', 'libnowhere.so.2'],
      LENGTH,
      /libnowhere\.so\.1.*libnowhere\.so\.2/,
    ],
    ['a function is missing', ['libc.so.6'], { none: 'int no_such_function()' }, /no_such_function/],
  ])('is refused with the code of its user when %s', (_case, sonames, prototypes, detail) => {
    const load = (): unknown =>
      loadLibrary(sonames, prototypes as Record<string, string>, 'OPUS_UNAVAILABLE');
    expect(load).toThrow(TrunklineError);
    expect(load).toThrow(/^OPUS_UNAVAILABLE/);
    expect(load).toThrow(detail);
  });
});
