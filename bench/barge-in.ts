/**
 * Section `barge-in`: a caller speaks into the agent's words: how soon these are softer and gone, how exact
 * the model is told, and what cuts a reply short that should not.
 *
 *   npm run bench -- barge-in --calls 2 --rounds 1   smaller
 */
import { parseArgs } from 'node:util';
import { harmlessSounds, speechSounds, type CallerSound } from './caller-sounds.ts';
import { benchNumber, startGateway } from './gateway-child.ts';
import { longestSilence, missingIn, silenceAfter, softerAfter, soundMs, soundsIn } from './heard.ts';
import { loadNow } from './machine.ts';
import { spreadOf } from './percentiles.ts';
import { figure, table } from './report.ts';
import type { SectionResult } from './section.ts';
import { SipClient } from './sip-client.ts';
import { pause, SoundCall } from './sound-call.ts';
import { SteadyTalker } from './steady-talker.ts';
import type { Connection } from '../test/support/realtime-server/connection.ts';

/** A reply that has been heard for so long is interrupted, and up to so much longer, at random. */
const lead_ms = 500;
const lead_ms_random = 300;
/** Silence after which the model's side ends a turn, and how long its words then take. */
const end_of_speech_ms = 600;
const transcription_ms = 200;
/** After the words: whatever was to be decided is decided, and a reply that goes on is heard again. */
const settle_ms = 1300;
/** A silence that a reply did not end in for good is shorter. */
const silence_lasting_ms = 400;
const patience_ms = 5000;

const profile = {
  name: 'steady',
  model: { adapter: 'realtime' },
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you still there?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'talk', phrases: ['hello'], done: 'Done.' }],
  // Everything else about turns is as shipped.
  turns: { idle_ms: 120_000 },
  fillers: { reply_after_ms: 0 },
  failover: { stall_ms: 60_000 },
};

export interface Trial {
  readonly sound: CallerSound;
  /** null: not within the trial. */
  readonly softerMs: number | null;
  readonly silentMs: number | null;
  readonly cut: boolean;
  /** The model was made to answer it; it is still in the conversation. */
  readonly answered: boolean;
  readonly kept: boolean;
  /** The longest silence from the sound on; of a reply that was not cut, how long it was held up. */
  readonly pausedMs: number;
  /** What the model was told was heard, against what came: null where the reply was not cut. */
  readonly toldMs: number | null;
  readonly cameMs: number;
  /** RTP packets that were lost on the way to the caller. */
  readonly missing: number;
}

interface Line {
  readonly call: SoundCall;
  readonly connection: Connection;
}

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { calls: { type: 'string', default: '5' }, rounds: { type: 'string', default: '5' } },
  });
  const [calls, rounds] = [Number(values.calls), Number(values.rounds)];
  if (![calls, rounds].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--calls and --rounds want whole numbers above zero');
  const speech = speechSounds();
  const harmless = harmlessSounds();
  const { trials, lateMs } = await measure(calls, [
    ...Array.from({ length: rounds }, () => speech).flat(),
    ...Array.from({ length: Math.ceil(rounds / 3) }, () => harmless).flat(),
  ]);
  const markdown = report(trials, { calls, load: loadNow(), lateMs: spreadOf(lateMs).p99 });
  console.log(`\n${markdown}\n`);
  return { markdown, notWritten: args.length === 0 ? null : 'not the whole section' };
}

interface Measured {
  readonly trials: readonly Trial[];
  readonly lateMs: readonly number[];
}

async function measure(calls: number, sounds: readonly CallerSound[]): Promise<Measured> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const model = await SteadyTalker.start({ sessionMs: 0, firstSoundMs: 0 });
    stops.push(() => model.close());
    const gateway = await startGateway({
      ...{ modelUrl: model.server.baseUrl, callsMax: calls, appendMs: 20, profile },
    });
    stops.push(() => gateway.stop());
    const sip = await SipClient.open(gateway.sipPort);
    stops.push(() => {
      sip.close();
      return Promise.resolve();
    });
    const lines: Line[] = [];
    for (let at = 0; at < calls; at += 1) {
      const call = await SoundCall.place(sip, benchNumber);
      stops.push(() => call.hangUp());
      lines.push({ call, connection: await model.server.connection(at + 1) });
      await call.hears(0, patience_ms);
    }
    const waiting = [...sounds];
    const trials: Trial[] = [];
    const work = async (line: Line): Promise<void> => {
      for (;;) {
        const sound = waiting.shift();
        if (sound === undefined) return;
        trials.push(await tryOut(model, line, sound));
      }
    };
    await Promise.all(lines.map(work));
    return { trials, lateMs: lines.flatMap(({ call }) => call.lateMs) };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function tryOut(model: SteadyTalker, { call, connection }: Line, sound: CallerSound): Promise<Trial> {
  await call.falls(silence_lasting_ms, 2 * patience_ms);
  const soundLengthMs = sound.bytes.length / 8;
  const afterwardsMs = end_of_speech_ms + transcription_ms + settle_ms;
  const talkedMs = performance.now();
  const replyMs = Math.ceil(lead_ms + lead_ms_random + soundLengthMs + afterwardsMs + 500);
  const itemId = model.talk(connection, replyMs);
  await call.hears(talkedMs, patience_ms);
  await pause(lead_ms + Math.random() * lead_ms_random);
  const ears = model.earsOf(connection);
  const answersBefore = model.answersOn(connection);
  const utterance = ears.begins();
  const sentMs = await call.say(sound.bytes);
  await pause(soundLengthMs + end_of_speech_ms);
  ears.ends(utterance);
  await pause(transcription_ms);
  ears.writes(utterance, sound.words ?? '');
  await pause(settle_ms);
  const toMs = performance.now();
  const told = connection.all('conversation.item.truncate').find((one) => one.item_id === itemId);
  const during = call.heard.filter((one) => one.atMs >= talkedMs);
  // It goes on in the words' last moment: whoever is cut is silent by then.
  const goesOn = soundsIn(during, { fromMs: toMs - 200, toMs }).length > 0;
  return {
    sound,
    softerMs: softerAfter(during, { fromMs: sentMs, toMs }),
    silentMs: silenceAfter(during, { fromMs: sentMs, toMs, lastingMs: silence_lasting_ms }),
    cut: told !== undefined || !goesOn,
    answered: model.answersOn(connection) > answersBefore,
    kept: ears.kept.includes(utterance),
    pausedMs: longestSilence(during, { fromMs: sentMs, toMs }).ms,
    toldMs: told?.audio_end_ms ?? null,
    cameMs: soundMs(during, { fromMs: talkedMs, toMs }),
    missing: missingIn(during),
  };
}

function spreadRow(name: string, values: readonly number[], of: number): string[] {
  const { count, p50, p95, max } = spreadOf(values);
  return [name, `${count} of ${of}`, figure(p50, 0), figure(p95, 0), figure(max, 0)];
}

/** Told minus come, in ms, of every reply that was cut and came whole. */
export function errorsOf(trials: readonly Trial[]): number[] {
  return trials.flatMap(({ toldMs, cameMs, missing }) =>
    toldMs === null || missing > 0 ? [] : [toldMs - cameMs],
  );
}

const numbers = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

export interface Circumstances {
  readonly calls: number;
  readonly load: string;
  /** How late the callers' own clock ran, p99. */
  readonly lateMs: number | null;
}

export function report(trials: readonly Trial[], { calls, load, lateMs }: Circumstances): string {
  const speech = trials.filter(({ sound }) => sound.kind === 'speech');
  const harmless = trials.filter(({ sound }) => sound.kind !== 'speech');
  const errors = errorsOf(trials);
  const told = trials.filter((one) => one.toldMs !== null).length;
  const kinds = [...new Set(harmless.map(({ sound }) => sound.kind))];
  const countOf = (some: readonly Trial[], which: 'cut' | 'answered' | 'kept'): string =>
    `${some.filter((one) => one[which]).length} of ${some.length}`;
  const names = [...new Set(harmless.filter((one) => one.cut).map(({ sound }) => sound.name))];
  return [
    '### From the first packet of speech, at the caller',
    table(
      ['', 'measured', 'p50, ms', 'p95, ms', 'longest, ms'],
      [
        spreadRow('to a softer voice', numbers(speech.map((one) => one.softerMs)), speech.length),
        spreadRow('to silence on the line', numbers(speech.map((one) => one.silentMs)), speech.length),
      ],
    ),
    `Replies that speech cut for good: ${countOf(speech, 'cut')}; answered by the model:
${countOf(speech, 'answered')}.
Load average during the run: ${load}.
The callers' own clock was late by ${figure(lateMs)} ms (p99).`,
    '### What the model is told was heard, against what came',
    table(
      ['', 'measured', 'p50, ms', 'p95, ms', 'longest, ms'],
      [
        spreadRow('told minus come', errors, told),
        spreadRow('size of the error', errors.map(Math.abs), told),
      ],
    ),
    '### What should not cut a reply short, and did for good',
    table(
      ['sound', 'cut', 'answered', 'left in the conversation', 'longest pause of those that went on, ms'],
      kinds.map((kind) => {
        const some = harmless.filter(({ sound }) => sound.kind === kind);
        const paused = some.filter((one) => !one.cut).map((one) => one.pausedMs);
        const counts = (['cut', 'answered', 'kept'] as const).map((which) => countOf(some, which));
        return [kind, ...counts, figure(spreadOf(paused).max, 0)];
      }),
    ),
    names.length === 0 ? 'None of them did.' : `Those that did: ${names.join('; ')}.`,
    '### How it is measured',
    method(calls),
  ].join('\n\n');
}

const method = (calls: number): string =>
  `A fresh gateway (\`node src/main.ts\`) with ${calls} calls at a time (SIP and RTP over UDP on the
loopback); the bench's own process is the callers and the model, which talks in a steady tone of 440 Hz
over the Realtime protocol and sends a whole reply at once. Turn settings are the shipped defaults.

- **Speech** is espeak-ng's, four sentences in four voices, cut to the telephone band and to where it
  begins, sent 500 to 800 ms into a reply. Time runs from the moment at which its first packet is sent. It
  ends with the arrival of the first packet that is 3 dB softer, and 20 ms after the arrival of the last
  one with sound, before ${silence_lasting_ms} ms without any. Both hold all that the gateway does before
  its voice hears a packet, and up to 20 ms until its next packet is due, and no network. Where the
  callers' clock is late, speech comes in a bunch and looks quicker than it is. People's speech begins
  more softly than a synthesiser's: expect more.
- **Told against come**: \`audio_end_ms\` of \`conversation.item.truncate\`, against 20 ms for every
  packet with sound that the caller got of that reply. A packet of silence within a reply would count for
  neither; one that fades out after a cut counts for the caller only, which makes -20 ms.
- **What should not cut**: "mhm" and the like by espeak-ng; coughs, typing and music by sox. The stand-in
  takes every one of them for a turn, which it ends ${end_of_speech_ms} ms after the sound and writes down
  ${transcription_ms} ms later: the words that were said, or none. It answers whatever it is not told to
  leave alone. Sound of \`turns.backchannel_ms_max\` (600 ms) or more that the local VAD takes for speech
  cuts a reply whatever its words are.
- Synthetic coughs are bursts of filtered noise, and the music is two chords: they show what the gate does
  with each, not how often people's coughs would pass it.`;
