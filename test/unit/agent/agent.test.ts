import { describe, expect, it } from 'vitest';
import { Agent, type AgentEvents, type ToolRunner } from '../../../src/agent/agent.ts';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import type { ToolResult } from '../../../src/agent/tools/tool.ts';
import { modelUsage } from '../../../src/agent/usage.ts';
import type { VoiceCommand } from '../../../src/agent/voice-control.ts';
import { TrunklineError } from '../../../src/base/errors.ts';

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
});
const usage = modelUsage({ model: 'm', source: 'response', outputAudioTokens: 3 });
const NAMES = ['ready', 'heard', 'said', 'toolRan', 'usage', 'hangUp', 'failed'] as const;

interface Scene {
  agent: Agent;
  sent: VoiceCommand[];
  told: { name: keyof AgentEvents; payload: unknown }[];
  /** Resolves with the next tool run that is told. */
  toolRan: () => Promise<AgentEvents['toolRan']>;
}

function agentWith(run: ToolRunner['run']): Scene {
  const sent: VoiceCommand[] = [];
  const told: Scene['told'] = [];
  const tools = { run };
  const agent = new Agent({ callId: 'call-1', profile, tools, send: (command) => sent.push(command) });
  for (const name of NAMES) agent.events.on(name, (payload) => told.push({ name, payload }));
  const toolRan = (): Promise<AgentEvents['toolRan']> =>
    new Promise((resolve) => agent.events.once('toolRan', resolve));
  return { agent, sent, told, toolRan };
}

/** An agent whose call is answered. */
function answeredWith(run: ToolRunner['run']): Scene {
  const scene = agentWith(run);
  scene.agent.greet();
  scene.sent.length = 0;
  return scene;
}

const ok = (): Promise<ToolResult> => Promise.resolve({ ok: true, answer: 42 });
const toolCall = { type: 'tool.call', callId: 'tool-1', name: 'book', arguments: { a: 1 } };

describe('Agent', () => {
  it('gives the spec that opens its voice', () => {
    expect(agentWith(ok).agent.spec).toEqual({ callId: 'call-1', profile });
  });

  it('sends its commands to the voice', () => {
    const { agent, sent } = agentWith(ok);
    agent.greet();
    agent.say('One moment.');
    agent.digit('5');
    expect(sent).toEqual([
      { type: 'greet' },
      { type: 'say', text: 'One moment.' },
      { type: 'digit', digit: '5' },
    ]);
  });

  it.each([
    ['ready', { type: 'ready' }, {}],
    [
      'heard',
      { type: 'heard', utteranceId: 'u', text: 'hi', final: true, startedMs: 1, endedMs: 2 },
      { text: 'hi', final: true },
    ],
    [
      'said',
      {
        type: 'said',
        itemId: 'i',
        text: 'Hello.',
        heardMs: 20,
        totalMs: 40,
        interrupted: true,
        startedMs: 5,
        responseMs: null,
        textMs: null,
        audioMs: null,
      },
      { text: 'Hello.', heardMs: 20, interrupted: true },
    ],
    ['usage', { type: 'usage', usage }, { usage }],
    ['hangUp', { type: 'hang_up', reason: 'goodbye' }, { reason: 'goodbye' }],
    [
      'failed',
      { type: 'failed', code: 'MODEL_UNAVAILABLE', detail: 'gone', retryable: false },
      { code: 'MODEL_UNAVAILABLE', retryable: false },
    ],
  ] as const)('tells %s', (name, event, payload) => {
    const { agent, told } = agentWith(ok);
    agent.voiceEvent(event);
    expect(told).toHaveLength(1);
    expect(told[0]?.name).toBe(name);
    expect(told[0]?.payload).toMatchObject(payload);
  });

  it.each([[null], [{}], [{ type: 'unknown' }], [{ type: 'ready', more: 1 }], ['ready']])(
    'refuses the event %j with a code',
    (event) => {
      const { agent, told } = agentWith(ok);
      agent.voiceEvent(event);
      expect(told).toHaveLength(1);
      expect(told[0]).toMatchObject({
        name: 'failed',
        payload: { code: 'VOICE_COMMAND_INVALID', retryable: true },
      });
    },
  );

  it('runs a tool and gives its result to the voice', async () => {
    const asked: unknown[] = [];
    const { agent, sent, toolRan } = answeredWith((...given) => {
      asked.push(given);
      return ok();
    });
    const ran = toolRan();
    agent.voiceEvent(toolCall);
    expect(await ran).toMatchObject({ name: 'book', arguments: { a: 1 }, code: null, result: { ok: true } });
    expect(asked).toMatchObject([['book', { a: 1 }, { callId: 'call-1', profile }]]);
    expect(sent).toEqual([{ type: 'tool.result', callId: 'tool-1', result: { ok: true, answer: 42 } }]);
  });

  it.each([
    [new TrunklineError('TOOL_UNKNOWN', 'no such tool'), 'TOOL_UNKNOWN'],
    [new Error('it broke'), 'TOOL_FAILED'],
  ])('tells the model that a tool failed, and the operator why (%#)', async (failure, code) => {
    const { agent, sent, told, toolRan } = answeredWith(() => Promise.reject(failure));
    const ran = toolRan();
    agent.voiceEvent(toolCall);
    expect(await ran).toMatchObject({ code, result: { ok: false } });
    expect(sent).toMatchObject([{ type: 'tool.result', callId: 'tool-1', result: { ok: false } }]);
    expect(told.find((one) => one.name === 'failed')?.payload).toMatchObject({ code, retryable: true });
  });

  it('tells what a tool did even when the call ended meanwhile, but sends nothing more', async () => {
    let finish: (result: ToolResult) => void = () => undefined;
    const { agent, sent, told, toolRan } = answeredWith(() => new Promise((resolve) => (finish = resolve)));
    const ran = toolRan();
    agent.voiceEvent(toolCall);
    agent.close();
    finish({ ok: true });
    expect(await ran).toMatchObject({ result: { ok: true } });
    agent.voiceEvent({ type: 'ready' });
    agent.greet();
    expect(sent).toEqual([]);
    expect(told.map((one) => one.name)).toEqual(['toolRan']);
  });

  it('tells a model what was wrong with its arguments', async () => {
    const { agent, sent, toolRan } = answeredWith(() =>
      Promise.reject(new TrunklineError('TOOL_ARGUMENTS_INVALID', 'book: name is missing')),
    );
    const ran = toolRan();
    agent.voiceEvent(toolCall);
    expect((await ran).code).toBe('TOOL_ARGUMENTS_INVALID');
    expect(sent).toMatchObject([{ result: { ok: false, problem: 'book: name is missing' } }]);
  });

  it('gives keys and words to the tool that waits for them, and no secret to anybody else', async () => {
    const digits: string[] = [];
    const { agent, sent, told, toolRan } = answeredWith((_name, _given, { keypad }) => {
      const { promise, resolve } = Promise.withResolvers<ToolResult>();
      const stop = keypad?.listen({
        secret: true,
        pressed: (key) => digits.push(key),
        heard: (text) => {
          keypad.secrets.keep('4711');
          stop?.();
          resolve({ ok: true, digits: text });
        },
        ended: () => undefined,
      });
      return promise;
    });
    const ran = toolRan();
    agent.voiceEvent(toolCall);
    expect([agent.digit('4'), agent.digit('7')]).toEqual(['secret', 'secret']);
    const words = { type: 'heard', utteranceId: 'u', text: '4711', final: true, startedMs: 1, endedMs: 2 };
    agent.voiceEvent(words);
    expect((await ran).result).toEqual({ ok: true, digits: '•••' });
    expect(agent.digit('1')).toBe('free');
    expect(sent).toEqual([
      { type: 'tool.result', callId: 'tool-1', result: { ok: true, digits: '4711' } },
      { type: 'digit', digit: '1' },
    ]);
    expect(digits).toEqual(['4', '7']);
    expect(JSON.stringify(told)).not.toContain('4711');
  });

  it('tells tools and their runner of the end of the call', () => {
    const ends: string[] = [];
    const tools = { run: ok, callEnded: (callId: string) => ends.push(callId) };
    const agent = new Agent({ callId: 'call-1', profile, tools, send: () => undefined });
    agent.close();
    expect(ends).toEqual(['call-1']);
  });

  it('keeps the tools that a quick model asks for until the call is answered', async () => {
    const { agent, sent, toolRan } = agentWith(ok);
    agent.voiceEvent(toolCall);
    expect(sent).toEqual([]);
    const ran = toolRan();
    agent.greet();
    expect(await ran).toMatchObject({ name: 'book', result: { ok: true } });
    expect(sent.map(({ type }) => type)).toEqual(['greet', 'tool.result']);
  });

  it('runs no tool for a call that was never answered', () => {
    let runs = 0;
    const { agent } = agentWith(() => {
      runs += 1;
      return ok();
    });
    agent.voiceEvent(toolCall);
    agent.close();
    agent.greet();
    expect(runs).toBe(0);
  });
});
