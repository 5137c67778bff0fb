/**
 * Who hears whom, by what each received: every party sounds a tone of its own, and all the others' tones,
 * but never its own, must come out at its end: of the phone's RTP, of Chromium's receivers behind their
 * decoders, and of what the agent's model is sent.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TestGateway } from '../support/gateway.ts';
import type { PhoneCall } from '../support/phone/call.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { joined, tone } from '../support/sound/level.ts';
import { freeTcpPort } from '../support/baresip.ts';
import { TONE_PROFILE, ToneAgents } from '../support/tone-agent.ts';
import { clearTones, settled, toneLevelsIn } from '../support/tones.ts';
import { Browser } from '../support/widget/browser.ts';
import { ToneVisitor } from '../support/widget/tone-visitor.ts';
import { soundOf } from '../support/phone/rtp-endpoint.ts';
import { until } from '../support/until.ts';
import { buildForBrowsers } from '../support/web-builds.ts';

const number = '+15550100';
const tenantKey = 'the-key-of-the-tenants-server';
const hz = { phone: 440, agent: 700, one: 1000, other: 1250 } as const;
type Party = keyof typeof hz;
/** A second of them. */
const listen_packets = 50;
/** Longer than a test. */
const phone_tone_ms = 120_000;

let agents: ToneAgents;
let gateway: TestGateway;
let browser: Browser;
let phone: TestPhone;

beforeAll(async () => {
  await buildForBrowsers('widget');
  agents = await ToneAgents.start(hz.agent);
  const port = await freeTcpPort();
  const origins = [`http://127.0.0.1:${port}`];
  gateway = await TestGateway.start({
    trunks: [{ name: 'phones', allow: ['127.0.0.1/32'] }],
    numbers: [{ number, profile: TONE_PROFILE.name }],
    profiles: [TONE_PROFILE],
    realtime: { base_url: agents.baseUrl, api_key: 'test' },
    web: {
      port,
      widget_keys: [{ key: 'demo', origins, profiles: [TONE_PROFILE.name] }],
      tenant_keys: [{ tenant: 'default', key: tenantKey }],
    },
  });
  [browser, phone] = await Promise.all([Browser.start(), TestPhone.start()]);
});

afterAll(async () => {
  await Promise.all([browser.close(), phone.close()]);
  await gateway.close();
  await agents.close();
});

/** A token for a room that is open. */
async function tokenFor(room: string): Promise<string> {
  const response = await fetch(new URL('/v1/tokens', gateway.gateway.webUrl), {
    method: 'POST',
    headers: { authorization: `Bearer ${tenantKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ room, role: 'visitor' }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function visitor(who: 'one' | 'other', room?: string): Promise<ToneVisitor> {
  const credentials =
    room === undefined ? { widgetKey: 'demo', profile: TONE_PROFILE.name } : { token: await tokenFor(room) };
  const joining = { credentials, frequencyHz: hz[who] };
  const joinedAs = await ToneVisitor.join(browser, gateway.gateway.webUrl, joining);
  onTestFinished(() => joinedAs.close());
  return joinedAs;
}

/** Everybody's ear: the next second of what a party receives, each voice by itself where they come apart. */
type Ears = Partial<Record<Party, () => Promise<Int16Array[]>>>;

function phoneEar(call: PhoneCall): () => Promise<Int16Array[]> {
  return async () => {
    const { packets } = call.received;
    const before = packets.length;
    await until('a second has come to the phone', () => packets.length - before >= listen_packets);
    return [joined(...packets.slice(before).map((packet) => soundOf(packet, call.codec)))];
  };
}

const agentEar = async (): Promise<Int16Array[]> => [await agents.listen()];

/** Which parties are in these voices; one whose tone has only just begun is not clear yet. */
function partiesIn(voices: readonly Int16Array[]): Party[] {
  const parties = Object.entries(hz) as [Party, number][];
  const tones = parties.map(([, tone]) => tone);
  const found = voices
    .flatMap((voice) => clearTones(toneLevelsIn(voice, tones), tones))
    .sort((a, b) => a - b);
  return found.flatMap((tone) => parties.filter(([, hz]) => hz === tone).map(([party]) => party));
}

/** Whom everybody hears at the same time, once it is settled. */
async function whoHearsWhom(ears: Ears): Promise<Partial<Record<Party, Party[]>>> {
  const parties = Object.keys(ears) as Party[];
  const heard = await settled(
    async () => {
      const voices = await Promise.all(parties.map((party) => ears[party]?.() ?? Promise.resolve([])));
      return voices.map(partiesIn);
    },
    (all) => all.every((ones) => ones.length >= parties.length - 1),
  );
  return Object.fromEntries(parties.map((party, index) => [party, heard[index]]));
}

describe('everybody hears all others, and nobody itself', () => {
  it('in a room of a phone, two browsers and an agent, in PCMU', { timeout: 90_000 }, async () => {
    const call = await phone.dial({ to: number, target: gateway.target });
    void call.rtp.play(tone(hz.phone, phone_tone_ms));
    const room = (await gateway.calls()).find((one) => one.sipCallId === call.sipCallId)?.callId;
    const [one, other] = [await visitor('one', room), await visitor('other', room)];
    const ears = {
      phone: phoneEar(call),
      agent: agentEar,
      one: () => one.listen(),
      other: () => other.listen(),
    };
    expect(await whoHearsWhom(ears)).toEqual({
      phone: ['agent', 'one', 'other'],
      agent: ['phone', 'one', 'other'],
      one: ['phone', 'agent', 'other'],
      other: ['phone', 'agent', 'one'],
    });
    expect(await one.codecs()).toEqual(['audio/PCMU']);
    await one.seesSpeaking(4);
    await call.hangUp();
    await Promise.all([one.state('ended'), other.state('ended')]);
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('in a room of two browsers and an agent, in Opus', { timeout: 90_000 }, async () => {
    const one = await visitor('one');
    const room = (await gateway.calls())[0]?.callId;
    const other = await visitor('other', room);
    const ears = { agent: agentEar, one: () => one.listen(), other: () => other.listen() };
    expect(await whoHearsWhom(ears)).toEqual({
      agent: ['one', 'other'],
      one: ['agent', 'other'],
      other: ['agent', 'one'],
    });
    expect(await one.codecs()).toEqual(['audio/opus']);
    await one.seesSpeaking(3);
    await one.hangUp();
    await other.state('ended');
    expect(await gateway.leftOpen()).toEqual([]);
  });
});
