/** What the registry promises of every tool, whoever wrote it. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { jsonSchemaArguments } from '../../../../src/agent/tools/arguments.ts';
import { withinBudget } from '../../../../src/agent/tools/result-budget.ts';
import { canonicalJson, toolKey } from '../../../../src/agent/tools/tool-key.ts';
import { permits, permittedNames } from '../../../../src/agent/tools/permission.ts';
import { ToolRegistry } from '../../../../src/agent/tools/tool-registry.ts';
import type { Tool, ToolCaller, ToolContext, ToolResult } from '../../../../src/agent/tools/tool.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
  tools: ['act', 'look', 'crm_*'],
});
const caller = (callId = 'call-1'): ToolCaller => ({ callId, profile });

interface Recorder extends Tool<{ word: string; times: number }> {
  readonly runs: { given: unknown; context: ToolContext }[];
  answer: (nth: number) => Promise<ToolResult>;
}

function recorder(name: string, more: { repeatable?: boolean } = {}): Recorder {
  const recorded: Recorder = {
    name,
    description: name,
    arguments: z.strictObject({ word: z.string(), times: z.int().default(1) }),
    timeoutMs: 1000,
    runs: [],
    answer: (nth) => Promise.resolve({ ok: true, nth }),
    run(given, context) {
      this.runs.push({ given, context });
      return this.answer(this.runs.length);
    },
    ...more,
  };
  return recorded;
}

describe('a tool that acts', () => {
  it('is run once for one wish, and answers every time', async () => {
    const act = recorder('act');
    const registry = new ToolRegistry({ tools: [act] });
    const results = await Promise.all([
      registry.run('act', { word: 'a', times: 1 }, caller()),
      registry.run('act', { times: 1, word: 'a' }, caller()),
      registry.run('act', { word: 'a' }, caller()),
    ]);
    results.push(await registry.run('act', { word: 'a' }, caller()));
    expect(results).toEqual(Array(4).fill({ ok: true, nth: 1 }));
    expect(act.runs).toHaveLength(1);
  });

  it('is run again for other arguments, another call, and after the call was forgotten', async () => {
    const act = recorder('act');
    const registry = new ToolRegistry({ tools: [act] });
    await registry.run('act', { word: 'a' }, caller());
    await registry.run('act', { word: 'b' }, caller());
    await registry.run('act', { word: 'a' }, caller('call-2'));
    registry.callEnded('call-1');
    await registry.run('act', { word: 'a' }, caller());
    const keys = act.runs.map(({ context }) => context.key);
    expect(new Set(keys).size).toBe(3);
    expect(keys[3]).toBe(keys[0]);
  });

  it('may be tried again after a failure, with the same key', async () => {
    const act = recorder('act');
    const registry = new ToolRegistry({ tools: [act] });
    act.answer = (nth) => {
      if (nth === 1) return Promise.reject(new Error('it fell over'));
      return Promise.resolve(nth === 2 ? { ok: false, reason: 'Not now.' } : { ok: true });
    };
    await expect(registry.run('act', { word: 'a' }, caller())).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      detail: 'act: it fell over',
    });
    expect(await registry.run('act', { word: 'a' }, caller())).toEqual({ ok: false, reason: 'Not now.' });
    expect(await registry.run('act', { word: 'a' }, caller())).toEqual({ ok: true });
    expect(new Set(act.runs.map(({ context }) => context.key)).size).toBe(1);
  });

  it('is told when its time is up, and joined when it is asked for again meanwhile', async () => {
    const clock = new ManualClock();
    const act = recorder('act');
    const late = Promise.withResolvers<ToolResult>();
    act.answer = () => late.promise;
    const registry = new ToolRegistry({ tools: [act], clock });
    const first = registry.run('act', { word: 'a' }, caller());
    first.catch(() => undefined);
    await Promise.resolve();
    clock.advance(1000);
    await expect(first).rejects.toMatchObject({
      code: 'TOOL_TIMEOUT',
      detail: 'act took longer than 1000 ms',
    });
    expect(act.runs[0]?.context.signal.aborted).toBe(true);
    const second = registry.run('act', { word: 'a' }, caller());
    late.resolve({ ok: true, late: true });
    expect(await second).toEqual({ ok: true, late: true });
    expect(act.runs).toHaveLength(1);
  });

  it('gets defaults filled in, and the caller as it was given', async () => {
    const act = recorder('act');
    const registry = new ToolRegistry({ tools: [act] });
    await registry.run('act', { word: 'a' }, { ...caller(), tenant: 'acme' });
    expect(act.runs[0]).toMatchObject({
      given: { word: 'a', times: 1 },
      context: {
        callId: 'call-1',
        tenant: 'acme',
        key: expect.stringMatching(/^tool_[0-9a-f]{32}$/) as string,
      },
    });
  });
});

describe('a tool that only looks', () => {
  it('looks again each time', async () => {
    const look = recorder('look', { repeatable: true });
    const registry = new ToolRegistry({ tools: [look] });
    expect(await registry.run('look', { word: 'a' }, caller())).toEqual({ ok: true, nth: 1 });
    expect(await registry.run('look', { word: 'a' }, caller())).toEqual({ ok: true, nth: 2 });
  });
});

describe('the limit of tools under way', () => {
  it('is of each call, and counts what is not back yet even after its time', async () => {
    const clock = new ManualClock();
    const act = recorder('act');
    const open: ((result: ToolResult) => void)[] = [];
    act.answer = () => new Promise((resolve) => open.push(resolve));
    const limits = { underWayMax: 2, resultCharsMax: 4000 };
    const registry = new ToolRegistry({ tools: [act], clock, limits });
    const running = ['a', 'b'].map((word) => registry.run('act', { word }, caller()));
    for (const one of running) one.catch(() => undefined);
    await Promise.resolve();
    clock.advance(1000);
    await Promise.allSettled(running);
    await expect(registry.run('act', { word: 'c' }, caller())).rejects.toMatchObject({
      code: 'TOOL_TOO_MANY',
      detail: 'act: 2 are under way',
    });
    const elsewhere = registry.run('act', { word: 'c' }, caller('call-2'));
    await Promise.resolve();
    for (const resolve of open) resolve({ ok: true });
    expect(await elsewhere).toEqual({ ok: true });
    const again = registry.run('act', { word: 'd' }, caller());
    await Promise.resolve();
    open.at(-1)?.({ ok: true });
    expect(await again).toEqual({ ok: true });
  });
});

describe('tools that come and go', () => {
  it('replace what their source offered before, and never take a name that is taken', async () => {
    const registry = new ToolRegistry({ tools: [recorder('act')] });
    const clash = registry.offer('crm', [recorder('crm_find'), recorder('act'), recorder('bad name')]);
    expect(clash).toEqual(['act', 'bad name']);
    expect(registry.offer('other', [recorder('crm_find')])).toEqual(['crm_find']);
    expect(await registry.run('crm_find', { word: 'x' }, caller())).toMatchObject({ ok: true });
    expect(registry.offer('crm', [recorder('crm_save')])).toEqual([]);
    expect(Object.keys(registry.declarations())).toEqual(['act', 'crm_save']);
    await expect(registry.run('crm_find', { word: 'x' }, caller())).rejects.toMatchObject({
      code: 'TOOL_UNKNOWN',
    });
  });

  it.each([
    [['a_tool'], 'a_tool', true],
    [['a_tool'], 'a_tool2', false],
    [['crm_*'], 'crm_find', true],
    [['crm_*'], 'crmfind', false],
    [['*'], 'anything', true],
    [[], 'anything', false],
  ])('are permitted by a profile: %j, %s: %j', (allowed, name, expected) => {
    expect(permits(allowed, name)).toBe(expected);
  });

  it('are told to models by their names, those of a pattern as far as they are known', () => {
    const known = ['crm_find', 'crm_save', 'other'];
    expect(permittedNames(['act', 'crm_*', 'crm_find'], known)).toEqual(['act', 'crm_find', 'crm_save']);
    expect(permittedNames([], known)).toEqual([]);
  });

  it.each(['', 'two words', 'x'.repeat(65), 'ü'])('are not called "%s"', (name) => {
    expect(() => new ToolRegistry({ tools: [recorder(name)] })).toThrow('is no name for a tool');
  });
});

describe('keys', () => {
  it('are the same for equal arguments in any order, at any depth', () => {
    const one = { a: 1, b: { c: [1, { d: 2, e: 3 }], f: null } };
    const other = { b: { f: null, c: [1, { e: 3, d: 2 }] }, a: 1, gone: undefined };
    expect(canonicalJson(one)).toBe('{"a":1,"b":{"c":[1,{"d":2,"e":3}],"f":null}}');
    expect(toolKey('call', 'tool', one)).toBe(toolKey('call', 'tool', other));
  });

  it.each([
    ['another call', 'call2', 'tool', { a: 1 }],
    ['another tool', 'call', 'tool2', { a: 1 }],
    ['another value', 'call', 'tool', { a: 2 }],
    ['another type', 'call', 'tool', { a: '1' }],
    ['another order of a list', 'call', 'tool', { a: [2, 1] }],
    ['nothing', 'call', 'tool', undefined],
  ])('differ for %s', (_, callId, name, given) => {
    expect(toolKey(callId, name, given)).not.toBe(toolKey('call', 'tool', { a: 1 }));
    expect(toolKey(callId, name, given)).not.toBe(toolKey('call', 'tool', { a: [1, 2] }));
  });
});

describe('arguments by JSON Schema', () => {
  const shape = jsonSchemaArguments({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      order: { type: 'string', pattern: '^[A-Z]{2}\\d+$' },
      count: { type: 'integer', minimum: 1 },
    },
    required: ['order'],
    additionalProperties: false,
  });

  it('pass when they fit', () => {
    expect(shape.read({ order: 'AB12', count: 2 })).toEqual({ ok: true, value: { order: 'AB12', count: 2 } });
  });

  it.each([
    [{}, "the arguments must have required property 'order'"],
    [{ order: 'ab' }, 'order must match pattern "^[A-Z]{2}\\d+$"'],
    [{ order: 'AB1', count: 0 }, 'count must be >= 1'],
    [{ order: 'AB1', pin: '1234' }, 'the arguments must NOT have additional properties ("pin")'],
    ['text', 'the arguments must be object'],
    [null, 'the arguments must be object'],
  ])('are refused when they do not: %j', (given, problem) => {
    const read = shape.read(given);
    expect(read).toEqual({ ok: false, problem });
    expect(JSON.stringify(read)).not.toContain('1234');
  });

  it.each([
    [{ type: 'string' }, 'must be of type object'],
    [{}, 'must be of type object'],
    [{ type: 'object', properties: { a: { $ref: 'https://elsewhere.test/a.json' } } }, "can't resolve"],
    [{ type: 'object', properties: { a: { type: 'nonsense' } } }, 'schema is invalid'],
    [{ type: 'object', description: 'x'.repeat(60_000) }, 'longer than 50000 characters'],
  ])('need a schema that is one: %j', (schema, problem) => {
    expect(() => jsonSchemaArguments(schema)).toThrow(problem);
  });

  it('may have the same $id as another schema', () => {
    const twin = { $id: 'https://mcp.test/tool', type: 'object' };
    expect(() => [jsonSchemaArguments(twin), jsonSchemaArguments(twin)]).not.toThrow();
  });
});

describe('the budget of a result', () => {
  const size = (result: ToolResult): number => JSON.stringify(result).length;

  it('leaves alone what fits', () => {
    const result: ToolResult = { ok: true, text: 'x'.repeat(50) };
    expect(withinBudget(result, 100)).toBe(result);
  });

  it.each([200, 500, 1000, 4000])('is held at %i characters, whatever the result', (charsMax) => {
    const deep = (depth: number): unknown => (depth === 0 ? 'leaf' : { next: deep(depth - 1) });
    const results: ToolResult[] = [
      { ok: true, text: 'x'.repeat(9000) },
      { ok: false, reason: 'y'.repeat(9000) },
      { ok: true, list: Array.from({ length: 5000 }, (_, index) => ({ index, name: 'n'.repeat(20) })) },
      { ok: true, deep: deep(1000) },
      { ok: true, quotes: '"\\'.repeat(5000) },
      { ok: true, ...Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`key${index}`, index])) },
    ];
    for (const result of results) {
      const cut = withinBudget(result, charsMax);
      expect(size(cut)).toBeLessThanOrEqual(charsMax);
      expect(cut).toMatchObject({ ok: result.ok, cut: true });
      if (!result.ok) expect(cut).toHaveProperty('reason');
    }
  });

  it('says what was cut', () => {
    const cut = withinBudget({ ok: true, list: ['a', 'b'], text: 'x'.repeat(1000) }, 300);
    expect(cut).toEqual({
      ok: true,
      list: ['a', 'b'],
      text: `${'x'.repeat(150)}… (cut: 150 of 1000 characters)`,
      cut: true,
    });
    const many = withinBudget({ ok: true, list: Array.from({ length: 400 }, () => 'abcdefgh') }, 400);
    expect(JSON.stringify(many)).toMatch(/… \(cut: \d+ of 400 entries\)/);
  });
});
