/**
 * Section `first-word`: from INVITE to the first sound of the greeting, at the caller.
 *
 *   npm run bench -- first-word --calls 3   fewer calls; prints only
 */
import { parseArgs } from 'node:util';
import { benchNumber, echoProfile, startGateway } from './gateway-child.ts';
import { loadNow } from './machine.ts';
import { spreadOf } from './percentiles.ts';
import { figure, table } from './report.ts';
import type { SectionResult } from './section.ts';
import { SipClient } from './sip-client.ts';
import { pause, SoundCall } from './sound-call.ts';
import { SteadyTalker, type SteadyTalkerOptions } from './steady-talker.ts';

const patience_ms = 30_000;
/** Between two calls: the one before is gone from every thread. */
const rest_ms = 200;
/** One for each thread of a small machine. */
const spares = 2;
const look_every_ms = 20;
/** `calls.answer_after_ms` as shipped. */
const shipped_answer_ms = 2000;

interface Case {
  readonly name: string;
  readonly adapter: 'offline' | 'realtime';
  /** What the stand-in adds; a network and a model do in earnest. */
  readonly model: SteadyTalkerOptions;
  /** Of the calls that are asked for, so many: slow ones differ little. */
  readonly share?: number;
}

const CASES: readonly Case[] = [
  { name: 'offline', adapter: 'offline', model: { sessionMs: 0, firstSoundMs: 0 } },
  {
    name: 'realtime, 300 ms to connect, 400 ms to the first sound',
    ...{ adapter: 'realtime', model: { sessionMs: 300, firstSoundMs: 400 } },
  },
  {
    name: 'realtime, 1500 ms to connect, 400 ms to the first sound',
    ...{ adapter: 'realtime', model: { sessionMs: 1500, firstSoundMs: 400 }, share: 0.5 },
  },
  {
    name: 'realtime, 1500 ms to connect, 2000 ms to the first sound',
    ...{ adapter: 'realtime', model: { sessionMs: 1500, firstSoundMs: 2000 }, share: 0.25 },
  },
];

/** In ms from the INVITE; `heardMs` null: nothing was heard. */
export interface FirstWord {
  readonly answeredMs: number;
  readonly heardMs: number | null;
}

export interface CaseResult {
  readonly name: string;
  /** The model's sessions were opened ahead. */
  readonly spare: boolean;
  /** What the stand-in took of each call, in ms. */
  readonly modelMs: number;
  /** The first call after the start, which is not among the others. */
  readonly first: FirstWord;
  readonly calls: readonly FirstWord[];
}

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { calls: { type: 'string', default: '8' } },
  });
  const calls = Number(values.calls);
  if (!Number.isSafeInteger(calls) || calls < 1) throw new Error('--calls wants a whole number above zero');
  const results: CaseResult[] = [];
  for (const one of CASES) {
    for (const spare of one.adapter === 'offline' ? [false] : [false, true]) {
      console.log(`${one.name}${spare ? ', spare sessions' : ''} …`);
      results.push(await measure(one, { calls: Math.ceil(calls * (one.share ?? 1)), spare }));
    }
  }
  const markdown = report(results, loadNow());
  console.log(`\n${markdown}\n`);
  return { markdown, notWritten: args.length === 0 ? null : 'not the whole section' };
}

async function measure(
  { name, adapter, model: waits }: Case,
  { calls, spare }: { calls: number; spare: boolean },
): Promise<CaseResult> {
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const model = await SteadyTalker.start(waits);
    stops.push(() => model.close());
    const gateway = await startGateway({
      ...{ modelUrl: model.server.baseUrl, callsMax: 4, appendMs: 20, answerAfterMs: shipped_answer_ms },
      profile: { ...echoProfile, model: { adapter, ...(spare ? { spares } : {}) } },
    });
    stops.push(() => gateway.stop());
    const sip = await SipClient.open(gateway.sipPort);
    stops.push(() => sip.close());
    const words: FirstWord[] = [];
    for (let call = 0; call <= calls; call += 1) {
      if (spare) await sparesThere(gateway.operatorUrl);
      words.push(await firstWord(sip));
    }
    const [first = { answeredMs: 0, heardMs: null }, ...others] = words;
    const modelMs = waits.firstSoundMs + (spare ? 0 : waits.sessionMs);
    return { name, spare, modelMs, first, calls: others };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Calls come when the spare sessions are there: how a gateway stands that has time between its calls. */
async function sparesThere(operatorUrl: string): Promise<void> {
  const endMs = performance.now() + patience_ms;
  for (;;) {
    const page = await (await fetch(`${operatorUrl}/metrics`)).text();
    if (sparesOn(page) >= spares) return;
    if (performance.now() > endMs) throw new Error('the spare sessions are not there');
    await pause(look_every_ms);
  }
}

/** The sum over all threads, as Prometheus reads it. */
export function sparesOn(page: string): number {
  return [...page.matchAll(/^trunkline_spare_sessions\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

async function firstWord(sip: SipClient): Promise<FirstWord> {
  const call = await SoundCall.place(sip, benchNumber);
  const heardMs = await call.hears(0, patience_ms);
  await call.hangUp();
  await pause(rest_ms);
  return {
    answeredMs: call.answeredMs - call.invitedMs,
    heardMs: heardMs === null ? null : heardMs - call.invitedMs,
  };
}

export function report(results: readonly CaseResult[], load: string): string {
  const row = ({ name, spare, modelMs, first, calls }: CaseResult): string[] => {
    const heard = spreadOf(calls.flatMap(({ heardMs }) => heardMs ?? []));
    const answered = spreadOf(calls.map(({ answeredMs }) => answeredMs));
    const silent = spreadOf(
      calls.flatMap(({ answeredMs, heardMs }) => (heardMs === null ? [] : heardMs - answeredMs)),
    );
    return [
      name,
      spare ? 'yes' : 'no',
      `${heard.count} of ${calls.length}`,
      figure(answered.p50, 0),
      figure(answered.p95, 0),
      figure(heard.p50, 0),
      figure(heard.p95, 0),
      figure(silent.p50, 0),
      figure(silent.p95, 0),
      figure(heard.p50 === null ? null : heard.p50 - modelMs, 0),
      figure(first.heardMs, 0),
    ];
  };
  return [
    table(
      [
        'voice',
        'spare sessions',
        'heard',
        'answered p50, ms',
        'p95, ms',
        'first sound p50, ms',
        'p95, ms',
        'answer to sound p50, ms',
        'p95, ms',
        "first sound p50 without the model's, ms",
        'first call after the start, ms',
      ],
      results.map(row),
    ),
    `Load average during the run: ${load}.`,
    '### How it is measured',
    METHOD,
  ].join('\n\n');
}

const METHOD = `A fresh gateway (\`node src/main.ts\`) per row, one call at a time over SIP and RTP on
the loopback, no ringing time, hung up at the first sound. Time runs from the moment at which the INVITE
is sent: "answered" is its 200, "first sound" the arrival of the first RTP packet whose level is above -50 dB
of full scale: silence that a voice begins with counts as waiting. Calls are answered when the voice has
something to say, and after ${shipped_answer_ms} ms at the latest, as shipped. The first call is apart: code
runs for the first time, and what is made once and kept is made in it.

- Spare sessions: the profile keeps ${spares} (\`model.spares\`), and a call comes when all of them are there.
  Without them every call opens its own session with the model, after its INVITE.
- In the last two rows the greeting takes longer than a call may ring: without a spare session the call is
  answered first, and what is heard first is a sentence of the gateway's own, a second later.
- The stand-in is on this machine: "to connect" is how long it waits with \`session.created\`, "to the
  first sound" how long it waits after \`response.create\`. TCP, TLS and a network's way there and back
  come on top in earnest.`;
