/**
 * Section `recognition`: how many words the offline recogniser gets right on the shipped profile, and what
 * finds speech in noise.
 *
 *   npm run bench -- recognition --voices slt,en-us   fewer voices; prints only. -v shows what was misheard
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { Recogniser, type Ear } from '../src/agent/models/offline/recogniser.ts';
import { wordsOf } from '../src/agent/models/offline/words.ts';
import { agentProfileSchema } from '../src/agent/profile.ts';
import { encode } from '../src/media/g711.ts';
import { spreadOf } from './percentiles.ts';
import { figure, table } from './report.ts';
import type { SectionResult } from './section.ts';
import { mistakes, OUT_OF_DOMAIN, SENTENCES, Speakers, VOICES, withNoise } from './test-set.ts';

const noisy_voices = ['slt', 'rms', 'en-us'];
const noises_db = [20, 15, 10, 5];
/** Recognisers side by side, one per core of a small machine. */
const recognisers = 2;
const frame_bytes = 160;

type Suppression = 'none' | 'rnnoise';

interface Case {
  readonly voice: string;
  /** Speech above the noise; null: none. */
  readonly snrDb: number | null;
  readonly suppression: Suppression;
}

interface Score extends Case {
  readonly words: number;
  readonly wrong: number;
  readonly sentences: number;
  readonly exact: number;
  /** Sentences of the profile that were refused, and others. */
  readonly refused: number;
  readonly strangers: number;
  readonly strangersRefused: number;
  readonly resultMs: readonly number[];
}

/** All without noise; every second one with it, because there are many noises. */
function sentencesFor({ snrDb }: Case): typeof SENTENCES {
  return snrDb === null ? SENTENCES : SENTENCES.filter((_, at) => at % 2 === 0);
}

class Listener {
  readonly recogniser: Recogniser;
  readonly #model: string;
  readonly #speakers: Speakers;
  readonly #say: ((line: string) => void) | null;

  constructor(options: {
    recogniser: Recogniser;
    model: string;
    speakers: Speakers;
    say: ((line: string) => void) | null;
  }) {
    this.recogniser = options.recogniser;
    this.#model = options.model;
    this.#speakers = options.speakers;
    this.#say = options.say;
  }

  async score(one: Case): Promise<Score> {
    const line = { model: this.#model, codec: 'pcmu', noiseSuppression: one.suppression } as const;
    const ear = this.recogniser.ear(line);
    const score = { words: 0, wrong: 0, exact: 0, refused: 0, strangersRefused: 0 };
    const resultMs: number[] = [];
    for (const [seed, { text, expecting }] of sentencesFor(one).entries()) {
      const { hearing, ms } = await this.#hear(ear, { ...one, text, expecting, seed });
      const [truth, heard] = [wordsOf(text), wordsOf(hearing.text)];
      const errors = mistakes(truth, heard);
      score.words += truth.length;
      score.wrong += errors;
      score.exact += errors === 0 ? 1 : 0;
      score.refused += hearing.rejected ? 1 : 0;
      resultMs.push(ms);
      if (errors > 0) this.#say?.(`    ${one.voice} ${one.snrDb ?? ''}: "${text}" -> "${hearing.text}"`);
    }
    for (const [seed, text] of OUT_OF_DOMAIN.entries()) {
      const { hearing } = await this.#hear(ear, { ...one, text, expecting: 'open', seed: 1000 + seed });
      score.strangersRefused += hearing.rejected || hearing.text === '' ? 1 : 0;
    }
    ear.close();
    return {
      ...one,
      ...score,
      sentences: sentencesFor(one).length,
      strangers: OUT_OF_DOMAIN.length,
      resultMs,
    };
  }

  async #hear(ear: Ear, one: Case & { text: string; expecting: string; seed: number }) {
    const clean = await this.#speakers.say(one.text, one.voice);
    const samples = one.snrDb === null ? clean : withNoise(clean, one.snrDb, one.seed);
    const bytes = new Uint8Array(samples.length);
    encode('pcmu', samples, bytes);
    ear.expect(one.expecting);
    ear.start();
    for (let at = 0; at < bytes.length; at += frame_bytes) ear.hear(bytes.subarray(at, at + frame_bytes));
    const from = performance.now();
    // A machine that is too busy to answer in time counts as not heard.
    const hearing = await ear.end().catch(() => ({ text: '', fit: 0, rejected: true }));
    return { hearing, ms: performance.now() - from };
  }
}

const share = (part: number, whole: number): string => figure((100 * part) / Math.max(1, whole));
const sum = (scores: readonly Score[], of: (one: Score) => number): number =>
  scores.reduce((total, one) => total + of(one), 0);

function scoreRow(name: string, scores: readonly Score[]): string[] {
  const words = sum(scores, (one) => one.words);
  return [
    name,
    share(words - sum(scores, (one) => one.wrong), words),
    `${sum(scores, (one) => one.exact)} of ${sum(scores, (one) => one.sentences)}`,
    String(sum(scores, (one) => one.refused)),
    `${sum(scores, (one) => one.strangersRefused)} of ${sum(scores, (one) => one.strangers)}`,
  ];
}

const columns = ['words right, %', 'sentences without a mistake', 'refused', 'of other matters refused'];

export function report(scores: readonly Score[]): string {
  const clean = scores.filter((one) => one.snrDb === null && one.suppression === 'none');
  const noise = (snrDb: number | null, suppression: Suppression): Score[] =>
    scores.filter(
      (one) => one.snrDb === snrDb && one.suppression === suppression && noisy_voices.includes(one.voice),
    );
  const people = clean.filter(({ voice }) => !voice.startsWith('en-'));
  const late = spreadOf(clean.flatMap(({ resultMs }) => resultMs));
  return [
    '### Voices, without noise',
    table(
      ['voice', ...columns],
      [
        ...clean.map((one) => scoreRow(one.voice, [one])),
        scoreRow('all', clean),
        ...(people.length === 0 ? [] : [scoreRow('all that are made of recordings', people)]),
      ],
    ),
    '### Noise',
    table(
      ['speech above noise', 'noise suppression', ...columns],
      [null, ...noises_db].flatMap((snrDb) =>
        (['none', 'rnnoise'] as const).map((suppression) => {
          const [, ...figures] = scoreRow('', noise(snrDb, suppression));
          return [snrDb === null ? 'no noise' : `${snrDb} dB`, suppression, ...figures];
        }),
      ),
    ),
    `The whole utterance is given at once here; its text came ${figure(late.p50, 0)} ms (p50) and
${figure(late.p95, 0)} ms (p95) after that. At the pace of a call most of it is done by then.`,
    '### How it is measured',
    METHOD,
  ].join('\n\n');
}

const METHOD = `${SENTENCES.length} sentences that callers of the shipped clinic-receptionist say, and
${OUT_OF_DOMAIN.length} of other matters, by synthetic voices: flite's are made of recordings of people
(slt, rms, awb; kal16 is robotic), espeak-ng's (en-…) are computed. 300 to 3400 Hz, 8 kHz, u-law. The
language model is generated from the profile, which was not written for these sentences. Each voice is one
caller: what was heard teaches the ear the next. "Refused" sentences were called unlike anything that the
profile speaks of; of other matters all should be. Noise is pink, mixed before u-law, its level against
that of the speech; ${noisy_voices.join(', ')} only, and every second sentence. Real callers were not
measured: there are no recordings of people here. What the telephone does to speech was learned from other
sentences of flite's voices, among others (docs/decisions/offline-hearing.md): it knows these voices.`;

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      voices: { type: 'string', default: VOICES.join(',') },
      verbose: { type: 'boolean', short: 'v', default: false },
    },
  });
  const voices = values.voices.split(',').filter((voice) => VOICES.includes(voice));
  const cases: Case[] = voices.map((voice) => ({ voice, snrDb: null, suppression: 'none' }));
  for (const voice of noisy_voices.filter((one) => voices.includes(one))) {
    cases.push({ voice, snrDb: null, suppression: 'rnnoise' });
    for (const snrDb of noises_db)
      for (const suppression of ['none', 'rnnoise'] as const) cases.push({ voice, snrDb, suppression });
  }
  const scores = await scoreAll(cases, values.verbose ? console.log : null);
  const markdown = report(scores);
  console.log(`${markdown}\n`);
  return { markdown, notWritten: args.length === 0 ? null : 'not the whole section' };
}

async function scoreAll(cases: readonly Case[], say: ((line: string) => void) | null): Promise<Score[]> {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'trunkline-recognition-'));
  const speakers = new Speakers();
  const profilePath = new URL('../config/agents/clinic-receptionist.yaml', import.meta.url);
  const profile = agentProfileSchema.parse(parse(readFileSync(profilePath, 'utf8')));
  const waiting = [...cases];
  const scores: Score[] = [];
  const work = async (): Promise<void> => {
    const recogniser = new Recogniser({ cacheFolder });
    const listener = new Listener({ recogniser, model: await recogniser.prepare(profile), speakers, say });
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
      scores.push(await listener.score(one));
    await recogniser.close();
  };
  await Promise.all(Array.from({ length: recognisers }, work));
  await speakers.close();
  rmSync(cacheFolder, { recursive: true });
  return scores.sort((a, b) => cases.findIndex(isLike(a)) - cases.findIndex(isLike(b)));
}

const isLike =
  (score: Case) =>
  ({ voice, snrDb, suppression }: Case): boolean =>
    voice === score.voice && snrDb === score.snrDb && suppression === score.suppression;
