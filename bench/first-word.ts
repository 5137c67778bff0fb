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

interface Case {
  readonly name: string;
  readonly adapter: 'offline' | 'realtime';
  /** What the stand-in adds; a network and a model do in earnest. */
  readonly model: SteadyTalkerOptions;
}

const CASES: readonly Case[] = [
  { name: 'offline', adapter: 'offline', model: { sessionMs: 0, firstSoundMs: 0 } },
  { name: 'realtime, model at once', adapter: 'realtime', model: { sessionMs: 0, firstSoundMs: 0 } },
  {
    name: 'realtime, 150 ms to connect, 300 ms to the first sound',
    adapter: 'realtime',
    model: { sessionMs: 150, firstSoundMs: 300 },
  },
];

/** In ms from the INVITE; `heardMs` null: nothing was heard. */
export interface FirstWord {
  readonly answeredMs: number;
  readonly heardMs: number | null;
}

export interface CaseResult {
  readonly name: string;
  /** What the stand-in took of each call, in ms. */
  readonly modelMs: number;
  /** The first call after the start, which is not among the others. */
  readonly first: FirstWord;
  readonly calls: readonly FirstWord[];
}

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { calls: { type: 'string', default: '12' } },
  });
  const calls = Number(values.calls);
  if (!Number.isSafeInteger(calls) || calls < 1) throw new Error('--calls wants a whole number above zero');
  const results: CaseResult[] = [];
  for (const one of CASES) {
    console.log(`${one.name} …`);
    results.push(await measure(one, calls));
  }
  const markdown = report(results, loadNow());
  console.log(`\n${markdown}\n`);
  return { markdown, notWritten: args.length === 0 ? null : 'not the whole section' };
}

async function measure({ name, adapter, model: waits }: Case, calls: number): Promise<CaseResult> {
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const model = await SteadyTalker.start(waits);
    stops.push(() => model.close());
    const gateway = await startGateway({
      ...{ modelUrl: model.server.baseUrl, callsMax: 4, appendMs: 20 },
      profile: { ...echoProfile, model: { adapter } },
    });
    stops.push(() => gateway.stop());
    const sip = await SipClient.open(gateway.sipPort);
    stops.push(() => sip.close());
    const first = await firstWord(sip);
    const others: FirstWord[] = [];
    for (let call = 0; call < calls; call += 1) others.push(await firstWord(sip));
    return { name, modelMs: waits.sessionMs + waits.firstSoundMs, first, calls: others };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
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
  const row = ({ name, modelMs, first, calls }: CaseResult): string[] => {
    const heard = spreadOf(calls.flatMap(({ heardMs }) => heardMs ?? []));
    const answered = spreadOf(calls.map(({ answeredMs }) => answeredMs));
    return [
      name,
      `${heard.count} of ${calls.length}`,
      figure(heard.p50, 0),
      figure(heard.p95, 0),
      figure(heard.p50 === null ? null : heard.p50 - modelMs, 0),
      figure(answered.p50, 0),
      figure(answered.p95, 0),
      figure(first.heardMs, 0),
    ];
  };
  return [
    table(
      [
        'voice',
        'heard',
        'first sound p50, ms',
        'p95, ms',
        "p50 without the model's, ms",
        'answered p50, ms',
        'p95, ms',
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
is sent to the arrival of the first RTP packet whose level is above -50 dB of full scale: silence that a
voice begins with counts as waiting. "Answered" is INVITE to 200. The first call is apart: code runs for
the first time, and what is made once and kept is made in it. In this configuration a call is answered
when its voice has something to say, so that "answered" holds what the model takes.

- There is no pool of warm sessions: every call opens its own session with the model, after its INVITE.
  What a far model takes to connect is therefore in every call, as in the last row.
- The stand-in is on this machine: "to connect" is how long it waits with \`session.created\`, "to the
  first sound" how long it waits after \`response.create\`. TCP, TLS and a network's way there and back
  come on top in earnest.`;
