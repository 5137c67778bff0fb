/**
 * Two gateways on one Redis and one Postgres. One is killed in the middle of a call, and an operator declares
 * it gone at the other; it comes back all the same. Then it is declared gone while it lives.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Api } from '../../../console/console/api.ts';
import * as rows from '../../../console/console/rows.ts';
import { KeptProcess } from '../../../src/base/kept-process.ts';
import type { KnownGateway } from '../../../src/web/operator-gateways.ts';
import { apiOf } from '../../support/console-api.ts';
import { startGatewayProcess, type GatewayProcess } from '../../support/gateway-process.ts';
import {
  startWebhookReceiver,
  webhookSecret,
  type WebhookReceiverStandIn,
} from '../../support/jobs/providers/webhook-receiver.ts';
import { storedCall, type StoredCall } from '../../support/jobs/stored-call.ts';
import type { PhoneCall } from '../../support/phone/call.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { freePort } from '../../support/sip-server/drachtio.ts';
import { startDatabase, type TestDatabase } from '../../support/store/databases.ts';
import { eventually } from '../../support/until.ts';

const patience_ms = 60_000;
const lock_ms = 1000;
const SECRET = webhookSecret('gone');

let database: TestDatabase;
let redis: KeptProcess;
let receiver: WebhookReceiverStandIn;
/** The one with the calls, and the one that operators ask. */
let mortal: GatewayProcess;
let witness: GatewayProcess;
let name: string;
let api: Api;
let phone: TestPhone;
beforeAll(async () => {
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  redis = new KeptProcess({ program: 'redis-server', args });
  [database, receiver, phone] = await Promise.all([
    startDatabase('Postgres'),
    startWebhookReceiver(SECRET),
    TestPhone.start(),
  ]);
  const endpoints = [{ name: 'own', url: receiver.url, secret: SECRET, events: ['call.*'] }];
  const shared = () => ({
    ...{ redis: { url: `redis://127.0.0.1:${port}` }, database: { url: database.url } },
    jobs: { lock_ms, patience_ms: 1000 },
    webhooks: {
      ...{ allow_http: true, allowed_networks: ['127.0.0.1/32'] },
      tenants: [{ tenant: 'default', endpoints }],
    },
  });
  mortal = await startGatewayProcess(shared);
  witness = await startGatewayProcess(shared);
  api = await apiOf(witness);
  const spool = await readFile(join(mortal.dataDir, 'spool', 'state.json'), 'utf8');
  ({ gateway: name } = z.object({ gateway: z.string() }).parse(JSON.parse(spool)));
}, 3 * patience_ms);
afterAll(async () => {
  await phone.close();
  await mortal.stop();
  await witness.stop();
  await receiver.close();
  await redis.close();
  await database.close();
});

/** A call whose greeting is over, and which the store knows to be open. */
async function talk(): Promise<PhoneCall> {
  const call = await phone.dial({ to: '+15550100', target: mortal.target });
  await call.agentSilenceFor(500);
  await eventually(
    'the greeting in the store',
    () => stored(call),
    (one) => one.turns.length > 0,
  );
  return call;
}

async function stored({ sipCallId }: PhoneCall): Promise<StoredCall> {
  const { data } = await api.get(`/calls?sip_call_id=${encodeURIComponent(sipCallId)}`, rows.calls);
  return api.get(`/calls/${data[0]?.call_id ?? 'none'}`, storedCall);
}

const over = (call: PhoneCall, ending: string): Promise<StoredCall> =>
  eventually(
    `the call to be over as ${ending}`,
    () => stored(call),
    (one) => one.ending === ending,
  );

async function known(): Promise<KnownGateway | undefined> {
  const response = await fetch(`${witness.operatorUrl}/v1/gateways`);
  const { gateways } = (await response.json()) as { gateways: KnownGateway[] };
  expect(gateways.filter((one) => one.isThis)).toHaveLength(1);
  return gateways.find((one) => one.gateway === name);
}

const knownAs = (what: string, isIt: (found: KnownGateway) => boolean): Promise<KnownGateway | undefined> =>
  eventually(what, known, (found) => found !== undefined && isIt(found));

async function declareGone(
  at: GatewayProcess,
  body: object = {},
): Promise<{ status: number; told: unknown }> {
  const key = (await readFile(join(at.dataDir, 'operator-key'), 'utf8')).trim();
  const response = await fetch(`${at.operatorUrl}/v1/gateways/${name}/gone`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, told: await response.json() };
}

/** How the receiver was told that calls ended, in that order, once nothing waits any more. */
async function toldEndings(): Promise<unknown[]> {
  await eventually(
    'the queues to be empty',
    () => api.get('/queues', rows.queues),
    ({ data }) => data.every((one) => one.waiting + one.active + one.delayed === 0),
  );
  expect((await api.get('/dead-letters', rows.deadLetters)).data).toEqual([]);
  return receiver.taken.filter(({ type }) => type === 'call.ended').map(({ data }) => data['ending']);
}

/** Of the CDR lines of all, those of this call. */
const cdrEndings = ({ sipCallId }: PhoneCall): string[] =>
  [...mortal.cdrs(), ...witness.cdrs()]
    .filter((cdr) => cdr.sipCallId === sipCallId)
    .map((cdr) => cdr.ending)
    .sort();

describe('a gateway that shares its Redis and its Postgres', { timeout: 4 * patience_ms }, () => {
  it('is declared gone at another one after it was killed, and its calls end once', async () => {
    const call = await talk();
    await knownAs('its open call', ({ openCalls }) => openCalls === 1);
    const before = await known();
    await mortal.kill();
    expect(await declareGone(witness)).toMatchObject({ status: 409, told: { code: 'GATEWAY_HEARD' } });
    expect(await stored(call)).toMatchObject({ ending: null });
    const { status, told } = await declareGone(witness, { evenIfHeard: true });
    expect({ status, told }).toMatchObject({ status: 202, told: { gateway: name, openCalls: 1 } });
    expect(await over(call, 'gateway-died')).toMatchObject({ ending_class: 'server' });
    const dead = await knownAs('its end', ({ overAt }) => overAt !== null);
    expect(dead).toMatchObject({ run: before?.run, openCalls: 0 });
    await eventually('the webhook', toldEndings, (endings) => endings.length > 0);
    // It was not gone for ever: its next start says the same once more.
    await mortal.startAgain();
    await knownAs('its next life', ({ run, overAt }) => run !== before?.run && overAt === null);
    expect(await toldEndings()).toEqual(['gateway-died']);
    expect(receiver.repeated).toBe(0);
    expect(await stored(call)).toMatchObject({ ending: 'gateway-died' });
    expect(cdrEndings(call)).toEqual(['gateway-died']);
  });

  it('goes on when it was declared gone while it lives: its calls end in truth', async () => {
    const call = await talk();
    const before = await known();
    expect(await declareGone(mortal, { evenIfHeard: true })).toMatchObject({
      told: { code: 'GATEWAY_IS_THIS' },
    });
    expect(await declareGone(witness, { evenIfHeard: true })).toMatchObject({ status: 202 });
    await over(call, 'gateway-died');
    await knownAs('its next life', ({ run, overAt }) => run !== before?.run && overAt === null);
    const later = await talk();
    expect(await stored(later)).toMatchObject({ ending: null });
    expect(await toldEndings()).toEqual(['gateway-died', 'gateway-died']);
    for (const one of [call, later]) {
      await one.hangUp();
      await over(one, 'caller-hung-up');
    }
    // The end of the first one was told by then, and is not told again.
    expect(await toldEndings()).toEqual(['gateway-died', 'gateway-died', 'caller-hung-up']);
    expect(mortal.log()).toContain('this gateway was declared gone');
    // Its own gateway knew better.
    expect(cdrEndings(call)).toEqual(['caller-hung-up', 'gateway-died']);
    expect(cdrEndings(later)).toEqual(['caller-hung-up']);
  });
});
