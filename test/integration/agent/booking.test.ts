import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createOpenVoice, type Voices } from '../../../src/agent/open-voice.ts';
import { Synthesiser } from '../../../src/agent/models/offline/synthesiser.ts';
import { FileAppointmentBook } from '../../../src/agent/tools/appointment-book.ts';
import { bookAppointment } from '../../../src/agent/tools/book-appointment.ts';
import { ToolRegistry } from '../../../src/agent/tools/tool-registry.ts';
import type { Codec } from '../../../src/media/frame.ts';
import { clinicProfile, SimulatedCall } from './simulated-call.ts';

/** A Monday. */
const NOW = new Date('2026-11-23T09:00:00Z');

let folder: string;
let voices: Voices;
let caller: Synthesiser;
let book: FileAppointmentBook;
let call: SimulatedCall | null = null;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-agent-'));
  voices = createOpenVoice({ offline: { cacheFolder: join(folder, 'cache') } }, { now: () => NOW });
  caller = new Synthesiser();
  book = await FileAppointmentBook.create({ path: join(folder, 'appointments.jsonl'), now: () => NOW });
});

afterEach(() => {
  call?.close();
  call = null;
});

afterAll(async () => {
  await Promise.all([voices.close(), caller.close(), book.close()]);
  await rm(folder, { recursive: true });
});

async function startCall(options: { codec: Codec; callId: string }): Promise<SimulatedCall> {
  const tools = new ToolRegistry({ tools: [bookAppointment(book)] });
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

describe('a call with the offline voice', () => {
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
});
