/** What callers send into an agent's words, made at run time: espeak-ng's speech, sox's noises; u-law. */
import { execFileSync } from 'node:child_process';

export interface CallerSound {
  readonly name: string;
  readonly kind: 'speech' | 'backchannel' | 'cough' | 'keyboard' | 'music';
  readonly bytes: Uint8Array;
  /** What a transcription makes of it; null: no speech in it. */
  readonly words: string | null;
}

const ULAW = ['-t', 'raw', '-r', '8000', '-e', 'mu-law', '-b', '8', '-c', '1', '-'];
/** So that the first packet is the first sound: silence at both ends is cut away. */
const TRIM = ['silence', '1', '0.01', '2%', 'reverse', 'silence', '1', '0.01', '2%', 'reverse'];

/** Long enough to be surely no "mhm". */
const SENTENCES = [
  'wait, can I ask you something else',
  'no, that is not what I meant at all',
  'okay but do you have anything on Friday',
  'actually I would rather come in the morning',
];
const BACKCHANNELS = ['mhm', 'uh-huh', 'hmm', 'right'];
const VOICES = ['en-us', 'en-us+f3', 'en-gb', 'en-us+m3'];

function speech(words: string, voice: string): Uint8Array {
  const wav = execFileSync('espeak-ng', ['--stdout', '-v', voice, '-s', '150', words]);
  return execFileSync('sox', ['-t', 'wav', '-', ...ULAW, 'sinc', '300-3400', ...TRIM, 'norm', '-6'], {
    input: wav,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

/** The effects in one string, as on sox's command line. */
function noise(effects: string): Uint8Array {
  return execFileSync('sox', ['-R', '-n', '-r', '8000', ...ULAW, ...effects.split(' ')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** A burst of breath, once or more: sharp attack, fading. */
const cough = (ms: number, times: number): string =>
  `synth ${ms / 1000} pinknoise band 900 700 fade l 0.008 ${ms / 1000} ${(ms * 0.8) / 1000} norm -6 ` +
  `pad 0 0.18 repeat ${times - 1}`;
const clicks = (everyMs: number, times: number): string =>
  `synth 0.012 whitenoise fade l 0.001 0.012 0.01 norm -9 pad 0 ${(everyMs - 12) / 1000} repeat ${times - 1}`;
const chord =
  'synth 2 pl G2 pl B2 pl D3 pl G3 pl D4 pl G4 delay 0 .05 .1 .15 .2 .25 remix - fade 0 2 .1 norm -9';
const organ = 'synth 2 sine 392 sine 494 sine 587 remix - tremolo 4 40 norm -12';

const NOISES: readonly (readonly [CallerSound['kind'], string, string])[] = [
  ['cough', 'one short cough', cough(180, 1)],
  ['cough', 'one long cough', cough(350, 1)],
  ['cough', 'two coughs', cough(250, 2)],
  ['cough', 'three coughs', cough(250, 3)],
  ['keyboard', 'slow typing', clicks(220, 6)],
  ['keyboard', 'fast typing', clicks(90, 14)],
  ['music', 'plucked chord, 2 s', chord],
  ['music', 'organ chord, 2 s', organ],
];

export function speechSounds(): CallerSound[] {
  return SENTENCES.map((words, index) => {
    const voice = VOICES[index] ?? 'en-us';
    return { name: `"${words}" (${voice})`, kind: 'speech', words, bytes: speech(words, voice) };
  });
}

/** What should not cut a reply short. */
export function harmlessSounds(): CallerSound[] {
  const spoken = BACKCHANNELS.map((words, index): CallerSound => {
    const voice = VOICES[index] ?? 'en-us';
    return { name: `"${words}" (${voice})`, kind: 'backchannel', words, bytes: speech(words, voice) };
  });
  const made = NOISES.map(([kind, name, effects]) => ({ kind, name, bytes: noise(effects), words: null }));
  return [...spoken, ...made];
}
