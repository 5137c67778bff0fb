/** HTTP tools against a real server on loopback, which only an explicit network lets them reach. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { httpToolSchema } from '../../../src/agent/tools/http/declaration.ts';
import { GuardedHttp, type Resolved } from '../../../src/agent/tools/http/guarded-http.ts';
import { httpTool } from '../../../src/agent/tools/http/http-tool.ts';
import { ToolRegistry } from '../../../src/agent/tools/tool-registry.ts';
import type { ToolResult } from '../../../src/agent/tools/tool.ts';
import { toolsSection } from '../../../src/config/tools.ts';
import { callerOf } from '../../unit/agent/tools/stage.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let asked: Asked[];
let answer: (request: Asked, response: ServerResponse) => void;
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => (body += text));
  request.on('end', () => {
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
    asked.push(seen);
    answer(seen, response);
  });
});
let port: number;
let open: GuardedHttp[];

beforeEach(async () => {
  asked = [];
  open = [];
  answer = (_request, response) => json(response, 200, { ok: 'yes' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(async () => {
  await Promise.all(open.map((http) => http.close()));
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

interface Options {
  readonly networks?: string[];
  readonly resolve?: (name: string) => Promise<Resolved[]>;
  readonly host?: string;
}

/** Runs a tool of this declaration; `url` is a path on the test's server unless it is whole. */
async function run(
  declared: Partial<z.input<typeof httpToolSchema>>,
  given: object = {},
  options: Options = {},
): Promise<ToolResult> {
  const { networks = ['127.0.0.1/32'], resolve, host = '127.0.0.1' } = options;
  const { url = '/' } = declared;
  const declaration = httpToolSchema.parse({
    name: 'shop',
    description: 'Asks the shop.',
    parameters: { type: 'object', properties: { order: {}, size: {}, note: {}, deep: {} } },
    ...declared,
    url: url.startsWith('/') ? `http://${host}:${port}${url}` : url,
  });
  const http = new GuardedHttp({ networks, ...(resolve === undefined ? {} : { resolve }) });
  open.push(http);
  const registry = new ToolRegistry({ tools: [httpTool(declaration, { http })] });
  return registry.run('shop', given, callerOf());
}

const refusal = (running: Promise<unknown>): Promise<{ code: string; detail: string }> =>
  running.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: unknown) => error as { code: string; detail: string },
  );

describe('what is asked', () => {
  it('is built from the template, every argument escaped', async () => {
    await run(
      { url: '/orders/{order}?size={size}&plain=1', headers: { 'x-note': 'about {note}' } },
      { order: 'a/b?c#d&e=f', size: '1&2', note: 'ten' },
    );
    expect(asked).toMatchObject([
      { method: 'GET', url: '/orders/a%2Fb%3Fc%23d%26e%3Df?size=1%262&plain=1', body: '' },
    ]);
    expect(asked[0]?.headers).toMatchObject({ accept: 'application/json', 'x-note': 'about ten' });
    expect(asked[0]?.headers['idempotency-key']).toMatch(/^tool_[0-9a-f]{32}$/);
  });

  it('has a body in which whole arguments keep their kind, and missing ones are left out', async () => {
    await run(
      {
        method: 'POST',
        body: {
          id: '{order}',
          text: 'order {order}',
          list: ['{size}', '{note}', 1],
          deep: { all: '{deep}' },
        },
      },
      { order: 12, size: true, deep: { a: [1] } },
    );
    const sent: unknown = JSON.parse(asked[0]?.body ?? '');
    expect(sent).toEqual({ id: 12, text: 'order 12', list: [true, 1], deep: { all: { a: [1] } } });
    expect(asked[0]?.headers['content-type']).toBe('application/json');
  });

  it.each(['..', '.'])('never goes up in the path: %s', async (order) => {
    const { code } = await refusal(run({ url: '/orders/{order}/state' }, { order }));
    expect([code, asked.length]).toEqual(['TOOL_ARGUMENTS_INVALID', 0]);
  });

  it.each(['%2e%2e', '../..'])('escapes what looks like a step up: %s', async (order) => {
    await run({ url: '/orders/{order}/state' }, { order });
    expect(asked[0]?.url).toBe(`/orders/${encodeURIComponent(order)}/state`);
  });

  it('refuses a header that would become two', async () => {
    await refusal(run({ headers: { 'x-note': '{note}' } }, { note: 'a\r\nx-evil: 1' }));
    expect(asked).toEqual([]);
  });
});

describe('credentials', () => {
  const auth = { name: 'Authorization', value: 'Bearer s3cret-token' };

  it('go with the request, and into neither result nor error', async () => {
    answer = ({ headers }, response) => json(response, 200, { echo: headers, tail: ['is s3cret-token?'] });
    const result = await run({ auth });
    expect(asked[0]?.headers.authorization).toBe('Bearer s3cret-token');
    expect(JSON.stringify(result)).not.toContain('s3cret');
    expect(result).toMatchObject({ body: { tail: ['is •••?'] } });
    answer = (_request, response) => response.destroy();
    const { detail } = await refusal(run({ auth: { in: 'query', name: 'key', value: 's3cret-token' } }));
    expect(asked.at(-1)?.url).toBe('/?key=s3cret-token');
    expect(detail).toContain(`shop: 127.0.0.1:${port}: `);
    expect(detail).not.toContain('s3cret');
  });
});

describe('what is answered', () => {
  it('is mapped by paths', async () => {
    const order = { state: 'sent', lines: [{ title: 'a' }, { title: 'b' }, {}], 'odd-name': 0 };
    answer = (_request, response) => json(response, 200, { order });
    const response = {
      state: 'order.state',
      titles: 'order.lines[*].title',
      first: '$.order.lines[0].title',
      odd: 'order.odd-name',
      missing: 'order.lines[9].title',
      inherited: 'order.constructor',
      notAList: 'order.state[*]',
    };
    expect(await run({ response })).toEqual({
      ok: true,
      state: 'sent',
      titles: ['a', 'b', null],
      first: 'a',
      odd: 0,
      missing: null,
      inherited: null,
      notAList: null,
    });
  });

  it.each([
    ['text/plain', 'all is well', 'all is well'],
    ['application/json', '{broken', '{broken'],
    ['application/problem+json', '[1]', [1]],
  ])('is given whole without a mapping: %s', async (type, sent, body) => {
    answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(sent);
    expect(await run({})).toEqual({ ok: true, body });
  });

  it('cannot claim success by itself', async () => {
    answer = (_request, response) => json(response, 200, { ok: false });
    expect(await run({ response: { ok: 'ok' } })).toEqual({ ok: true });
  });

  it.each([
    [404, { ok: false, reason: 'There is no such order.', status: 404 }],
    [403, { ok: false, reason: 'That is not possible at the moment.', status: 403 }],
    [500, { ok: false, reason: 'That is not possible at the moment.', status: 500 }],
  ])('is a failure with %i', async (status, result) => {
    answer = (_request, response) => json(response, status, { secret: 'stack trace' });
    expect(await run({ errors: { '404': 'There is no such order.' } })).toEqual(result);
  });

  it('is not read beyond its limit', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end('x'.repeat(5000));
    };
    const { code, detail } = await refusal(run({ response_bytes_max: 1024 }));
    expect([code, detail]).toEqual(['TOOL_FAILED', 'shop: the answer is longer than 1024 bytes']);
  });
});

describe('trouble', () => {
  it('is met with another try, under the same key, when that does no harm', async () => {
    answer = (_request, response) => {
      if (asked.length === 1) response.destroy();
      else json(response, asked.length === 2 ? 503 : 200, { done: true });
    };
    expect(await run({ method: 'PUT', retries: 2 })).toEqual({ ok: true, body: { done: true } });
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(asked).toHaveLength(3);
  });

  it('ends when the tries are used up', async () => {
    answer = (_request, response) => json(response, 503, {});
    expect(await run({ retries: 1 })).toMatchObject({ ok: false, status: 503 });
    expect(asked).toHaveLength(2);
  });

  it('is not repeated for what may act twice', async () => {
    answer = (_request, response) => response.destroy();
    expect((await refusal(run({ method: 'POST' }))).code).toBe('TOOL_FAILED');
    expect(asked).toHaveLength(1);
  });

  it('is not waited for longer than a try may take', async () => {
    answer = () => undefined;
    const { code, detail } = await refusal(run({ timeout_ms: 100 }));
    expect([code, detail]).toEqual(['TOOL_FAILED', `shop: 127.0.0.1:${port}: no answer in 100 ms`]);
  });
});

describe('redirects', () => {
  it('are followed on the same host, some of them', async () => {
    answer = ({ url }, response) => {
      const at = Number(url.slice(1));
      if (at < 3) response.writeHead(302, { location: `/${at + 1}` }).end();
      else json(response, 200, { at });
    };
    expect(await run({ url: '/1' })).toEqual({ ok: true, body: { at: 3 } });
    answer = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    expect((await refusal(run({}))).detail).toContain('redirects elsewhere (302)');
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://localhost:1/',
    '//127.0.0.2/',
    'file:///etc/passwd',
  ])('to another host are not: %s', async (location) => {
    answer = (_request, response) => response.writeHead(307, { location }).end();
    const { code, detail } = await refusal(run({}));
    expect([code, detail]).toEqual(['TOOL_FAILED', `shop: 127.0.0.1:${port} redirects elsewhere (307)`]);
  });

  it('are not followed by what acts', async () => {
    answer = (_request, response) => response.writeHead(307, { location: '/there' }).end();
    expect((await refusal(run({ method: 'POST', body: {} }))).code).toBe('TOOL_FAILED');
    expect(asked).toHaveLength(1);
  });
});

describe('addresses within', () => {
  const refused = 'TOOL_ADDRESS_REFUSED';

  it.each(['127.0.0.1', 'localhost', '127.1', '0x7f000001', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0'])(
    'are not reached without leave: %s',
    async (host) => {
      const { code, detail } = await refusal(run({}, {}, { networks: [], host }));
      expect(code).toBe(refused);
      expect(detail).toMatch(/^shop: (127\.0\.0\.1|localhost is |0\.0\.0\.0|::ffff:7f00:1|::1)/);
      expect(asked).toEqual([]);
    },
  );

  it('are not reached by a name that leads there, whatever else it leads to', async () => {
    const resolve = (): Promise<Resolved[]> => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    const { detail } = await refusal(run({}, {}, { networks: [], host: 'rebind.test', resolve }));
    expect(detail).toBe('shop: rebind.test is 127.0.0.1');
    expect(asked).toEqual([]);
  });

  it('are reached when their network is named, by one look-up: what it gave is what is asked', async () => {
    let lookups = 0;
    // A name that changes its mind: its second answer would be another machine.
    const resolve = (): Promise<Resolved[]> => {
      lookups += 1;
      const addresses = lookups === 1 ? ['10.255.255.1', '127.0.0.1'] : ['169.254.169.254'];
      return Promise.resolve(addresses.map((address) => ({ address, family: 4 })));
    };
    expect(await run({}, {}, { host: 'intranet.test', resolve })).toMatchObject({ ok: true });
    expect([lookups, asked[0]?.headers.host]).toEqual([1, `intranet.test:${port}`]);
  });

  it('are not reached when a name cannot be resolved', async () => {
    const resolve = (): Promise<Resolved[]> => Promise.reject(new Error('no such name'));
    expect((await refusal(run({}, {}, { host: 'nowhere.test', resolve }))).detail).toContain('no such name');
    const empty = (): Promise<Resolved[]> => Promise.resolve([]);
    expect((await refusal(run({}, {}, { host: 'empty.test', resolve: empty }))).detail).toContain(
      'no address',
    );
  });
});

describe('a declaration', () => {
  const whole = { name: 'shop', description: 'x', url: 'https://shop.test/a' };
  it.each([
    [{ ...whole, url: 'ftp://shop.test' }, 'url'],
    [{ ...whole, url: 'https://{host}/a' }, 'url'],
    [{ ...whole, url: 'https://user:pw@shop.test/a' }, 'url'],
    [{ ...whole, url: 'https://shop.test/{order}' }, '{order} is not one of the parameters'],
    [{ ...whole, name: 'my shop' }, 'name'],
    [{ ...whole, parameters: { type: 'array' } }, 'TOOL_SCHEMA_INVALID'],
    [{ ...whole, body: {} }, 'GET has none'],
    [{ ...whole, method: 'POST', retries: 1 }, 'repeated only with idempotent'],
    [{ ...whole, headers: { 'a b': 'x' } }, 'headers'],
    [{ ...whole, headers: { a: 'x\ny' } }, 'printable'],
    [{ ...whole, response: { a: 'b..c' } }, 'must be a path'],
    [{ ...whole, response: { a: '' } }, 'must be a path'],
    [{ ...whole, errors: { '200': 'x' } }, 'errors.200'],
    [{ ...whole, timeout: 5 }, 'timeout'],
  ])('is refused when it is none: %j', (declared, problem) => {
    const { error } = httpToolSchema.safeParse(declared);
    expect(error === undefined ? '' : z.prettifyError(error)).toContain(problem);
  });

  it('may be repeated when its server knows the key', () => {
    expect(httpToolSchema.parse({ ...whole, method: 'POST', retries: 1, idempotent: true }).retries).toBe(1);
  });

  it('belongs into a section without two of one name', () => {
    const twice = toolsSection.safeParse({ http: [whole, whole], networks: ['10.0.0.0/33'] });
    expect(twice.error?.issues.map(({ path }) => path.join('.'))).toEqual(['networks.0', 'http.1.name']);
  });
});
