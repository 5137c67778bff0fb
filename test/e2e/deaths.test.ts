/**
 * Calls by voice through the deaths of everything around them. The gateway is as people start it, with its
 * own Redis, database and job process; each of these is killed, and killed again whenever it comes back,
 * while several phones talk with the agent and others call. In the end the gateway itself is killed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../../console/console/api.ts';
import * as rows from '../../console/console/rows.ts';
import type { Codec } from '../../src/media/frame.ts';
import { apiOf } from '../support/console-api.ts';
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts';
import { committedFacts } from '../support/jobs/committed-facts.ts';
import { factLine, factsOf, storedCall, type StoredCall } from '../support/jobs/stored-call.ts';
import { KeptDown } from '../support/kept-down.ts';
import { askCalls, type CallRecord } from '../support/operator.ts';
import type { PhoneCall } from '../support/phone/call.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { continuity } from '../support/phone/rtp-record.ts';
import { speak } from '../support/sound/speak.ts';
import { eventually } from '../support/until.ts';

/** Through the queues, on a busy machine, with whatever died still on its way. */
const patience_ms = 90_000;
const start_ms = 150_000;
/** A turn by voice, on a busy machine. */
const turn_patience_ms = 40_000;
/**
 * Between two packets, and between what was sent and the time that went by. The line itself is held to the
 * packet; what is more than 20 ms is how long this machine kept gateway or phones from running.
 */
const longest_gap_ms = 500;
const packet_ms = 20;

/** By a word of their command lines. */
const VICTIMS = { redis: 'redis-server', database: 'pglite-process', worker: 'src/worker.ts' } as const;
type Victim = keyof typeof VICTIMS;
const TALKERS: readonly Codec[] = ['pcmu', 'pcma', 'pcmu'];

let gateway: GatewayProcess;
let phone: TestPhone;
let api: Api;
let question: Int16Array;

beforeAll(async () => {
  gateway = await startGatewayProcess(() => ({ jobs: { lock_ms: 1000, patience_ms: 1000 } }));
  [phone, api] = await Promise.all([TestPhone.start(), apiOf(gateway)]);
  // A recorded voice: it is understood every time.
  question = await speak('what are your opening hours', { voice: 'rms' });
}, start_ms);

afterAll(async () => {
  await phone.close();
  await gateway.stop();
});

/** Resolves when the greeting is over. */
async function dial(codec: Codec): Promise<PhoneCall> {
  const call = await phone.dial({ to: '+15550100', target: gateway.target, codec });
  expect(await call.agentSilenceFor(900, { timeoutMs: turn_patience_ms })).toEqual({ outcome: 'silent' });
  return call;
}

/** Presses a key, asks something and hears the answer out. */
async function exchange(call: PhoneCall, digit: string): Promise<void> {
  await call.dtmf(digit);
  await call.play(question);
  expect(await call.agentSilenceFor(900, { timeoutMs: turn_patience_ms })).toEqual({ outcome: 'silent' });
}

async function callThrough(digit: string): Promise<PhoneCall> {
  const call = await dial('pcmu');
  await exchange(call, digit);
  await call.hangUp();
  return call;
}

async function stored(sipCallId: string): Promise<StoredCall> {
  const { data } = await api.get(`/calls?sip_call_id=${encodeURIComponent(sipCallId)}`, rows.calls);
  expect(data.length).toBeLessThanOrEqual(1);
  return api.get(`/calls/${data[0]?.call_id ?? 'none'}`, storedCall);
}

/** In the store, once what follows from a call is there, too. */
function whole(sipCallId: string): Promise<StoredCall> {
  return eventually(
    `the call ${sipCallId} with what follows from it`,
    () => stored(sipCallId),
    (one) => one.ending !== null && one.activities.length > 0,
    patience_ms,
  );
}

async function recordOf(call: PhoneCall): Promise<CallRecord> {
  const [record] = await askCalls(gateway.operatorUrl, call.sipCallId);
  if (record === undefined) throw new Error('the gateway knows nothing of the call');
  return record;
}

/** One stream from the first packet to the last. Returns the longest time between two packets, in ms. */
function unbroken(call: PhoneCall): number {
  const line = continuity(call.received.packets);
  const { remarks } = line;
  expect(line, remarks.join('\n')).toMatchObject({ sequenceJumps: 0, timestampJumps: 0, pauses: [] });
  expect(line.ssrcs).toHaveLength(1);
  expect(line.longestGapMs, remarks.join('\n')).toBeLessThan(longest_gap_ms);
  const { packets } = call.received;
  const tookMs = (packets.at(-1)?.arrivalMs ?? NaN) - (packets[0]?.arrivalMs ?? NaN);
  expect(Math.abs(tookMs - (packets.length - 1) * packet_ms)).toBeLessThan(longest_gap_ms);
  return line.longestGapMs;
}

async function noDeadLetters(): Promise<void> {
  expect((await api.get('/dead-letters', rows.deadLetters)).data).toEqual([]);
}

describe('calls by voice', () => {
  it(
    'notice nothing of the deaths of Redis, database and job process, and leave every word behind, once',
    { timeout: 8 * patience_ms },
    async ({ annotate }) => {
      const talking = await Promise.all(TALKERS.map(dial));
      const passing: PhoneCall[] = [];
      const deaths: Partial<Record<Victim, number>> = {};
      for (const [place, victim] of (Object.keys(VICTIMS) as Victim[]).entries()) {
        const digit = String(place + 1);
        const down = await KeptDown.begin(gateway.pid, VICTIMS[victim]);
        const [passed] = await Promise.all([
          callThrough(digit),
          ...talking.map((call) => exchange(call, digit)),
        ]);
        passing.push(passed);
        deaths[victim] = down.deaths;
        await down.end();
      }
      for (const call of talking) expect(call.over).toBe(false);
      await Promise.all(talking.map((call) => call.hangUp()));
      const gaps = [...talking, ...passing].map(unbroken);
      const packets = talking.reduce((sum, call) => sum + call.received.packets.length, 0);
      await annotate(
        `deaths ${JSON.stringify(deaths)}; longest gaps ${gaps.map(Math.round).join(', ')} ms; ` +
          `${packets} packets of the calls that went on through all of it`,
      );
      for (const call of [...talking, ...passing]) {
        const { timeline } = await recordOf(call);
        const kept = await whole(call.sipCallId);
        expect(factsOf(kept)).toEqual(timeline.map((fact, index) => factLine(index, fact)));
        expect(kept).toMatchObject({ ending: 'caller-hung-up' });
        expect(kept.activities).toHaveLength(1);
        const turnsOf = (who: string): number => kept.turns.filter((turn) => turn.who === who).length;
        const asked = talking.includes(call) ? Object.keys(VICTIMS).length : 1;
        expect(turnsOf('agent')).toBeGreaterThan(asked);
        // A recogniser on a busy machine may miss a sentence, but not all of them.
        expect(turnsOf('caller')).toBeGreaterThan(0);
        expect(kept.events.filter(({ type }) => type === 'digit')).toHaveLength(asked);
      }
      await noDeadLetters();
    },
  );

  it(
    'end as gateway-died when the gateway is killed, with every word that it had brought to its disk, once',
    { timeout: 4 * patience_ms },
    async ({ annotate }) => {
      const talking = await Promise.all(TALKERS.map(dial));
      await Promise.all(talking.map((call) => exchange(call, '7')));
      const over = await callThrough('8');
      // In the middle of a sentence.
      await Promise.all(talking.map((call) => call.play(question)));
      const records = await Promise.all(talking.map(recordOf));
      await gateway.kill();
      const gaps = talking.map(unbroken);
      const kept = await committedFacts(gateway.dataDir);
      await gateway.startAgain();
      await annotate(`longest gaps ${gaps.map(Math.round).join(', ')} ms`);
      for (const [place, call] of talking.entries()) {
        const { callId = '' } = records[place] ?? {};
        const died = await whole(call.sipCallId);
        const facts = kept.get(callId) ?? [];
        expect(facts.length).toBeGreaterThan(4);
        expect(factsOf(died)).toEqual(facts);
        const ended_at = new Date(Date.parse(died.started_at) + (died.duration_ms ?? NaN)).toISOString();
        expect(died).toMatchObject({ ending: 'gateway-died', ending_class: 'server', ended_at });
        expect(died.legs).toEqual([{ kind: 'phone', closed_at: ended_at, stats: null }]);
        expect(died.activities).toHaveLength(1);
      }
      expect(await whole(over.sipCallId)).toMatchObject({ ending: 'caller-hung-up' });
      unbroken(await callThrough('9'));
      await eventually(
        'no call to be open in the store',
        () => api.get('/calls', rows.calls),
        ({ data }) => data.every((one) => one.ending !== null),
        patience_ms,
      );
      await noDeadLetters();
    },
  );
});
