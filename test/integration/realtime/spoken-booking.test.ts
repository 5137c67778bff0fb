/**
 * Whole bookings by real speech through the adapters of both protocols: the caller is a synthesiser, the
 * server is the local one in live mode, and time is simulated where the protocol lets it be.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLiveModel } from '../../../src/agent/models/live/index.ts';
import { liveSettingsSchema } from '../../../src/agent/models/live/settings.ts';
import { Synthesiser } from '../../../src/agent/models/offline/synthesiser.ts';
import { createRealtimeModel } from '../../../src/agent/models/realtime/index.ts';
import { createOpenVoice } from '../../../src/agent/open-voice.ts';
import { FileAppointmentBook } from '../../../src/agent/tools/appointment-book.ts';
import { bookAppointment } from '../../../src/agent/tools/book-appointment.ts';
import { ToolRegistry } from '../../../src/agent/tools/tool-registry.ts';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import type { VoiceModel } from '../../../src/agent/voice-model.ts';
import type { Codec } from '../../../src/media/frame.ts';
import { liveReceptionist } from '../../support/realtime-server/live/receptionist.ts';
import { receptionist } from '../../support/realtime-server/receptionist.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';
import { SpeechMachine } from '../../support/realtime-server/speech/machine.ts';
import { clinicProfile, SimulatedCall, type SimulatedCallOptions } from '../agent/simulated-call.ts';

/** A Monday. */
const NOW = new Date('2026-11-23T09:00:00Z');
const now = (): Date => NOW;

/** Simulated ms per real ms, for the caller, the server and the adapter's clock alike. */
const speed = 3;
const fastClock: Clock = {
  nowMs: () => performance.now() * speed,
  after: (delayMs, fire) => systemClock.after(delayMs / speed, fire),
};

let folder: string;
let machine: SpeechMachine;
let server: RealtimeServer;
let caller: Synthesiser;
let book: FileAppointmentBook;
let tools: ToolRegistry;
let call: SimulatedCall | null = null;
let model: VoiceModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-live-'));
  machine = await SpeechMachine.create({ profile: clinicProfile(), cacheFolder: join(folder, 'cache') });
  server = await startRealtimeServer({
    apiKey: 'test-key',
    behave: receptionist({ machine, now, speed }),
    behaveLive: liveReceptionist({ machine, now, speed }),
  });
  caller = new Synthesiser();
  book = await FileAppointmentBook.create({ path: join(folder, 'appointments.jsonl'), now });
  tools = new ToolRegistry({ tools: [bookAppointment(() => book, now)] });
});

afterEach(async () => {
  call?.close();
  call = null;
  await model.close();
});

afterAll(async () => {
  await Promise.all([server.close(), machine.close(), caller.close(), book.close()]);
  await rm(folder, { recursive: true });
});

const common = () => ({
  baseUrl: server.baseUrl,
  apiKey: 'test-key',
  model: 'model-of-the-test',
  voice: 'marin',
  connectTimeoutMs: 5000,
  appendMs: 20,
  tools: tools.declarations(),
});

type CallOptions = Pick<SimulatedCallOptions, 'suppressesSilence'> & { codec: Codec; callId: string };

async function startCall(options: CallOptions): Promise<SimulatedCall> {
  const profile = clinicProfile();
  const voices = createOpenVoice({ offline: { cacheFolder: folder } }, { now, models: { get: () => model } });
  const started = new SimulatedCall({ openVoice: voices.openVoice, profile, tools, speed, ...options });
  call = started;
  await started.until('ready', () => started.eventsOf('ready').length === 1);
  started.agent.greet();
  return started;
}

async function bookAt(on: SimulatedCall, codec: Codec, time: string): Promise<void> {
  const say = async (text: string): Promise<void> => {
    await on.pass(500);
    on.play(await caller.speak({ text, voice: 'rms', codec }));
  };
  await on.agentSaid(/How can I help/);
  await say(`I would like an appointment tomorrow at ${time}`);
  await on.agentSaid(/name, please/);
  await say('my name is Laura Smith');
  await on.agentSaid(/Is that right/);
  await say('yes that is right');
  await on.agentSaid(/You are booked/);
  await on.agentSaid(/anything else/i);
  await say('no thank you');
  await on.until('hang-up', () => on.eventsOf('hang_up').length === 1);
  expect(on.eventsOf('said').at(-1)?.text).toContain('Goodbye');
  expect(on.eventsOf('failed')).toEqual([]);
}

async function bookings(): Promise<object[]> {
  const lines = (await readFile(join(folder, 'appointments.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as object);
}

describe('a booking by voice', { timeout: 90_000 }, () => {
  it('through the Realtime adapter', async () => {
    model = createRealtimeModel(common());
    const on = await startCall({ codec: 'pcma', callId: 'realtime' });
    await bookAt(on, 'pcma', 'eleven');
    expect((await bookings()).at(-1)).toMatchObject({
      callId: 'realtime',
      name: 'Laura Smith',
      day: '2026-11-24',
      time: '11:00',
    });
    const sources = new Set(on.eventsOf('usage').map(({ usage }) => usage.source));
    expect(sources).toEqual(new Set(['response', 'transcription']));
    for (const { refused } of server.connections) expect(refused).toEqual([]);
  });

  it('through the Realtime adapter, by a phone that sends no silence', async () => {
    model = createRealtimeModel({ ...common(), clock: fastClock });
    const on = await startCall({ codec: 'pcmu', callId: 'realtime-dtx', suppressesSilence: true });
    await bookAt(on, 'pcmu', 'three in the afternoon');
    expect((await bookings()).at(-1)).toMatchObject({ callId: 'realtime-dtx', time: '15:00' });
  });

  it.each([
    ['client', 'noon', '12:00', ['session']],
    ['responses', 'two in the afternoon', '14:00', ['session', 'backend']],
  ] as const)('through the Live adapter with %s delegation', async (delegation, spoken, time, sources) => {
    const backend_model = delegation === 'responses' ? 'backend-of-the-test' : '';
    const settings = liveSettingsSchema.parse({ delegation, backend_model });
    model = createLiveModel({ ...common(), settings, clock: fastClock });
    const on = await startCall({ codec: 'pcmu', callId: `live-${delegation}` });
    await bookAt(on, 'pcmu', spoken);
    expect((await bookings()).at(-1)).toMatchObject({
      callId: `live-${delegation}`,
      name: 'Laura Smith',
      time,
    });
    expect(new Set(on.eventsOf('usage').map(({ usage }) => usage.source))).toEqual(new Set(sources));
    for (const { refused } of server.liveConnections) expect(refused).toEqual([]);
  });
});
