import { describe, expect, it } from 'vitest';
import { loadLibrary } from '../../../src/base/native-library.ts';

const length = { length: 'size_t strlen(const char*)' };

describe('loadLibrary', () => {
  it('binds functions under our names for them', () => {
    expect(loadLibrary(['libc.so.6'], length, 'SPEECH_UNAVAILABLE').length('twelve chars')).toBe(12);
  });

  it('takes the first library that is there', () => {
    const { length: count } = loadLibrary(['libnowhere.so.1', 'libc.so.6'], length, 'SPEECH_UNAVAILABLE');
    expect(count('four')).toBe(4);
  });

  it.each(['OPUS_UNAVAILABLE', 'SPEECH_UNAVAILABLE'] as const)('says %s when none is there', (code) => {
    const loading = (): unknown => loadLibrary(['libnowhere.so.1', 'libneither.so.2'], length, code);
    expect(loading).toThrow(expect.objectContaining({ code }));
    expect(loading).toThrow(/libnowhere.*libneither/s);
  });

  it('says so when a function is missing', () => {
    const loading = (): unknown =>
      loadLibrary(['libc.so.6'], { go: 'int no_such_function_here()' }, 'OPUS_UNAVAILABLE');
    expect(loading).toThrow(expect.objectContaining({ code: 'OPUS_UNAVAILABLE' }));
  });
});
