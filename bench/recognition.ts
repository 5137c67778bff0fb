/**
 * Word accuracy of the offline recogniser on the default profile: synthetic callers (espeak-ng, flite) say
 * sentences of the domain, through the telephone band and G.711. Prints a table; needs sox and espeak-ng.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Recogniser, type Ear } from '../src/agent/models/offline/recogniser.ts';
import { Synthesiser } from '../src/agent/models/offline/synthesiser.ts';
import { wordsOf } from '../src/agent/models/offline/words.ts';
import { agentProfileSchema } from '../src/agent/profile.ts';

/** What callers say, by what the agent had asked. */
const SENTENCES = Object.entries({
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
const OUT_OF_DOMAIN = [
  'the quick brown fox jumps over the lazy dog',
  'my car engine makes a strange rattling noise',
  'photosynthesis converts sunlight into chemical energy',
  'the football match was cancelled because of heavy snow',
  'please install the update before restarting your computer',
  'grandmother baked a chocolate cake for the party',
];
const FLITE = ['slt', 'rms', 'awb', 'kal16'];
const ESPEAK = ['en-us', 'en-gb', 'en-us+f2', 'en-us+m3'];

const folder = mkdtempSync(join(tmpdir(), 'trunkline-recognition-'));
const synthesiser = new Synthesiser();
const cache = join(tmpdir(), 'trunkline-bench-speech');
const recogniser = new Recogniser({ cacheFolder: cache });

/** G.711 of a sentence, cut to the telephone band, with silence around it. */
async function said(text: string, voice: string): Promise<Uint8Array> {
  const wav = join(folder, 'said.wav');
  if (FLITE.includes(voice)) {
    const phrase = await synthesiser.speak({ text, voice, codec: 'pcmu' });
    execFileSync('sox', ['-t', 'raw', '-r', '8000', '-e', 'mu-law', '-c', '1', '-', wav], { input: phrase });
  } else {
    execFileSync('espeak-ng', ['-v', voice, '-s', '150', '-w', wav, text]);
  }
  const output = ['-t', 'raw', '-r', '8000', '-e', 'mu-law', '-c', '1', '-'];
  const effects = ['sinc', '300-3400', 'norm', '-6', 'pad', '0.3', '0.4'];
  return execFileSync('sox', [wav, ...output, ...effects]);
}

/** Wrong, missing and extra words: Levenshtein distance. */
function mistakes(truth: readonly string[], heard: readonly string[]): number {
  let row = heard.map((_, index) => index + 1);
  row.unshift(0);
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

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const profilePath = new URL('../config/agents/clinic-receptionist.yaml', import.meta.url);
const profile = agentProfileSchema.parse(parse(readFileSync(profilePath, 'utf8')));
const model = await recogniser.prepare(profile);
const delays: number[] = [];
const margins: { truth: boolean; margin: number }[] = [];

async function hear(bytes: Uint8Array, ear: Ear, expecting: string) {
  ear.expect(expecting);
  ear.start();
  for (let at = 0; at < bytes.length; at += 160) ear.hear(bytes.subarray(at, at + 160));
  const from = performance.now();
  // A machine that is too busy to answer in time counts as not heard.
  const hearing = await ear.end().catch(() => ({ text: '', margin: 0, rejected: true }));
  return { hearing, ms: performance.now() - from };
}

for (const voice of [...FLITE, ...ESPEAK]) {
  const ear = recogniser.ear({ model, codec: 'pcmu' });
  let words = 0;
  let wrong = 0;
  let exact = 0;
  let rejected = 0;
  for (const { text, expecting } of SENTENCES) {
    const { hearing } = await hear(await said(text, voice), ear, expecting);
    const truth = wordsOf(text);
    const heard = wordsOf(hearing.text);
    const errors = mistakes(truth, heard);
    words += truth.length;
    wrong += errors;
    exact += errors === 0 ? 1 : 0;
    rejected += hearing.rejected ? 1 : 0;
    margins.push({ truth: true, margin: hearing.margin });
    if (errors > 0 && process.argv.includes('-v'))
      console.log(`    ${voice}: "${text}" -> "${hearing.text}" (${hearing.margin.toFixed(1)})`);
  }
  let outside = 0;
  for (const sentence of OUT_OF_DOMAIN) {
    const { hearing } = await hear(await said(sentence, voice), ear, 'open');
    outside += hearing.rejected ? 1 : 0;
    margins.push({ truth: false, margin: hearing.margin });
  }
  ear.close();
  console.log(
    `${voice.padEnd(9)} words right ${percent(1 - wrong / words)}, exact ${exact} of ${SENTENCES.length}, ` +
      `refused ${rejected}; out of domain refused ${outside} of ${OUT_OF_DOMAIN.length}`,
  );
}

/** At the pace of a call: how long after the last frame the words are there. */
const ear = recogniser.ear({ model, codec: 'pcmu' });
for (const { text, expecting } of SENTENCES.slice(0, 12)) {
  const bytes = await said(text, 'slt');
  ear.expect(expecting);
  ear.start();
  let at = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      ear.hear(bytes.subarray(at, at + 160));
      at += 160;
      if (at < bytes.length) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });
  const from = performance.now();
  await ear.end();
  delays.push(performance.now() - from);
}
ear.close();
delays.sort((a, b) => a - b);
console.log(
  `result after the last frame: p50 ${delays[6]?.toFixed(0)} ms, max ${delays.at(-1)?.toFixed(0)} ms`,
);
const sorted = (truth: boolean): number[] =>
  margins
    .filter((one) => one.truth === truth)
    .map((one) => one.margin)
    .sort((a, b) => a - b);
console.log(
  'margins in the domain, 10 lowest:',
  sorted(true)
    .slice(0, 10)
    .map((one) => one.toFixed(1))
    .join(' '),
);
console.log(
  'margins outside, 10 highest:',
  sorted(false)
    .slice(-10)
    .map((one) => one.toFixed(1))
    .join(' '),
);
await recogniser.close();
await synthesiser.close();
rmSync(folder, { recursive: true });
