/**
 * Section `failover`: the model fails in a call, in every way in which models do: how long the caller hears
 * nothing, and who takes over.
 *
 *   npm run bench -- failover --faults close,500   some faults; prints only
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { FAULTS, FaultyServer, type Fault } from '../test/support/realtime-server/faulty.ts';
import { speechSounds } from './caller-sounds.ts';
import { benchNumber, echoProfile, startGateway, type GatewayChild } from './gateway-child.ts';
import { longestSilence, soundsIn } from './heard.ts';
import { loadNow } from './machine.ts';
import { figure, table } from './report.ts';
import type { SectionResult } from './section.ts';
import { SipClient } from './sip-client.ts';
import { pause, SoundCall } from './sound-call.ts';
import { SwitchingPort } from './switching-port.ts';

/** The greeting comes in good time, or the call is no use. */
const greeting_patience_ms = 10_000;
/** The caller has listened to the whole greeting. */
const after_greeting_ms = 400;
/** A call is over when somebody has taken over and nothing was said for so long. */
const quiet_ms = 2200;
/** What is looked at of one call, at the most: a stall of 5 s, three tries, and what is said then. */
const watched_ms_max = 13_000;
/** A link that is only slow is not replaced: the call is watched for so long. */
const slow_link_ms = 8000;

/** Everything about failover is as shipped. */
const profile = { ...echoProfile, name: 'faulty', fallbacks: [{ type: 'offline' }] };
/** How long a question has to be until an answer is due, and then some. */
const question_ms = 1200;

export interface FaultResult {
  readonly fault: Fault;
  /** From the caller's last word, which is when it struck, to the last sound that was heard. */
  readonly longestMs: number;
  /** When that silence began, in ms after the caller's last word. */
  readonly fromMs: number;
  /** When anything at all was heard first; null: nothing was. */
  readonly firstMs: number | null;
  readonly steps: readonly Step[];
  /** The call still stood at the end. */
  readonly stands: boolean;
}

const stepSchema = z.object({
  type: z.literal('failover'),
  atMs: z.number(),
  step: z.string(),
  to: z.string().optional(),
});
type Step = z.infer<typeof stepSchema>;
const recordSchema = z.object({ timeline: z.array(z.object({ type: z.string() }).loose()) });
const callsSchema = z.object({
  calls: z.array(z.object({ callId: z.string(), ending: z.unknown().optional() })),
});

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { faults: { type: 'string', default: FAULTS.join(',') } },
  });
  const asked = values.faults.split(',');
  const faults = FAULTS.filter((fault) => asked.includes(fault));
  if (faults.length !== asked.length) throw new Error(`--faults wants some of ${FAULTS.join(', ')}`);
  const results = await measure(faults);
  const markdown = report(results, loadNow());
  console.log(`\n${markdown}\n`);
  return { markdown, notWritten: args.length === 0 ? null : 'not the whole section' };
}

async function measure(faults: readonly Fault[]): Promise<FaultResult[]> {
  const stops: (() => Promise<void> | void)[] = [];
  try {
    // Made before any call: nothing is sent while this process waits for its synthesiser.
    const question = (speechSounds()[0]?.bytes ?? new Uint8Array(0)).subarray(0, 8 * question_ms);
    const line = await SwitchingPort.open();
    stops.push(() => line.close());
    const modelUrl = `ws://127.0.0.1:${line.port}/v1`;
    const gateway = await startGateway({ modelUrl, callsMax: 4, appendMs: 20, profile });
    stops.push(() => gateway.stop());
    const sip = await SipClient.open(gateway.sipPort);
    stops.push(() => sip.close());
    const results: FaultResult[] = [];
    for (const fault of faults) {
      console.log(`${fault} …`);
      const server = await FaultyServer.start(fault);
      line.target = server.server.port;
      try {
        results.push(await suffer(fault, server, { gateway, sip, question }));
      } finally {
        await server.close();
      }
    }
    return results;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

interface Stage {
  readonly gateway: GatewayChild;
  readonly question: Uint8Array;
  readonly sip: SipClient;
}

async function suffer(fault: Fault, server: FaultyServer, stage: Stage): Promise<FaultResult> {
  const { gateway, sip, question } = stage;
  const call = await SoundCall.place(sip, benchNumber);
  try {
    if ((await call.hears(0, greeting_patience_ms)) === null) throw new Error('the greeting was not heard');
    await call.falls(after_greeting_ms, greeting_patience_ms);
    await call.say(question);
    await pause(question_ms);
    const struckMs = performance.now();
    server.strike();
    const steps = await watch(fault, call, { gateway, struckMs });
    const sounds = soundsIn(call.heard, { fromMs: struckMs, toMs: Infinity });
    const lastMs = sounds.at(-1)?.atMs ?? performance.now();
    const { ms, fromMs } = longestSilence(call.heard, { fromMs: struckMs, toMs: lastMs });
    const [first] = sounds;
    return {
      ...{ fault, steps, longestMs: ms, fromMs: fromMs - struckMs },
      firstMs: first === undefined ? null : first.atMs - struckMs,
      stands: (await newestCall(gateway)).stands,
    };
  } finally {
    await call.hangUp();
  }
}

/** Until the call has settled; the steps that were taken. */
async function watch(
  fault: Fault,
  call: SoundCall,
  { gateway, struckMs }: { readonly gateway: GatewayChild; readonly struckMs: number },
): Promise<readonly Step[]> {
  for (;;) {
    await pause(100);
    const nowMs = performance.now();
    const { steps } = await newestCall(gateway);
    if (nowMs - struckMs >= watched_ms_max) return steps;
    if (fault === 'slow link') {
      if (nowMs - struckMs >= slow_link_ms) return steps;
      continue;
    }
    const settled = steps.at(-1)?.step === 'restored';
    const spoke = soundsIn(call.heard, { fromMs: struckMs, toMs: nowMs }).length > 0;
    const quiet = soundsIn(call.heard, { fromMs: nowMs - quiet_ms, toMs: nowMs }).length === 0;
    if (settled && spoke && quiet) return steps;
  }
}

/** What the gateway itself wrote down about it. */
async function newestCall(gateway: GatewayChild): Promise<{ steps: readonly Step[]; stands: boolean }> {
  const get = async (path: string): Promise<unknown> => (await fetch(`${gateway.operatorUrl}${path}`)).json();
  const { calls } = callsSchema.parse(await get('/v1/calls?limit=10'));
  const open = calls.find((one) => one.ending === undefined);
  const newest = open ?? calls[0];
  if (newest === undefined) return { steps: [], stands: false };
  const { timeline } = recordSchema.parse(await get(`/v1/calls/${newest.callId}`));
  const steps = timeline.flatMap((entry) => (entry.type === 'failover' ? [stepSchema.parse(entry)] : []));
  return { steps, stands: open !== undefined };
}

/** "lost, reconnecting twice, restored realtime": the same step again and again is one. */
export function storyOf(steps: readonly Pick<Step, 'step' | 'to'>[]): string {
  const counted: { name: string; count: number }[] = [];
  for (const { step, to } of steps) {
    const name = to === undefined ? step.replace('_', ' ') : `${step.replace('_', ' ')} ${to}`;
    const last = counted.find((one) => one.name === name);
    if (last === undefined) counted.push({ name, count: 1 });
    else last.count += 1;
  }
  return counted.map(({ name, count }) => (count === 1 ? name : `${name} (${count} times)`)).join(', ');
}

/** Who held the call up in the end. */
export function takerOf(steps: readonly Pick<Step, 'step' | 'to'>[]): string {
  if (steps.length === 0) return 'the same session';
  const { step, to } = steps.at(-1) ?? { step: '' };
  return step === 'restored' ? (to === 'realtime' ? 'a new session' : (to ?? '')) : 'nobody yet';
}

export function report(results: readonly FaultResult[], load: string): string {
  const longest = Math.max(0, ...results.map((result) => result.longestMs));
  return [
    table(
      [
        'fault',
        'longest silence, ms',
        'it began at, ms',
        'first sound at, ms',
        'who took over',
        'the call stands',
      ],
      results.map(({ fault, longestMs, fromMs, firstMs, steps, stands }) => [
        fault,
        figure(longestMs, 0),
        figure(fromMs, 0),
        figure(firstMs, 0),
        takerOf(steps),
        stands ? 'yes' : 'no',
      ]),
    ),
    `The longest silence of all: ${figure(longest, 0)} ms. Load average during the run: ${load}.`,
    results.map(({ fault, steps }) => `- **${fault}**: ${storyOf(steps) || 'no step was taken'}`).join('\n'),
    '### How it is measured',
    METHOD,
  ].join('\n\n');
}

const METHOD = `One call per fault through a whole gateway (\`node src/main.ts\`), one after another, to
a server of the Realtime protocol that works until it is told to fail. The caller hears the greeting and
asks something (1.2 s of speech); the fault strikes with the last packet of it, and times run from there.
Failover and fillers are as shipped, and the only fallback is the offline voice. A silence is the time
without an RTP packet above -50 dB of full scale at the caller, from 20 ms after one to the next. The
silence behind the last sound is the caller's turn and does not count.

- close, 429, 500, wrong key: the socket is torn down; with the last three whoever connects again is
  refused so.
- stall: nothing comes any more. The voice gives up after \`failover.stall_ms\` (5 s), and fills the time
  until then.
- garbage: a dozen messages that are no events. Slow link: 100 ms of sound every 3 s; it is not replaced.
- The steps are those of the gateway's own call record. One call per fault is a look, and no distribution.`;
