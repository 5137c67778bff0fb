import { describe, expect, it } from 'vitest';
import {
  parseArguments,
  ToolAssembly,
  type ToolCallDelta,
} from '../../../../src/agent/models/pipeline/tool-assembly.ts';

function assembled(...deltas: ToolCallDelta[]): { id: string; name: string; arguments: string }[] {
  const assembly = new ToolAssembly();
  for (const delta of deltas) assembly.add(delta);
  return assembly.finish();
}

describe('tool calls in pieces', () => {
  it('are put together as OpenAI sends them', () => {
    expect(
      assembled(
        { index: 0, id: 'call_1', function: { name: 'book', arguments: '' } },
        { index: 0, function: { arguments: '{"day":' } },
        { index: 0, function: { arguments: '"monday"}' } },
      ),
    ).toEqual([{ id: 'call_1', name: 'book', arguments: '{"day":"monday"}' }]);
  });

  it('are kept apart by their index, whatever the order', () => {
    expect(
      assembled(
        { index: 0, id: 'a', function: { name: 'book', arguments: '{' } },
        { index: 1, id: 'b', function: { name: 'send_sms', arguments: '{"to"' } },
        { index: 0, function: { arguments: '}' } },
        { index: 1, function: { arguments: ':1}' } },
      ),
    ).toEqual([
      { id: 'a', name: 'book', arguments: '{}' },
      { id: 'b', name: 'send_sms', arguments: '{"to":1}' },
    ]);
  });

  it('may come whole, all with the index 0, or without any', () => {
    const whole = [
      { id: 'a', function: { name: 'book', arguments: '{}' } },
      { id: 'b', function: { name: 'book', arguments: '{"x":1}' } },
    ];
    const calls = whole.map(({ id, function: { name, arguments: given } }) => ({
      id,
      name,
      arguments: given,
    }));
    expect(assembled(...whole)).toEqual(calls);
    expect(assembled(...whole.map((one) => ({ ...one, index: 0 })))).toEqual(calls);
    expect(assembled(...whole.map((one, index) => ({ ...one, index })))).toEqual(calls);
  });

  it('may repeat id and name, cut the name, or lack the id', () => {
    expect(
      assembled(
        { index: 0, id: 'a', function: { name: 'book', arguments: '{' } },
        { index: 0, id: 'a', function: { name: 'book', arguments: '}' } },
      ),
    ).toEqual([{ id: 'a', name: 'book', arguments: '{}' }]);
    expect(
      assembled({ index: 0, id: 'a', function: { name: 'send' } }, { index: 0, function: { name: '_sms' } }),
    ).toEqual([{ id: 'a', name: 'send_sms', arguments: '' }]);
    const [nameless] = assembled({ index: 0, function: { name: 'book', arguments: '{}' } });
    expect(nameless?.id).toMatch(/^call_/);
    expect(assembled({ index: 0, function: { name: 'book' } }, { index: 0, id: 'late' })).toEqual([
      { id: 'late', name: 'book', arguments: '' },
    ]);
  });

  it('are nothing without a name, and null fields are none', () => {
    expect(
      assembled({ index: 0, id: 'a', function: { arguments: '{}' } }, { index: 1, function: null }),
    ).toEqual([]);
    expect(assembled({ index: null, id: null, function: { name: null, arguments: null } })).toEqual([]);
  });

  it('have limits: so many calls, so long arguments', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      index,
      id: `c${index}`,
      function: { name: 'book' },
    }));
    expect(assembled(...many)).toHaveLength(16);
    const endless = Array.from({ length: 50 }, () => ({
      index: 0,
      function: { name: 'book', arguments: 'x'.repeat(1000) },
    }));
    expect(assembled(...endless)[0]?.arguments.length).toBe(32_000);
  });
});

describe('arguments', () => {
  it.each([
    ['', {}],
    ['  ', {}],
    ['{"a":1}', { a: 1 }],
    ['[1]', undefined],
    ['null', undefined],
    ['"text"', undefined],
    ['{"a":', undefined],
  ])('%j are read as %j', (text, value) => {
    expect(parseArguments(text)).toEqual(value);
  });
});
