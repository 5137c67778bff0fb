/**
 * A phone books an appointment with an agent whose ears, mind and mouth are three HTTP servers: the pipeline
 * adapter in a whole gateway, and OpenAI's endpoints in another process, with real speech in and out.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shippedProfile, TestGateway } from '../support/gateway.ts';
import { startLiveProcess, type LiveProcess } from '../support/openai-server/process.ts';
import type { CallRecord, TimelineEntry } from '../support/operator.ts';
import type { PhoneCall } from '../support/phone/call.ts';
import { converse } from '../support/phone/conversation.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { BookingScript, type Script } from '../support/phone/scripts.ts';
import { levelDbfs } from '../support/sound/level.ts';
import { speak } from '../support/sound/speak.ts';
import { until } from '../support/until.ts';
import { CallFollower } from '../../scripts/call/follow.ts';

const number = '+15550100';

let live: LiveProcess;
let gateway: TestGateway;
let phone: TestPhone;
let call: PhoneCall;

beforeAll(async () => {
  live = await startLiveProcess();
  const server = { base_url: live.baseUrl };
  const profile = shippedProfile('clinic-receptionist');
  gateway = await TestGateway.start({
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number, profile: profile.name }],
    profiles: [{ ...profile, model: { ...profile.model, adapter: 'pipeline', voice: 'rms' } }],
    pipeline: {
      transcription: { servers: [server], stream: true, timeout_ms: 20_000 },
      chat: { servers: [server], first_token_timeout_ms: 20_000 },
      speech: { servers: [server], first_audio_timeout_ms: 20_000 },
    },
  });
  phone = await TestPhone.start();
});

afterEach(() => call.hangUp());

afterAll(async () => {
  await phone.close();
  await gateway.close();
  await live.stop();
});

/** Talks until the agent hangs up; what the gateway wrote down. */
async function talk(script: Script): Promise<CallRecord> {
  let agentSaid = '';
  const follower = new CallFollower(gateway.operatorUrl, call.sipCallId, (entry: TimelineEntry) => {
    if (entry.type === 'said') agentSaid = entry.text;
  });
  const { outcome } = await converse(call, {
    script,
    agentSaid: () => agentSaid,
    speak: (text) => speak(text),
    timeoutMs: 150_000,
  });
  const record = await follower.finish();
  if (outcome !== 'ended' || record === undefined)
    throw new Error(`the agent did not hang up: ${JSON.stringify(record?.timeline)}`);
  return record;
}

describe('a call through transcription, chat and speech servers', () => {
  it('is interrupted by a wish, books it by voice, and is hung up', { timeout: 200_000 }, async () => {
    const script = new BookingScript();
    const wish = await speak(script.answer(''));
    call = await phone.dial({ to: number, target: gateway.target, codec: 'pcma' });
    await until('the greeting has begun', () => call.ear.speaking, 20_000);
    await call.play(wish);
    const { timeline, ending } = await talk(script);
    const said = timeline.filter((entry) => entry.type === 'said');
    expect(said[0]).toMatchObject({ interrupted: true });
    expect(said[0]?.heardMs).toBeGreaterThan(0);
    expect(timeline.filter((entry) => entry.type === 'tool').at(-1)).toMatchObject({
      name: 'book_appointment',
      arguments: { name: 'Emily Wilson', time: '10:00' },
      result: { ok: true },
    });
    expect(said.at(-1)?.text).toContain('Goodbye');
    expect(ending?.slug).toBe('agent-hung-up');
    expect(timeline.filter((entry) => entry.type === 'trouble')).toEqual([]);
    expect(levelDbfs(call.tape.heard)).toBeGreaterThan(-40);
    expect(await gateway.leftOpen()).toEqual([]);
  });
});
