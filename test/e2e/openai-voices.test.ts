/** A whole booking by voice through OpenAI's Realtime protocol, from a phone, with the local server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallFollower } from '../../scripts/call/follow.ts';
import type { AgentProfile } from '../../src/agent/profile.ts';
import { shippedProfile, TestGateway } from '../support/gateway.ts';
import type { CallRecord, TimelineEntry } from '../support/operator.ts';
import { converse } from '../support/phone/conversation.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { BookingScript } from '../support/phone/scripts.ts';
import { receptionist } from '../support/realtime-server/receptionist.ts';
import { startRealtimeServer, type RealtimeServer } from '../support/realtime-server/server.ts';
import { SpeechMachine } from '../support/realtime-server/speech/machine.ts';
import { speak } from '../support/sound/speak.ts';

const number = '+15550101';

let folder: string;
let machine: SpeechMachine;
let server: RealtimeServer;
let gateway: TestGateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-openai-'));
  const shipped = shippedProfile('clinic-receptionist');
  machine = await SpeechMachine.create({ profile: shipped, cacheFolder: folder });
  server = await startRealtimeServer({
    apiKey: 'test-key',
    behave: receptionist({ machine }),
  });
  const profile: AgentProfile = { ...shipped, model: { ...shipped.model, adapter: 'realtime' } };
  gateway = await TestGateway.start({
    profiles: [profile],
    numbers: [{ number, profile: profile.name }],
    trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
    models: { realtime: { base_url: server.baseUrl, api_key: 'test-key' } },
  });
});

afterAll(async () => {
  await gateway.close();
  await Promise.all([server.close(), machine.close()]);
  await rm(folder, { recursive: true });
});

function entriesOf(record: CallRecord, type: TimelineEntry['type']): TimelineEntry[] {
  return record.timeline.filter((entry) => entry.type === type);
}

/** Names that sound alike may be confused; the caller agrees to what is read back, and that is booked. */
function nameReadBack(said: string): string | undefined {
  return [...said.matchAll(/, for (\w+(?: \w+)?)\. Is that right/g)].at(-1)?.[1];
}

describe('a caller', () => {
  it('books by phone through the realtime adapter', { timeout: 120_000 }, async () => {
    const phone = await TestPhone.start();
    try {
      const call = await phone.dial({ to: number, target: gateway.target, codec: 'pcma' });
      const { sipCallId } = call;
      const said: string[] = [];
      const follower = new CallFollower(gateway.operatorUrl, sipCallId, (entry) => {
        if (entry.type === 'said') said.push(entry.text);
      });
      const { outcome } = await converse(call, {
        script: new BookingScript(),
        agentSaid: () => said.splice(0).join(' '),
        speak: (text) => speak(text),
        turnSilenceMs: 1200,
        timeoutMs: 90_000,
      });
      await follower.finish();
      expect(outcome).toBe('ended');
      expect((await gateway.cdr(sipCallId)).ending).toBe('agent-hung-up');
      const record = await gateway.record(sipCallId, 'the end', (one) => one.ending !== undefined);
      const words = entriesOf(record, 'said').map((entry) => ('text' in entry ? String(entry.text) : ''));
      const name = nameReadBack(words.join(' '));
      // A time that was taken is asked for anew: what counts is the last.
      expect(entriesOf(record, 'tool').at(-1)).toMatchObject({
        name: 'book_appointment',
        arguments: { name },
        result: { ok: true, name },
      });
    } finally {
      await phone.close();
    }
    for (const { refused } of server.connections) expect(refused).toEqual([]);
    expect(await gateway.leftOpen()).toEqual([]);
  });
});
