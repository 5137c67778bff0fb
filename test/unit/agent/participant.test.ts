/** An agent as doors see it: its voice is a scripted thread's, everything else is real. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ToolResult } from '../../../src/agent/tools/tool.ts';
import { createOpenAgent } from '../../../src/agent/participant.ts';
import { modelUsage } from '../../../src/agent/usage.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import { Events } from '../../../src/base/events.ts';
import { createLog } from '../../../src/base/log.ts';
import type { Command } from '../../../src/media/control.ts';
import type { MediaThreadHandle, VoiceEvents } from '../../../src/media/thread-handle.ts';
import type { AgentParticipant } from '../../../src/room/agent-door.ts';
import { Journal } from '../../../src/room/journal.ts';

const profile = agentProfileSchema.parse({
  name: 'desk',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Are you there?'],
  anything_else: 'Anything else?',
  goodbye: 'Goodbye.',
  tasks: [{ name: 'hours', phrases: ['opening hours'], done: 'We are open.' }],
  tools: ['book_appointment'],
});

/** The thread's side: what it was asked, and what its voices report. */
class Thread {
  readonly commands: Command[] = [];
  readonly voices = new Map<string, Events<VoiceEvents>>();
  refusal: TrunklineError | undefined;

  readonly handle = {
    request: (command: Command) => {
      this.commands.push(command);
      return this.refusal === undefined ? Promise.resolve(null) : Promise.reject(this.refusal);
    },
    voiceEvents: (voiceId: string) => {
      const events = this.voices.get(voiceId) ?? new Events<VoiceEvents>();
      this.voices.set(voiceId, events);
      return events;
    },
  } as unknown as MediaThreadHandle;

  report(voiceId: string, event: unknown): void {
    this.voices.get(voiceId)?.emit('event', event);
  }

  sent(type: Command['type']): Command[] {
    return this.commands.filter((command) => command.type === type);
  }
}

let thread: Thread;
let journal: Journal;
let ran: { name: string; given: unknown }[];
let agent: AgentParticipant;
let told: string[];

beforeEach(() => {
  thread = new Thread();
  journal = new Journal();
  journal.open({
    callId: 'call_1',
    sipCallId: 'a@b',
    tenant: 'default',
    trunk: 'local',
    from: '1',
    to: '2',
    profile: 'desk',
  });
  ran = [];
  told = [];
  const openAgent = createOpenAgent({
    profiles: new Map([[profile.name, profile]]),
    tools: {
      run: (name, given): Promise<ToolResult> => {
        ran.push({ name, given });
        return Promise.resolve({ ok: true, confirmation: 'ABC' });
      },
    },
    journal,
    log: createLog({ level: 'silent' }),
  });
  agent = openAgent({
    callId: 'call_1',
    profile: 'desk',
    tenant: 'default',
    codec: 'pcma',
    thread: thread.handle,
  });
  agent.events.on('hangUp', ({ reason }) => told.push(`hangUp ${reason}`));
  agent.events.on('failed', ({ code }) => told.push(`failed ${code}`));
});

const timeline = (): unknown => journal.get('call_1')?.timeline;

describe('an agent in a room', () => {
  it('opens its voice at once, with the profile and the codec of the call', () => {
    expect(thread.commands).toEqual([
      { type: 'voice.open', voiceId: agent.portId, codec: 'pcma', spec: { callId: 'call_1', profile } },
    ]);
  });

  it('is ready when its voice says so, and greets when it is told to', async () => {
    thread.report(agent.portId, { type: 'ready' });
    await agent.ready();
    agent.greet();
    agent.digit('5');
    expect(thread.sent('voice.command')).toMatchObject([
      { command: { type: 'greet' } },
      { command: { type: 'digit', digit: '5' } },
    ]);
  });

  it('writes into the journal what was heard and said; what is not final stays out', () => {
    const heard = { type: 'heard', utteranceId: 'u', text: 'tomorrow', startedMs: 0, endedMs: 10 };
    thread.report(agent.portId, { ...heard, final: false });
    thread.report(agent.portId, { ...heard, text: 'tomorrow at ten', final: true });
    thread.report(agent.portId, {
      type: 'said',
      itemId: 'i',
      text: 'Of course.',
      heardMs: 400,
      totalMs: 900,
      interrupted: true,
      startedMs: 20,
      responseMs: 140,
      textMs: null,
      audioMs: null,
    });
    expect(timeline()).toMatchObject([
      { type: 'heard', text: 'tomorrow at ten' },
      { type: 'said', text: 'Of course.', heardMs: 400, interrupted: true, responseMs: 140 },
    ]);
  });

  it('captions the words as they are said, and those that were heard of a reply that was cut', () => {
    const captions: string[] = [];
    journal.events.on('caption', ({ text, final }) =>
      captions.push(`${final ? 'final' : 'so far'}: ${text}`),
    );
    const times = { startedMs: 20, responseMs: null, textMs: null, audioMs: null };
    const said = { type: 'said', heardMs: 400, totalMs: 900, ...times };
    thread.report(agent.portId, { type: 'saying', itemId: 'i', text: 'Of course.' });
    thread.report(agent.portId, { ...said, itemId: 'i', text: 'Of course. At ten?', interrupted: true });
    thread.report(agent.portId, { type: 'saying', itemId: 'j', text: 'At' });
    thread.report(agent.portId, { ...said, itemId: 'j', text: 'At eleven.', interrupted: false });
    expect(captions).toEqual([
      'so far: Of course.',
      'final: Of course. …',
      'so far: At',
      'final: At eleven.',
    ]);
  });

  it('runs the tool that its voice wants, and gives it the result', async () => {
    agent.greet();
    thread.report(agent.portId, {
      type: 'tool.call',
      callId: 't1',
      name: 'book_appointment',
      arguments: { a: 1 },
    });
    await expect.poll(() => thread.sent('voice.command')).toHaveLength(2);
    expect(ran).toEqual([{ name: 'book_appointment', given: { a: 1 } }]);
    expect(thread.sent('voice.command')).toMatchObject([
      { command: { type: 'greet' } },
      { command: { type: 'tool.result', callId: 't1', result: { ok: true, confirmation: 'ABC' } } },
    ]);
    expect(timeline()).toMatchObject([{ type: 'tool', name: 'book_appointment', result: { ok: true } }]);
  });

  it('asks for the end of the call when its goodbye has been played out', () => {
    thread.report(agent.portId, { type: 'hang_up', reason: 'goodbye' });
    expect(told).toEqual(['hangUp goodbye']);
  });
});

describe('an agent whose model fails', () => {
  it('writes every step into the timeline, and whose words follow', () => {
    thread.report(agent.portId, { type: 'line', step: 'lost', code: 'MODEL_UNAVAILABLE', detail: 'gone' });
    thread.report(agent.portId, { type: 'line', step: 'falling_back', to: 'offline' });
    thread.report(agent.portId, { type: 'line', step: 'restored', to: 'offline' });
    thread.report(agent.portId, { type: 'voicemail', path: '/messages/call_1.wav', recordedMs: 4000 });
    expect(timeline()).toMatchObject([
      { type: 'failover', step: 'lost', code: 'MODEL_UNAVAILABLE', detail: 'gone' },
      { type: 'failover', step: 'falling_back', to: 'offline' },
      { type: 'failover', step: 'restored', to: 'offline' },
      { type: 'voicemail', path: '/messages/call_1.wav', recordedMs: 4000 },
    ]);
    expect(told).toEqual([]);
  });

  it('looks for somebody who takes the call, and tells the voice that there is nobody', async () => {
    thread.report(agent.portId, { type: 'hand_over', to: { type: 'human', say: 'One moment.' } });
    await expect.poll(() => thread.sent('voice.command')).toHaveLength(1);
    expect(thread.sent('voice.command')).toMatchObject([
      { command: { type: 'handed_over', taken: false, detail: 'no desk' } },
    ]);
    expect(timeline()).toMatchObject([{ type: 'failover', step: 'handed_over', to: 'human', taken: false }]);
  });

  it('goes out, comes back and says what it is told', () => {
    agent.hold();
    agent.resume('The colleague has left.');
    agent.say('Hello again.', { uninterruptible: true });
    expect(thread.sent('voice.command')).toMatchObject([
      { command: { type: 'hold' } },
      { command: { type: 'resume', notice: 'The colleague has left.' } },
      { command: { type: 'say', text: 'Hello again.', uninterruptible: true } },
    ]);
  });
});

describe('what an agent costs', () => {
  it('is written down with every report of its model, by the price table', () => {
    const price = { text_in: 4, text_cached: 0, text_out: 0, audio_in: 0, audio_cached: 0, audio_out: 64 };
    const openAgent = createOpenAgent({
      profiles: new Map([[profile.name, profile]]),
      tools: { run: () => Promise.resolve({ ok: true }) },
      journal,
      prices: { talker: { ...price, per_minute: 0, per_million_characters: 0 } },
      warnAfterMs: 1000,
      log: createLog({ level: 'silent' }),
    });
    const options = { callId: 'call_1', profile: 'desk', tenant: 'default', codec: 'pcmu' as const };
    const other = openAgent({ ...options, thread: thread.handle });
    const usage = modelUsage({
      model: 'talker',
      source: 'response',
      provider: 'models.test',
      inputTextTokens: 500,
      outputAudioTokens: 1000,
    });
    thread.report(other.portId, { type: 'usage', usage });
    thread.report(other.portId, { type: 'usage', usage: { ...usage, model: 'stranger' } });
    expect(timeline()).toMatchObject([
      {
        type: 'usage',
        model: 'talker',
        provider: 'models.test',
        costUsd: 0.066,
        counts: { inputTextTokens: 500, outputAudioTokens: 1000 },
      },
      { type: 'usage', model: 'stranger', costUsd: null },
    ]);
    expect(thread.sent('voice.open').at(-1)).toMatchObject({ spec: { warnAfterMs: 1000 } });
  });
});

describe('an agent in trouble', () => {
  it('goes on after a failure that passes, and notes it', () => {
    thread.report(agent.portId, { type: 'failed', code: 'TOOL_FAILED', detail: 'x', retryable: true });
    expect(told).toEqual([]);
    expect(timeline()).toMatchObject([{ type: 'trouble', code: 'TOOL_FAILED' }]);
  });

  it('fails, once its voice is dead', async () => {
    thread.report(agent.portId, {
      type: 'failed',
      code: 'SPEECH_UNAVAILABLE',
      detail: 'x',
      retryable: false,
    });
    expect(told).toEqual(['failed SPEECH_UNAVAILABLE']);
    await expect(agent.ready()).rejects.toMatchObject({ code: 'SPEECH_UNAVAILABLE' });
  });

  it('fails when its voice cannot be opened', async () => {
    thread.refusal = new TrunklineError('MEDIA_THREAD_DIED', 'media-0');
    const openAgent = createOpenAgent({
      profiles: new Map([[profile.name, profile]]),
      tools: { run: () => Promise.resolve({ ok: true }) },
      journal,
      log: createLog({ level: 'silent' }),
    });
    const options = { callId: 'call_1', profile: 'desk', tenant: 'default', codec: 'pcmu' as const };
    const other = openAgent({ ...options, thread: thread.handle });
    await expect(other.ready()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    expect(() => openAgent({ ...options, profile: 'nobody', thread: thread.handle })).toThrow(
      /no profile nobody/,
    );
  });

  it('takes what its voice says and no event for trouble, not for the end', () => {
    thread.report(agent.portId, { type: 'dance' });
    expect(told).toEqual([]);
    expect(timeline()).toMatchObject([{ type: 'trouble', code: 'VOICE_COMMAND_INVALID' }]);
  });
});

describe('an agent that leaves', () => {
  it('closes its voice once, and says nothing afterwards', async () => {
    await Promise.all([agent.close(), agent.close()]);
    expect(thread.sent('voice.close')).toHaveLength(1);
    thread.report(agent.portId, { type: 'hang_up', reason: 'goodbye' });
    agent.greet();
    expect(told).toEqual([]);
    expect(thread.sent('voice.command')).toEqual([]);
    await expect(agent.ready()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('still writes down what its voice tells of the sentence that was cut by the end', async () => {
    const closed = agent.close();
    thread.report(agent.portId, {
      type: 'said',
      itemId: 'i',
      text: 'Thank you for calling.',
      heardMs: 400,
      totalMs: 900,
      interrupted: true,
      startedMs: 20,
      responseMs: null,
      textMs: null,
      audioMs: null,
    });
    await closed;
    expect(timeline()).toMatchObject([{ type: 'said', text: 'Thank you for calling.', heardMs: 400 }]);
  });

  it('closes quietly when its thread is dead', async () => {
    thread.refusal = new TrunklineError('MEDIA_THREAD_DIED', 'media-0');
    await agent.close();
    expect(told).toEqual([]);
  });
});
