/** MCP servers made with the protocol's own package: a program, and one over HTTP. */
import { fileURLToPath } from 'node:url';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GuardedHttp } from '../../../src/agent/tools/http/guarded-http.ts';
import { mcpServerSchema } from '../../../src/agent/tools/mcp/declaration.ts';
import { mcpResult } from '../../../src/agent/tools/mcp/mcp-result.ts';
import { McpServers } from '../../../src/agent/tools/mcp/mcp-servers.ts';
import { ToolRegistry } from '../../../src/agent/tools/tool-registry.ts';
import type { ToolResult } from '../../../src/agent/tools/tool.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { McpHttpServer } from '../../support/mcp/http.ts';
import { until } from '../../support/until.ts';
import { callerOf } from '../../unit/agent/tools/stage.ts';

const STDIO = fileURLToPath(new URL('../../support/mcp/stdio.ts', import.meta.url));
const program = { name: 'shop', command: process.execPath, args: [STDIO], env: { MCP_TEST: 'a secret' } };

let registry: ToolRegistry;
let servers: McpServers[];
let http: GuardedHttp;
let clock: ManualClock;
let log: Record<string, unknown>[];
let remote: McpHttpServer | undefined;

beforeEach(() => {
  registry = new ToolRegistry({ tools: [] });
  servers = [];
  http = new GuardedHttp({ networks: ['127.0.0.1'] });
  clock = new ManualClock();
  log = [];
  remote = undefined;
});
afterEach(async () => {
  await Promise.all(servers.map((one) => one.close()));
  await http.close();
  await remote?.close();
});

async function start(declared: object, guard = http): Promise<McpServers> {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const started = await McpServers.start([mcpServerSchema.parse(declared)], {
    offer: (source, tools) => registry.offer(source, tools),
    http: guard,
    log: pino({ level: 'debug', base: null }, sink),
    clock,
    // The clock stands still: a start returns with the tools, or when a test lets the clock go on.
    patienceMs: 1,
  });
  servers.push(started);
  return started;
}

const run = (name: string, given: object = {}, callId = 'call-1'): Promise<ToolResult> =>
  registry.run(name, given, callerOf({ callId }));
const names = (): string[] => Object.keys(registry.declarations());
const GONE = {
  ok: false,
  reason: 'That is not possible at the moment.',
  problem: 'the server shop is not connected',
};

const servedBy = ['a program', 'HTTP'] as const;
const declare = async (kind: (typeof servedBy)[number], more: object = {}): Promise<object> => {
  if (kind === 'a program') return { ...program, ...more };
  remote = await McpHttpServer.start();
  return { name: 'shop', url: remote.url, headers: { authorization: 'Bearer token' }, ...more };
};

describe.each(servedBy)('a server by %s', { timeout: 30_000 }, (kind) => {
  it('lists its tools, and answers', async () => {
    const all = await start(await declare(kind));
    expect(all.states).toEqual([{ name: 'shop', connected: true }]);
    expect(names()).toEqual(
      ['echo', 'refuse', 'structured', 'picture', 'hang', 'die', 'grow'].map((name) => `shop_${name}`),
    );
    expect(registry.declarations()['shop_echo']).toMatchObject({
      description: 'Says it back',
      parameters: { type: 'object', properties: { words: { type: 'string' } }, required: ['words'] },
    });
    expect(await run('shop_echo', { words: 'hello' })).toEqual({ ok: true, text: 'hello' });
    expect(await run('shop_structured')).toEqual({ ok: true, result: { price: 7 } });
    expect(await run('shop_picture')).toEqual({ ok: true, text: 'look:\n(image)\ninside' });
    expect(await run('shop_refuse')).toEqual({ ...GONE, problem: 'the shop is closed' });
    await expect(run('shop_echo', { words: 7 })).rejects.toMatchObject({ code: 'TOOL_ARGUMENTS_INVALID' });
  });

  it('lends only the tools that were asked for, under their prefix', async () => {
    await start(await declare(kind, { prefix: 'x-', tools: ['gr*', 'echo'] }));
    expect(names()).toEqual(['x-echo', 'x-grow']);
  });

  it('is told of new tools', async () => {
    await start(await declare(kind, { tools: ['grow*', 'grown'] }));
    expect(names()).toEqual(['shop_grow']);
    await run('shop_grow');
    await until('the new tool is listed', () => names().includes('shop_grown'));
    expect(await run('shop_grown')).toEqual({ ok: true, text: 'here I am' });
  });

  it('is waited for only so long, and told that nobody does any more', async () => {
    await start(await declare(kind, { timeout_ms: 2000 }));
    const { code, detail } = await run('shop_hang').then(
      () => ({ code: 'none', detail: '' }),
      (error: unknown) => error as { code: string; detail: string },
    );
    expect(code).toBe('TOOL_FAILED');
    expect(detail).toContain('timed out');
    const cancelled = (): boolean =>
      kind === 'HTTP'
        ? remote?.seen.some((one) => 'cancelled' in one) === true
        : log.some(({ output }) => String(output).includes('cancelled'));
    await until('the server knows', cancelled);
    expect(await run('shop_echo', { words: 'still here' })).toMatchObject({ ok: true });
  });
});

describe('a program', { timeout: 30_000 }, () => {
  it('that dies is started again, and meanwhile its tools say so', async () => {
    const all = await start(program);
    expect(await run('shop_die')).toEqual(GONE);
    expect(all.states).toEqual([{ name: 'shop', connected: false }]);
    expect(await run('shop_echo', { words: 'anybody?' })).toEqual(GONE);
    expect(names()).toContain('shop_echo');
    clock.advance(500);
    await until('it is back', () => all.states[0]?.connected === true);
    expect(await run('shop_echo', { words: 'hello' })).toEqual({ ok: true, text: 'hello' });
  });

  it('that does not start is tried again with growing pauses', async () => {
    const started = start({ name: 'shop', command: '/nowhere/mcp' });
    const failures = (): unknown[] => log.filter(({ msg }) => msg === 'MCP server not connected');
    const pauses = [500, 1000, 2000];
    for (const [index, againInMs] of pauses.entries()) {
      await until('it failed', () => failures().length === index + 1);
      expect(failures()[index]).toMatchObject({ mcpServer: 'shop', againInMs });
      // The first advance ends the start's patience, too.
      clock.advance(againInMs);
    }
    expect((await started).states).toEqual([{ name: 'shop', connected: false }]);
  });

  it('that never answers is not waited for when all is closed', async () => {
    const mute = ['-e', 'process.stdin.resume()'];
    const started = start({ name: 'shop', command: process.execPath, args: mute, timeout_ms: 120_000 });
    clock.advance(1);
    await (await started).close();
    expect(clock.pending).toBe(0);
  });

  it('gets the environment that is declared, and none of ours', async () => {
    await start(program);
    await until('it told', () => log.some(({ output }) => String(output).includes('started with a secret')));
  });
});

describe('HTTP', { timeout: 30_000 }, () => {
  it('carries our headers, and the key of the act', async () => {
    await start(await declare('HTTP'));
    await run('shop_echo', { words: 'hello' });
    expect(remote?.headers.every(({ authorization }) => authorization === 'Bearer token')).toBe(true);
    const [call] = remote?.seen ?? [];
    const key = { 'trunkline/idempotency-key': expect.stringMatching(/^tool_/) as string };
    expect(call).toMatchObject({ name: 'echo', meta: key });
  });

  it('may go away: tools say so at once, and work when it is back', async () => {
    const all = await start(await declare('HTTP'));
    await remote?.close();
    expect(await run('shop_echo', { words: 'a' })).toEqual(GONE);
    expect(await run('shop_echo', { words: 'b' })).toEqual(GONE);
    await remote?.listen();
    await until('it is back', () => {
      clock.advance(500);
      return all.states[0]?.connected === true;
    });
    expect(await run('shop_echo', { words: 'c' })).toEqual({ ok: true, text: 'c' });
  });

  it('goes through the guard: an address within is not reached without leave', async () => {
    const declared = await declare('HTTP');
    const strict = new GuardedHttp({ networks: [] });
    const started = start(declared, strict);
    await until('it was refused', () => log.some(({ msg }) => msg === 'MCP server not connected'));
    clock.advance(1);
    await started;
    expect(log.map(({ detail }) => String(detail))).toContainEqual(
      expect.stringContaining('TOOL_ADDRESS_REFUSED: 127.0.0.1'),
    );
    expect(remote?.headers).toEqual([]);
    await strict.close();
  });
});

describe('declarations and answers', () => {
  it.each([
    [{ name: 'a' }],
    [{ name: 'a', command: 'x', url: 'https://x.test' }],
    [{ name: 'A', command: 'x' }],
    [{ name: 'a', url: 'ftp://x.test' }],
    [{ name: 'a', command: 'x', prefix: '1' }],
    [{ name: 'a', command: 'x', timeout_ms: 1 }],
    [{ name: 'a', command: 'x', more: 1 }],
  ])('are refused when they are none: %j', (declared) => {
    expect(mcpServerSchema.safeParse(declared).success).toBe(false);
  });

  it.each([
    [{}, { ok: true, text: '' }],
    [{ content: 'x' }, { ok: true, text: '' }],
    [{ content: [{ type: 'resource_link', uri: 'a:b' }] }, { ok: true, text: '(a:b)' }],
    [{ content: [{ type: 'resource', resource: { uri: 'a:b', blob: '' } }] }, { ok: true, text: '(a:b)' }],
    [
      { content: [], structuredContent: { ok: false } },
      { ok: true, result: { ok: false } },
    ],
  ])('are read: %j', (answer, result) => {
    expect(mcpResult(answer)).toEqual(result);
  });
});
