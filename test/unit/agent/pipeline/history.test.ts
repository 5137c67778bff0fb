import { describe, expect, it } from 'vitest';
import { History } from '../../../../src/agent/models/pipeline/history.ts';

const history = (charsMax = 10_000): History => new History({ system: 'Be brief.', charsMax });
const call = (id: string, name = 'book', given = '{"day":"monday"}') => ({ id, name, arguments: given });

/** Role and text, one line per message. */
const lines = (of: History): string[] =>
  of.messages().map((message) => {
    const calls = message.role === 'assistant' ? message.tool_calls?.map((one) => one.id).join() : undefined;
    const text = typeof message.content === 'string' ? message.content : '-';
    return `${message.role}: ${text}${calls === undefined ? '' : ` [${calls}]`}`;
  });

describe('the conversation as the model is told it', () => {
  it('holds what was said, in order, after the instructions', () => {
    const told = history();
    told.heard('Hello.');
    told.said('item-1', 'Good morning.');
    told.heard('An appointment, please.');
    expect(lines(told)).toEqual([
      'system: Be brief.',
      'user: Hello.',
      'assistant: Good morning.',
      'user: An appointment, please.',
    ]);
  });

  it('never begins with the assistant, for templates that do not take that', () => {
    const told = history();
    told.said('greeting', 'Good morning.');
    expect(lines(told)).toEqual([
      'system: Be brief.',
      'user: [The call begins.]',
      'assistant: Good morning.',
    ]);
  });

  it('makes one turn of two in a row', () => {
    const told = history();
    told.heard('I need');
    told.heard('an appointment.');
    told.said('item-1', 'Which day?');
    told.said('item-2', 'Are you still there?');
    expect(lines(told).slice(1)).toEqual([
      'user: I need an appointment.',
      'assistant: Which day? Are you still there?',
    ]);
  });

  it('keeps the latest text of an item, and only what was heard of it', () => {
    const told = history();
    told.heard('When are you open?');
    told.said('item-1', 'We are open');
    told.said('item-1', 'We are open from eight to six on every day.');
    told.heard('And on Sunday?');
    told.said('item-1', 'We are open from…');
    expect(lines(told).slice(2)).toEqual(['assistant: We are open from…', 'user: And on Sunday?']);
    told.said('item-1', '');
    expect(lines(told).slice(1)).toEqual(['user: When are you open?', 'user: And on Sunday?']);
  });

  it('puts results behind their calls, whatever was said meanwhile', () => {
    const told = history();
    told.heard('Book it.');
    told.said('item-1', 'Let me see.');
    told.called([call('a'), call('b', 'send_sms', '')]);
    told.answered('b', { ok: true });
    told.said('filler', 'One moment, please.');
    told.heard('Hello?');
    told.answered('a', { ok: false, reason: 'full' });
    told.said('item-2', 'That day is full.');
    expect(lines(told).slice(2)).toEqual([
      'assistant: Let me see. One moment, please. [a,b]',
      'tool: {"ok":false,"reason":"full"}',
      'tool: {"ok":true}',
      'user: Hello?',
      'assistant: That day is full.',
    ]);
  });

  it('says of a call without a result that it runs, and gives empty arguments as an object', () => {
    const told = history();
    told.heard('Book it.');
    told.called([call('a', 'book', '')]);
    expect(told.messages().slice(2)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'book', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: '{"status":"still running"}' },
    ]);
  });

  it('keeps rounds of tools apart', () => {
    const told = history();
    told.heard('Book it.');
    told.called([call('a')]);
    told.answered('a', 1);
    told.called([call('b')]);
    told.answered('b', undefined);
    told.said('item-1', 'Done.');
    expect(lines(told).slice(2)).toEqual([
      'assistant: - [a]',
      'tool: 1',
      'assistant: - [b]',
      'tool: null',
      'assistant: Done.',
    ]);
  });

  it('ignores results of calls that it does not know', () => {
    const told = history();
    told.answered('nobody', 1);
    expect(lines(told)).toEqual(['system: Be brief.']);
  });
});

describe('the budget of a conversation', () => {
  it('forgets the oldest first, and never the instructions or the newest', () => {
    const told = history(300);
    for (let turn = 0; turn < 50; turn += 1) {
      told.heard(`Question number ${turn}?`);
      told.said(`item-${turn}`, `Answer number ${turn}.`);
      const size = told
        .messages()
        .reduce((sum, { content }) => sum + (typeof content === 'string' ? content.length : 0), 0);
      expect(size).toBeLessThan(330);
      expect(lines(told)[0]).toBe('system: Be brief.');
      expect(lines(told).at(-1)).toBe(`assistant: Answer number ${turn}.`);
    }
    const huge = history(100);
    huge.heard('Hello?');
    huge.heard('x'.repeat(500));
    expect(lines(huge).at(-1)).toContain('xxx');
  });

  it('forgets several turns at once, so that the beginning stays the same for a while', () => {
    const told = history(400);
    const beginnings = new Set<string>();
    for (let turn = 0; turn < 20; turn += 1) {
      told.heard(`Question ${turn}?`.padEnd(30, '.'));
      told.said(`item-${turn}`, 'Yes.');
      beginnings.add(lines(told)[1] ?? '');
    }
    expect(beginnings.size).toBeLessThan(9);
  });

  it('never parts a call from its result', () => {
    for (let charsMax = 60; charsMax < 400; charsMax += 7) {
      const told = history(charsMax);
      for (let turn = 0; turn < 8; turn += 1) {
        told.heard(`Please number ${turn}.`);
        told.called([call(`a${turn}`), call(`b${turn}`)]);
        told.answered(`a${turn}`, { ok: true });
        told.answered(`b${turn}`, { ok: true });
        told.said(`item-${turn}`, 'Done.');
      }
      const messages = told.messages();
      const called = messages
        .flatMap((one) => ('tool_calls' in one ? (one.tool_calls ?? []) : []))
        .map((one) => one.id);
      const answered = messages.flatMap((one) => (one.role === 'tool' ? [one.tool_call_id] : []));
      expect(answered).toEqual(called);
      expect(messages[1]?.role).toBe('user');
    }
  });

  it('cuts what is larger than anything should be', () => {
    const told = history(1_000_000);
    told.heard('x'.repeat(100_000));
    told.called([call('a')]);
    told.answered('a', 'y'.repeat(100_000));
    const [, user, , result] = told.messages();
    expect(user?.content?.length).toBe(32_000);
    expect(result?.content?.length).toBe(16_000);
  });
});
