/**
 * Section `offline-calls`: callers who book appointments by voice with the offline agent, many at a time,
 * over SIP and RTP: CPU, memory, pacing, how soon they are answered, and how many get what they want.
 *
 *   npm run bench -- offline-calls --calls 2,5    other levels; prints only. -v shows what was misheard
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sentencesOf, wishes_max, wishOf } from './booking-caller.ts';
import { dialogueFigures, runOfflineLevel, type OfflineLevel } from './offline-level.ts';
import { spreadOf } from './percentiles.ts';
import { figure, table } from './report.ts';
import type { SectionResult } from './section.ts';
import { SpeechBook } from './speech-book.ts';

/** What all else may take of a core: beyond it the figures are about something else, and are not written. */
const others_percent_max = 20;

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: 'string', default: '10,25,50' },
      rounds: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '40' },
      verbose: { type: 'boolean', short: 'v', default: false },
    },
  });
  const levels = values.calls.split(',').map(Number);
  const rounds = Number(values.rounds);
  const measureMs = Number(values.seconds) * 1000;
  if (![...levels, rounds, measureMs].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--calls, --rounds and --seconds want whole numbers above zero');
  if (Math.max(...levels) * rounds > wishes_max) throw new Error(`more than ${wishes_max} dialogues a level`);
  const results = await measure(levels, { rounds, measureMs });
  const markdown = report(results);
  console.log(`\n${markdown}\n`);
  if (values.verbose) console.log(misheard(results).join('\n'));
  const busiest = Math.max(...results.map(({ cpu }) => cpu.others));
  const reason =
    busiest > others_percent_max
      ? `all else took up to ${figure(busiest)} % of a core; run it on a quiet machine`
      : args.length === 0
        ? null
        : 'not the whole section';
  return { markdown, notWritten: reason };
}

async function measure(
  levels: readonly number[],
  plan: { readonly rounds: number; readonly measureMs: number },
): Promise<OfflineLevel[]> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-offline-calls-'));
  try {
    const dialogues = Math.max(...levels) * plan.rounds;
    console.log('the callers learn to speak …');
    const speechFile = join(folder, 'speech');
    await speakers(dialogues, speechFile);
    const results: OfflineLevel[] = [];
    for (const calls of levels) {
      console.log(`${calls} calls …`);
      results.push(await runOfflineLevel({ ...plan, calls, speechFile }));
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function speakers(dialogues: number, speechFile: string): Promise<void> {
  const wishes = Array.from({ length: dialogues }, (_, index) => wishOf(index));
  const book = new SpeechBook();
  await book.add(wishes.flatMap((wish) => sentencesOf(wish).map((text) => ({ text, voice: wish.voice }))));
  book.write(speechFile);
}

function misheard(results: readonly OfflineLevel[]): string[] {
  return results.flatMap(({ calls, dialogues }) =>
    dialogues.map(({ wish, said, heard, corrections }) => {
      const { voice } = wishOf(wish);
      return `${calls} ${voice} ${wish} (${corrections}): ${said.join(' | ')} -> ${heard.join(' | ')}`;
    }),
  );
}

const mib = (bytes: number): string => figure(bytes / 2 ** 20, 0);

export function report(results: readonly OfflineLevel[]): string {
  const troubles = results.flatMap(({ calls, dialogues }) =>
    dialogueFigures(dialogues).troubles.map((trouble) => `- ${calls} calls, ${trouble}`),
  );
  return [
    '### Dialogues',
    table(DIALOGUE_COLUMNS, results.map(dialogueRow)),
    ...(troubles.length === 0 ? [] : ['Dialogues without a proper end:', troubles.join('\n')]),
    '### CPU',
    table(CPU_COLUMNS, results.map(cpuRow)),
    '### Memory and sound',
    table(SOUND_COLUMNS, results.map(soundRow)),
    '### How it is measured',
    METHOD,
  ].join('\n\n');
}

const DIALOGUE_COLUMNS = [
  ...['calls', 'dialogues', 'ended in a booking', 'of just what was wanted', 'read-backs corrected'],
  ...['words right, %', 'answer p50, ms', 'answer p95, ms', 'answer max, ms'],
];

function dialogueRow({ calls, dialogues }: OfflineLevel): string[] {
  const { booked, asWanted, corrections, words, wrong, responseMs } = dialogueFigures(dialogues);
  const { p50, p95, max } = spreadOf(responseMs);
  return [
    ...[String(calls), String(dialogues.length), String(booked), String(asWanted), String(corrections)],
    figure((100 * (words - wrong)) / Math.max(1, words)),
    ...[figure(p50, 0), figure(p95, 0), figure(max, 0)],
  ];
}

const CPU_COLUMNS = [
  ...['calls', 'all of it, % of a core per call', 'gateway, % of a core', 'recognisers, %'],
  ...['synthesisers, %', 'mediasoup, %', 'after calls, %', 'callers, %', 'all else, %'],
];

function cpuRow({ calls, cpu }: OfflineLevel): string[] {
  const parts = [cpu.gateway, cpu.recognisers, cpu.synthesisers, cpu.mediasoup, cpu.afterCalls];
  const ours = parts.reduce((sum, part) => sum + part, 0);
  const shares = [...parts, cpu.callers, cpu.others];
  return [String(calls), figure(ours / calls, 2), ...shares.map((share) => figure(share))];
}

const SOUND_COLUMNS = [
  ...['calls', 'gateway, MiB', 'recognisers, MiB', 'synthesisers, MiB', 'jitter p50, ms', 'jitter p99, ms'],
  ...["callers' clock late p99, ms", 'packets', 'missing'],
];

function soundRow({ calls, rssBytes, jitterMs, ownLateMs, packets, missing }: OfflineLevel): string[] {
  const memory = [rssBytes.gateway, rssBytes.recognisers, rssBytes.synthesisers].map(mib);
  const times = [jitterMs.p50, jitterMs.p99, ownLateMs.p99].map((ms) => figure(ms, 2));
  return [String(calls), ...memory, ...times, String(packets), String(missing)];
}

const METHOD = `A fresh gateway per level (\`node src/main.ts\`, one media thread with a recogniser and a
synthesiser per core) with the shipped clinic-receptionist. Callers are one more process: SIP and RTP over
UDP, u-law, each with sentences of one of flite's voices (slt, rms, awb; 300 to 3400 Hz) sent in real time.
A caller listens until the agent has been silent for 400 ms, asks the operator API what it said, answers
that, corrects what is read back wrongly, and hangs up after the goodbye; then it calls again. All of them
talk while CPU is measured; all processes share the machine's cores. "After calls" are the private Redis, the
database and the job process.

- **Answer** is from the caller's last sound to the first sound of the reply that arrives, both on the wire:
  it holds the profile's \`end_of_speech_ms\` of 600.
- **Words right** compares what the gateway wrote down as heard with what was said, whole dialogues each.
- **Of just what was wanted**: name, weekday and time of the booking are the caller's own.
- **Pacing jitter** is how far the arrival of a packet at the caller lies from 20 ms after the one before it.
- The callers' own clock is part of the jitter; how late it ran stands beside it.`;
