import { describe, expect, it } from 'vitest';
import { tool_result_chars_max } from '../../../../src/agent/models/limits.ts';
import { toolOutput } from '../../../../src/agent/models/realtime/client-events.ts';
import { tool_calls_max } from '../../../../src/agent/models/voice-socket/limits.ts';
import { ToolCalls } from '../../../../src/agent/models/voice-socket/tool-calls.ts';

interface Recorded {
  readonly tools: ToolCalls;
  readonly called: { callId: string; name: string; arguments: unknown }[];
  readonly outputs: { call_id: string; output: string }[];
  replies: number;
}

function recorded(): Recorded {
  const outputs: Recorded['outputs'] = [];
  const called: Recorded['called'] = [];
  const self: Recorded = {
    called,
    outputs,
    replies: 0,
    tools: new ToolCalls({
      answer(callId, result) {
        const { item } = toolOutput(callId, result);
        if (item.type === 'function_call_output')
          outputs.push({ call_id: item.call_id, output: item.output });
      },
      call: (call) => called.push(call),
      reply: () => (self.replies += 1),
    }),
  };
  return self;
}

const item = (callId: string, args = '{}', name = 'book'): Parameters<ToolCalls['called']>[0] => ({
  name,
  call_id: callId,
  arguments: args,
});

describe('tool calls', () => {
  it('wait for every result and for the end of their response, then the model speaks once', () => {
    const it = recorded();
    it.tools.called(item('a', '{"day":1}'));
    it.tools.answer('a', { ok: true });
    expect(it.replies).toBe(0);
    it.tools.called(item('b'));
    it.tools.responseDone();
    expect(it.replies).toBe(0);
    it.tools.answer('b', null);
    expect(it.replies).toBe(1);
    expect(it.called[0]).toEqual({ callId: 'a', name: 'book', arguments: { day: 1 } });
    expect(it.outputs).toEqual([
      { call_id: 'a', output: '{"ok":true}' },
      { call_id: 'b', output: 'null' },
    ]);
  });

  it('are answered once', () => {
    const it = recorded();
    it.tools.called(item('a'));
    it.tools.called(item('a'));
    it.tools.responseDone();
    it.tools.answer('a', 1);
    it.tools.answer('a', 2);
    it.tools.answer('never', 3);
    expect(it.called).toHaveLength(1);
    expect(it.outputs).toEqual([{ call_id: 'a', output: '1' }]);
    expect(it.replies).toBe(1);
  });

  it.each(['{"day":', '[]', '"tomorrow"', '7', 'null'])('with the arguments %s are refused', (args) => {
    const it = recorded();
    it.tools.called(item('a', args));
    it.tools.responseDone();
    expect(it.called).toEqual([]);
    expect(JSON.parse(it.outputs[0]?.output ?? '')).toMatchObject({ ok: false });
    expect(it.replies).toBe(1);
  });

  it.each(['', '  '])('without arguments (%j) get an empty object', (args) => {
    const it = recorded();
    it.tools.called(item('a', args));
    expect(it.called[0]?.arguments).toEqual({});
  });

  it('are refused beyond the limit', () => {
    const it = recorded();
    for (let index = 0; index <= tool_calls_max; index += 1) it.tools.called(item(String(index)));
    expect(it.called).toHaveLength(tool_calls_max);
    expect(it.outputs).toHaveLength(1);
    expect(it.outputs[0]?.call_id).toBe(String(tool_calls_max));
  });

  it('named hang_up keep nobody waiting', () => {
    const it = recorded();
    it.tools.called(item('a'));
    it.tools.called(item('b', '{}', 'hang_up'));
    it.tools.responseDone();
    it.tools.answer('a', { ok: true });
    expect(it.replies).toBe(1);
    it.tools.answer('b', { ok: false });
    expect(it.replies).toBe(2);
  });

  it('without a name or an id are nothing', () => {
    const it = recorded();
    it.tools.called({ call_id: 'a' });
    it.tools.called({ name: 'book' });
    it.tools.responseDone();
    expect([it.called, it.outputs, it.replies]).toEqual([[], [], 0]);
  });

  it('have results of a bounded size', () => {
    const it = recorded();
    it.tools.called(item('a'));
    it.tools.answer('a', 'x'.repeat(tool_result_chars_max * 2));
    expect(it.outputs[0]?.output).toHaveLength(tool_result_chars_max);
  });
});
