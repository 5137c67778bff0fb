import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOfflineModel, type OfflineModel } from '../../../src/agent/models/offline/index.ts';
import { createOpenVoice } from '../../../src/agent/open-voice.ts';
import { Synthesiser } from '../../../src/agent/models/offline/synthesiser.ts';
import { FileAppointmentBook } from '../../../src/agent/tools/appointment-book.ts';
import { bookAppointment } from '../../../src/agent/tools/book-appointment.ts';
import { ToolRegistry } from '../../../src/agent/tools/tool-registry.ts';
import type { Codec } from '../../../src/media/frame.ts';
import type { Voices } from '../../../src/media/voice-port.ts';
import { clinicProfile, espeak, SimulatedCall } from './simulated-call.ts';

/** A Monday. */
const NOW = new Date('2026-11-23T09:00:00Z');

let folder: string;
let voices: Voices;
let model: OfflineModel;
let caller: Synthesiser;
let book: FileAppointmentBook;
let call: SimulatedCall | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-agent-'));
  const cacheFolder = join(folder, 'cache');
  model = createOfflineModel({ cacheFolder, warm: [clinicProfile()] });
  voices = createOpenVoice({ offline: { cacheFolder } }, { now: () => NOW, models: { get: () => model } });
  caller = new Synthesiser();
  book = await FileAppointmentBook.create({ path: join(folder, 'appointments.jsonl'), now: () => NOW });
});

afterEach(() => {
  call?.close();
  call = null;
});

afterAll(async () => {
  await Promise.all([voices.close(), model.close(), caller.close(), book.close()]);
  expect([model.recogniser.process.pid, model.synthesiser.process.pid]).toEqual([null, null]);
  await rm(folder, { recursive: true });
});

async function startCall(options: { codec: Codec; callId: string }): Promise<SimulatedCall> {
  const tools = new ToolRegistry({
    tools: [
      bookAppointment(
        () => book,
        () => NOW,
      ),
    ],
  });
  const started = new SimulatedCall({
    openVoice: voices.openVoice,
    profile: clinicProfile(),
    tools,
    ...options,
  });
  call = started;
  await started.until('ready', () => started.eventsOf('ready').length === 1);
  started.agent.greet();
  return started;
}

async function say(on: SimulatedCall, text: string, codec: Codec, voice = 'rms'): Promise<void> {
  await on.pass(300);
  on.play(await caller.speak({ text, voice, codec }));
}

// Simulated time runs four times as fast as the clock, but a call has many turns.
describe('a call with the offline voice', { timeout: 60_000 }, () => {
  it.each(['pcmu', 'pcma'] as const)('books an appointment by voice over %s and hangs up', async (codec) => {
    const time = codec === 'pcmu' ? 'ten' : 'eleven';
    const on = await startCall({ codec, callId: `call-${codec}` });
    await on.agentSaid(/How can I help/);
    await say(on, `I would like an appointment tomorrow at ${time}`, codec);
    await on.agentSaid(/name, please/);
    await say(on, 'my name is Laura Smith', codec);
    await on.agentSaid(/Is that right/);
    await say(on, 'yes that is right', codec);
    await on.agentSaid(/You are booked/);
    await say(on, 'no thank you', codec);
    await on.until('hang-up', () => on.eventsOf('hang_up').length === 1);

    const lines = (await readFile(join(folder, 'appointments.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      callId: `call-${codec}`,
      name: 'Laura Smith',
      day: '2026-11-24',
      time: codec === 'pcmu' ? '10:00' : '11:00',
    });
    expect(on.eventsOf('said').at(-1)?.text).toContain('Goodbye');
    expect(on.eventsOf('failed')).toEqual([]);
  });

  it('understands a voice that is not its own kind, and ends a call that the caller ends', async () => {
    const on = await startCall({ codec: 'pcma', callId: 'call-espeak' });
    await on.agentSaid(/How can I help/);
    await on.pass(300);
    on.play(espeak('what are your opening hours', { codec: 'pcma' }));
    await on.agentSaid(/open Monday to Friday/);
    await on.pass(300);
    on.play(espeak('no thank you', { codec: 'pcma', voice: 'en-us+f2' }));
    await on.until('hang-up', () => on.eventsOf('hang_up').length === 1);
    expect(on.eventsOf('said').at(-1)?.text).toContain('Goodbye');
  });

  it('stops speaking when the caller interrupts, and knows what was heard', async () => {
    const on = await startCall({ codec: 'pcmu', callId: 'call-barge-in' });
    await on.agentSaid(/How can I help/);
    await say(on, 'what are your opening hours', 'pcmu');
    const before = on.received.length;
    await on.until('the agent to speak', () => on.received.length > before + 60);
    const from = on.received.length;
    on.play(await caller.speak({ text: 'where is the clinic', voice: 'rms', codec: 'pcmu' }));
    await on.until('the cut', () => on.eventsOf('said').some((said) => said.interrupted));
    const cut = on.eventsOf('said').find((said) => said.interrupted);
    // Counted on both sides: all that the caller received of the reply, its fade-out included.
    const heard = on.received.filter(({ tick }) => tick * 20 >= (cut?.startedMs ?? 0));
    expect(cut?.heardMs).toBe(heard.length * 20);
    expect(cut?.heardMs).toBeLessThan(cut?.totalMs ?? 0);
    expect((on.received.length - from) * 20).toBeLessThan(1500);
    await on.agentSaid(/Harbour Street/);
  });

  it('goes on when the recogniser is killed in the middle of a sentence', async () => {
    const on = await startCall({ codec: 'pcmu', callId: 'call-killed' });
    await on.agentSaid(/How can I help/);
    await say(on, 'I would like an appointment', 'pcmu');
    await on.pass(500);
    const pid = model.recogniser.process.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await on.agentSaid(/I had trouble hearing you/);
    expect(on.eventsOf('failed')).toMatchObject([{ code: 'SPEECH_UNAVAILABLE', retryable: true }]);
    await model.recogniser.process.whenUp(20_000);
    expect(model.recogniser.process.pid).not.toBe(pid);
    await say(on, 'I would like an appointment', 'pcmu');
    await on.agentSaid(/name, please/);
  });

  it('speaks on when the synthesiser is killed', async () => {
    const on = await startCall({ codec: 'pcmu', callId: 'call-mute' });
    await on.agentSaid(/How can I help/);
    process.kill(model.synthesiser.process.pid ?? 0, 'SIGKILL');
    on.agent.say('This sentence was never said before.');
    await on.agentSaid(/never said before/);
    expect(on.eventsOf('said').at(-1)?.totalMs).toBeGreaterThan(500);
  });

  it('refuses a profile that it cannot pronounce', async () => {
    const profile = clinicProfile();
    profile.tasks[0]?.phrases.push('I want a xyzzy');
    const events: unknown[] = [];
    const voice = voices.openVoice(
      { callId: 'call-odd', profile },
      { voiceId: 'odd', codec: 'pcmu', report: (event) => events.push(event) },
    );
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(0), { timeout: 20_000, interval: 20 });
    // Trying again would not help: the next of the profile's fallbacks has its turn.
    expect(events).toMatchObject([
      { type: 'line', step: 'lost', code: 'PROFILE_UNSPEAKABLE' },
      { type: 'line', step: 'handing_over', to: 'voicemail' },
      { type: 'ready' },
      { type: 'line', step: 'lost', detail: 'no folder for messages' },
      { type: 'failed', retryable: false },
    ]);
    voice.close();
  });
});
