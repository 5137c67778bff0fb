/** Whole bookings by voice through OpenAI's protocols, from a phone and a browser, with the local server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallFollower } from '../../scripts/call/follow.ts';
import type { AgentProfile } from '../../src/agent/profile.ts';
import { freeTcpPort } from '../support/baresip.ts';
import { shippedProfile, TestGateway } from '../support/gateway.ts';
import type { CallRecord, TimelineEntry } from '../support/operator.ts';
import { converse } from '../support/phone/conversation.ts';
import { TestPhone } from '../support/phone/phone.ts';
import { BookingScript } from '../support/phone/scripts.ts';
import { liveReceptionist } from '../support/realtime-server/live/receptionist.ts';
import { receptionist } from '../support/realtime-server/receptionist.ts';
import { startRealtimeServer, type RealtimeServer } from '../support/realtime-server/server.ts';
import { SpeechMachine } from '../support/realtime-server/speech/machine.ts';
import { joined, silence } from '../support/sound/level.ts';
import { speak, TELEPHONE_HZ } from '../support/sound/speak.ts';
import { Browser } from '../support/widget/browser.ts';
import { buildForBrowsers } from '../support/web-builds.ts';

const numbers = { realtime: '+15550101', live: '+15550102' } as const;
type Adapter = keyof typeof numbers;
/** The demo page calls the shipped profile by its name. */
const profileNames = { realtime: 'clinic-receptionist', live: 'clinic-live' } as const;
const adapters: readonly Adapter[] = ['realtime', 'live'];

/** When each sentence begins, from when the page opens the microphone: the agent has its time between. */
const sentences = [
  { atMs: 7000, words: 'I would like an appointment tomorrow at two in the afternoon' },
  { atMs: 16_000, words: 'My name is Emily Wilson' },
  { atMs: 27_000, words: 'yes that is right' },
  { atMs: 38_000, words: 'no thank you' },
];
/** The microphone's file begins again at its end, so it is longer than the call. */
const microphone_ms = 120_000;

let folder: string;
let machine: SpeechMachine;
let server: RealtimeServer;
let gateway: TestGateway;

beforeAll(async () => {
  await buildForBrowsers('widget');
  folder = await mkdtemp(join(tmpdir(), 'trunkline-openai-'));
  const shipped = shippedProfile('clinic-receptionist');
  machine = await SpeechMachine.create({ profile: shipped, cacheFolder: folder });
  server = await startRealtimeServer({
    apiKey: 'test-key',
    behave: receptionist({ machine }),
    behaveLive: liveReceptionist({ machine }),
  });
  const profiles = adapters.map((adapter): AgentProfile => ({
    ...shipped,
    name: profileNames[adapter],
    model: { ...shipped.model, adapter },
  }));
  const port = await freeTcpPort();
  const upstream = { base_url: server.baseUrl, api_key: 'test-key' };
  gateway = await TestGateway.start({
    profiles,
    numbers: adapters.map((adapter) => ({ number: numbers[adapter], profile: profileNames[adapter] })),
    trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
    web: {
      port,
      widget_keys: [
        {
          key: 'demo',
          tenant: 'default',
          origins: [`http://127.0.0.1:${port}`],
          profiles: [profileNames.realtime],
        },
      ],
    },
    models: { realtime: upstream, live: upstream },
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
  it.each(adapters)('books by phone through the %s adapter', { timeout: 120_000 }, async (adapter) => {
    const phone = await TestPhone.start();
    try {
      const call = await phone.dial({ to: numbers[adapter], target: gateway.target, codec: 'pcma' });
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
    const connections = adapter === 'live' ? server.liveConnections : server.connections;
    for (const { refused } of connections) expect(refused).toEqual([]);
    expect(await gateway.leftOpen()).toEqual([]);
  });
});

describe('a visitor of the demo page', () => {
  async function microphone(): Promise<Int16Array> {
    let sound: Int16Array = new Int16Array(0);
    for (const { atMs, words } of sentences) {
      const waitMs = atMs - (sound.length / TELEPHONE_HZ) * 1000;
      sound = joined(sound, silence(waitMs), await speak(words));
    }
    return joined(sound, silence(microphone_ms - (sound.length / TELEPHONE_HZ) * 1000));
  }

  it('books in Chromium through the realtime adapter', { timeout: 150_000 }, async () => {
    const browser = await Browser.start({ microphone: await microphone() });
    try {
      const { page } = browser;
      await page.goto(gateway.gateway.webUrl);
      await page.getByRole('button', { name: 'Call now' }).click();
      await page
        .locator('trunkline-call[state=ended]')
        .waitFor({ timeout: 90_000 })
        .catch(async (error: unknown) => {
          throw new Error(await page.getByRole('log').innerText(), { cause: error });
        });
      const log = await page.getByRole('log').innerText();
      expect(log).toMatch(/Agent\s+Thank you for calling Harbour Clinic/);
      expect(log).toMatch(/You\s+.*appointment tomorrow at two/i);
      expect(log).toMatch(/book appointment: done/);
      expect(nameReadBack(log)).toBeDefined();
      expect(browser.complaints).toEqual([]);
      expect(await gateway.leftOpen()).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
