import { describe, expect, it } from 'vitest';
import type { ClientEvent, ResponseRequest } from '../../../../src/agent/models/realtime/client-events.ts';
import { waiting_responses_max } from '../../../../src/agent/models/realtime/limits.ts';
import { ResponseQueue } from '../../../../src/agent/models/realtime/response-queue.ts';

const turn: ResponseRequest = { purpose: 'turn', tools: true };
const tool: ResponseRequest = { purpose: 'tool', tools: true };
const say = (instructions: string): ResponseRequest => ({ purpose: 'say', instructions, tools: false });

function recorded(): { queue: ResponseQueue; asked: string[]; ids: string[] } {
  const asked: string[] = [];
  const ids: string[] = [];
  const queue = new ResponseQueue((event: ClientEvent) => {
    if (event.type !== 'response.create') throw new Error(event.type);
    asked.push(event.response?.instructions ?? event.response?.metadata?.['purpose'] ?? '');
    ids.push(event.event_id ?? '');
  });
  return { queue, asked, ids };
}

describe('the queue of responses', () => {
  it('asks at once when nothing runs, and then one after the other', () => {
    const { queue, asked } = recorded();
    queue.ask(say('one'));
    queue.ask(say('two'));
    expect(asked).toEqual(['one']);
    expect(queue.running).toBeNull();
    queue.created('r1', 'say');
    expect(queue.running).toEqual({ id: 'r1', request: say('one') });
    expect(queue.done('r1')).toBe(true);
    expect(asked).toEqual(['one', 'two']);
    expect(queue.busy).toBe(true);
  });

  it('knows a response that the server began by itself', () => {
    const { queue, asked } = recorded();
    queue.created('r1', undefined);
    expect(queue.running).toEqual({ id: 'r1', request: null });
    queue.ask(say('one'));
    expect(asked).toEqual([]);
    queue.done('r1');
    expect(asked).toEqual(['one']);
  });

  it('asks again for what was refused because the server was faster', () => {
    const { queue, asked } = recorded();
    queue.ask(say('one'));
    queue.created('r1', undefined);
    queue.refusedAsBusy();
    queue.ask(say('two'));
    queue.done('r1');
    expect(asked).toEqual(['one', 'one']);
    queue.created('r2', 'say');
    queue.done('r2');
    expect(asked).toEqual(['one', 'one', 'two']);
  });

  it('asks again at once when the faster one is over already', () => {
    const { queue, asked } = recorded();
    queue.ask(say('one'));
    queue.refusedAsBusy();
    expect(asked).toEqual(['one', 'one']);
  });

  it('gets on with servers that do not give metadata back', () => {
    const { queue, asked } = recorded();
    queue.ask(say('one'));
    queue.ask(say('two'));
    queue.created('r1', undefined);
    queue.done('r1');
    expect(asked).toEqual(['one', 'two']);
    queue.created('r2', undefined);
    queue.done('r2');
    expect(queue.busy).toBe(false);
  });

  it('goes on when one is refused for good, and only for its own id', () => {
    const { queue, asked, ids } = recorded();
    queue.ask(say('one'));
    queue.ask(say('two'));
    expect(queue.refused('someone else')).toBe(false);
    expect(queue.refused(ids[0] ?? '')).toBe(true);
    expect(asked).toEqual(['one', 'two']);
    expect(new Set(ids).size).toBe(2);
  });

  it('asks once for what needs no words, however often it is wanted', () => {
    const { queue, asked } = recorded();
    queue.created('r1', undefined);
    queue.ask(turn);
    queue.ask(turn);
    queue.ask(tool);
    queue.done('r1');
    queue.created('r2', 'turn');
    queue.done('r2');
    queue.created('r3', 'tool');
    queue.done('r3');
    expect(asked).toEqual(['turn', 'tool']);
  });

  it('does not answer a turn that the server answered after all', () => {
    const { queue, asked } = recorded();
    queue.created('r1', undefined);
    queue.ask(turn);
    queue.created('r2', undefined);
    queue.done('r2');
    expect(asked).toEqual([]);
    expect(queue.busy).toBe(false);
  });

  it('forgets what is no longer wanted', () => {
    const { queue, asked } = recorded();
    queue.ask(say('one'));
    queue.created('r1', 'say');
    queue.ask(say('two'));
    queue.ask(turn);
    queue.forget('say', 'tool');
    queue.done('r1');
    expect(asked).toEqual(['one', 'turn']);
  });

  it('ignores the end of a response that does not run', () => {
    const { queue } = recorded();
    queue.created('r1', undefined);
    expect(queue.done('r0')).toBe(false);
    expect(queue.busy).toBe(true);
  });

  it('drops the oldest when too many wait, and counts it', () => {
    const { queue, asked } = recorded();
    queue.created('r1', undefined);
    for (let index = 0; index <= waiting_responses_max; index += 1) queue.ask(say(String(index)));
    expect(queue.dropped).toBe(1);
    queue.done('r1');
    expect(asked).toEqual(['1']);
  });
});
