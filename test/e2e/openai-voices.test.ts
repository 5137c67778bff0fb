/**
 * Whole bookings by voice through OpenAI's protocols, with the local server, in real time: from a softphone
 * and from Chromium on the demo page, through Realtime and through Live side by side.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Baresip, freeTcpPort } from '../support/baresip.ts';
import { shippedProfile, TestGateway } from '../support/gateway.ts';
import { liveReceptionist } from '../support/realtime-server/live/receptionist.ts';
import { receptionist } from '../support/realtime-server/receptionist.ts';
import { startRealtimeServer, type RealtimeServer } from '../support/realtime-server/server.ts';
import { SpeechMachine } from '../support/realtime-server/speech/machine.ts';
import { bookBySpeech, expectBooked } from '../support/spoken-booking.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { SpeakingVisitor } from '../support/widget/speaking-visitor.ts';

/** Each call has a profile and a time of its own: they share the book of appointments. */
const phones = [
  { adapter: 'realtime', profile: 'realtime-by-phone', number: '+15550101', time: 'at ten in the morning' },
  { adapter: 'live', profile: 'live-by-phone', number: '+15550102', time: 'at noon' },
] as const;
const visitors = [
  { adapter: 'realtime', profile: 'realtime-by-browser', time: 'at two in the afternoon' },
  { adapter: 'live', profile: 'live-by-browser', time: 'at four in the afternoon' },
] as const;

let folder: string;
let machine: SpeechMachine;
let server: RealtimeServer;
let gateway: TestGateway;
let browsers: Record<'realtime' | 'live', SpeakingVisitor>;

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
  const upstream = { base_url: server.baseUrl, api_key: 'test-key' };
  const port = await freeTcpPort();
  const key = { key: 'demo', tenant: 'default', origins: [`http://127.0.0.1:${port}`] };
  gateway = await TestGateway.start({
    profiles: [...phones, ...visitors].map(({ adapter, profile: name }) => ({
      ...{ ...shipped, name, model: { ...shipped.model, adapter } },
    })),
    numbers: phones.map(({ number, profile }) => ({ number, profile })),
    trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
    web: { port, widget_keys: [{ ...key, profiles: visitors.map(({ profile }) => profile) }] },
    models: { realtime: upstream, live: upstream },
  });
  // The start of a browser takes the whole machine for a moment: it must not fall into anybody's call.
  browsers = { realtime: await SpeakingVisitor.start(), live: await SpeakingVisitor.start() };
});

afterAll(async () => {
  await Promise.all([browsers.realtime.close(), browsers.live.close()]);
  await gateway.close();
  await Promise.all([server.close(), machine.close()]);
  await rm(folder, { recursive: true });
});

async function nothingIsOpen(): Promise<void> {
  expect(await gateway.leftOpen()).toEqual([]);
}

describe.concurrent('a caller with baresip books by voice', { timeout: 120_000 }, () => {
  it.for(phones)('through $adapter', async ({ profile, number, time }) => {
    const phone = await Baresip.start({ codec: 'pcma' });
    try {
      await phone.dial(`sip:${number}@${gateway.target}`);
      await phone.event('CALL_ESTABLISHED');
      expectBooked(await bookBySpeech({ gateway, profile, time, say: (samples) => phone.say(samples) }));
      await phone.event('CALL_CLOSED');
    } finally {
      await phone.close();
    }
  });
});

/** Between the pairs, too: four calls at a time are too many for two slow cores. */
it('leaves nothing open by phone', nothingIsOpen);

describe.concurrent('a visitor with Chromium books by voice', { timeout: 120_000 }, () => {
  it.for(visitors)('through $adapter', async ({ adapter, profile, time }) => {
    const visitor = browsers[adapter];
    await visitor.call(gateway.gateway.webUrl, { profile });
    expectBooked(await bookBySpeech({ gateway, profile, time, say: (samples) => visitor.say(samples) }));
    const captions = await visitor.captions();
    expect(captions).toMatch(/Agent\s+Thank you for calling Harbour Clinic/);
    expect(captions).toMatch(/You\s+.*appointment/i);
    expect(captions).toMatch(/book appointment: done/);
    expect(visitor.complaints).toEqual([]);
  });
});

it('leaves nothing open by browser', nothingIsOpen);

it('says nothing that the protocols do not know', () => {
  const connections = [...server.connections, ...server.liveConnections];
  expect(connections.length).toBeGreaterThanOrEqual(phones.length + visitors.length);
  for (const { refused } of connections) expect(refused).toEqual([]);
});
