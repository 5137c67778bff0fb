/** CMU flite (Debian libflite1): text to 16 kHz linear samples. */
import koffi from 'koffi';
import { TrunklineError } from '../../../base/errors.ts';
import { loadLibrary } from '../../../base/native-library.ts';

/** Voices that speak at 16 kHz. */
export const FLITE_VOICES = ['slt', 'rms', 'awb', 'kal16'] as const;
export type FliteVoice = (typeof FLITE_VOICES)[number];
export const FLITE_RATE_HZ = 16_000;

const WAVE = 'trunkline_cst_wave';

interface Wave {
  readonly sample_rate: number;
  readonly num_samples: number;
  readonly samples: unknown;
}

function bind() {
  const flite = loadLibrary(
    ['libflite.so.1'],
    {
      start: 'int flite_init()',
      toWave: 'void* flite_text_to_wave(const char*, void*)',
      freeWave: 'void delete_wave(void*)',
    },
    'SPEECH_UNAVAILABLE',
  );
  // The voices find these two in memory.
  loadLibrary(['libflite_usenglish.so.1'], {}, 'SPEECH_UNAVAILABLE');
  loadLibrary(['libflite_cmulex.so.1'], {}, 'SPEECH_UNAVAILABLE');
  koffi.struct(WAVE, {
    type: 'const char*',
    sample_rate: 'int',
    num_samples: 'int',
    num_channels: 'int',
    samples: 'void*',
  });
  flite.start();
  return flite;
}

let flite: ReturnType<typeof bind> | null = null;
const voices = new Map<FliteVoice, unknown>();

function voiceOf(name: FliteVoice): unknown {
  const known = voices.get(name);
  if (known !== undefined) return known;
  const library = loadLibrary(
    [`libflite_cmu_us_${name}.so.1`],
    { register: `void* register_cmu_us_${name}(const char*)` },
    'SPEECH_UNAVAILABLE',
  );
  const voice = library.register(null);
  voices.set(name, voice);
  return voice;
}

/** Speaks `text`; 16 kHz samples. Blocks for some 15 ms a second of speech. Throws SPEECH_UNAVAILABLE. */
export function speak(text: string, voice: FliteVoice): Int16Array {
  flite ??= bind();
  const handle = flite.toWave(text, voiceOf(voice));
  if (handle === null) throw new TrunklineError('SPEECH_UNAVAILABLE', `flite cannot speak "${voice}"`);
  try {
    const wave = koffi.decode(handle, WAVE) as Wave;
    if (wave.sample_rate !== FLITE_RATE_HZ)
      throw new TrunklineError('SPEECH_UNAVAILABLE', `flite spoke at ${wave.sample_rate} Hz`);
    return Int16Array.from(koffi.decode(wave.samples, 'int16_t', wave.num_samples) as ArrayLike<number>);
  } finally {
    flite.freeWave(handle);
  }
}
