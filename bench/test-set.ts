/** What the recogniser is measured with: sentences, voices, and noise. */
import { execFileSync } from 'node:child_process';
import { Synthesiser } from '../src/agent/models/offline/synthesiser.ts';
import { SeededRandom } from '../test/support/random.ts';

/** What callers say, by what the agent had asked. */
export const SENTENCES = Object.entries({
  open: [
    'I would like an appointment tomorrow at ten',
    'I would like to book an appointment please',
    'hello I need to see a doctor on Wednesday',
    'can I come in on Friday at half past two',
    'what are your opening hours',
    'where is the clinic',
    'can I speak to a person',
    'could you book me in for Monday at four',
    'do you have any appointments on Tuesday',
    'my name is David Wilson and I would like an appointment tomorrow at nine',
  ],
  'answer-book-name': [
    'my name is Anna Miller',
    'this is Robert Taylor',
    'Sarah Johnson',
    'it is Michael Brown',
    'James Walker please',
  ],
  'answer-book-time': [
    'at eleven please',
    'two thirty',
    'quarter to nine',
    'at three in the afternoon',
    "nine o'clock in the morning",
    'ten fifteen',
    'around noon',
  ],
  'answer-book-day': [
    'next Monday',
    'on Thursday please',
    'the day after tomorrow',
    'on the third of December',
    'December the twenty first',
  ],
  'confirm-book': [
    'yes that is right',
    'yes please',
    'no at eleven',
    'no that is wrong',
    'no make it Tuesday',
    'actually Thursday would be better',
    'yes',
    'no',
  ],
  closing: ['no thank you', 'when do you close', 'what is your address', 'that is all thank you', 'goodbye'],
}).flatMap(([expecting, texts]) => texts.map((text) => ({ expecting, text })));
export const OUT_OF_DOMAIN = [
  'the quick brown fox jumps over the lazy dog',
  'my car engine makes a strange rattling noise',
  'photosynthesis converts sunlight into chemical energy',
  'the football match was cancelled because of heavy snow',
  'please install the update before restarting your computer',
  'grandmother baked a chocolate cake for the party',
];
/** Flite's voices are made of recordings of people, espeak-ng's are computed. */
const FLITE = ['slt', 'rms', 'awb', 'kal16'];
const ESPEAK = ['en-us', 'en-gb', 'en-us+f2', 'en-us+m3'];
export const VOICES = [...FLITE, ...ESPEAK];

const raw = ['-t', 'raw', '-r', '8000', '-e', 'signed', '-b', '16', '-c', '1', '-'];
/** The telephone's band, and the silence that a call has around its words. */
const telephone = ['sinc', '300-3400', 'norm', '-6', 'pad', '0.3', '0.4'];

/** Sentences as 8 kHz samples of the telephone's band; each is made once. */
export class Speakers {
  readonly #synthesiser = new Synthesiser();
  readonly #said = new Map<string, Int16Array>();

  async say(text: string, voice: string): Promise<Int16Array> {
    const key = `${voice} ${text}`;
    const known = this.#said.get(key);
    if (known !== undefined) return known;
    const bytes = FLITE.includes(voice) ? await this.#flite(text, voice) : espeak(text, voice);
    const samples = new Int16Array(new Uint8Array(bytes).buffer);
    this.#said.set(key, samples);
    return samples;
  }

  async #flite(text: string, voice: string): Promise<Buffer> {
    const phrase = await this.#synthesiser.speak({ text, voice, codec: 'pcmu' });
    const given = ['-t', 'raw', '-r', '8000', '-e', 'mu-law', '-c', '1', '-'];
    return execFileSync('sox', [...given, ...raw, ...telephone], { input: phrase });
  }

  close(): Promise<void> {
    return this.#synthesiser.close();
  }
}

function espeak(text: string, voice: string): Buffer {
  const wav = execFileSync('espeak-ng', ['-v', voice, '-s', '150', '--stdout', text]);
  return execFileSync('sox', ['-t', 'wav', '-', ...raw, ...telephone], { input: wav });
}

/** RMS of the loud part: frames of 20 ms within 30 dB of the loudest. */
export function speechLevel(samples: Int16Array): number {
  const powers: number[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160)
    powers.push(samples.subarray(at, at + 160).reduce((sum, one) => sum + one * one, 0) / 160);
  const loudest = Math.max(...powers);
  const loud = powers.filter((power) => power > loudest / 1000);
  return Math.sqrt(loud.reduce((sum, power) => sum + power, 0) / Math.max(1, loud.length));
}

/** A copy with pink noise (1/f, Kellet's filter) so many dB under the speech; the same for the same seed. */
export function withNoise(samples: Int16Array, snrDb: number, seed: number): Int16Array {
  const random = new SeededRandom(seed);
  let [low, middle, high] = [0, 0, 0];
  const pink = Float64Array.from(samples, () => {
    const white = random.next() * 2 - 1;
    low = 0.99765 * low + white * 0.099046;
    middle = 0.963 * middle + white * 0.2965164;
    high = 0.57 * high + white * 1.0526913;
    return low + middle + high + white * 0.1848;
  });
  const level = Math.sqrt(pink.reduce((sum, one) => sum + one * one, 0) / Math.max(1, pink.length));
  const gain = speechLevel(samples) / 10 ** (snrDb / 20) / level;
  return samples.map((sample, at) =>
    Math.max(-32_768, Math.min(32_767, Math.round(sample + gain * (pink[at] ?? 0)))),
  );
}

/** Wrong, missing and extra words: Levenshtein distance. */
export function mistakes(truth: readonly string[], heard: readonly string[]): number {
  let row = [0, ...heard.map((_, index) => index + 1)];
  for (let i = 1; i <= truth.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= heard.length; j += 1) {
      const same = truth[i - 1] === heard[j - 1] ? 0 : 1;
      next.push(Math.min((row[j - 1] ?? 0) + same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
