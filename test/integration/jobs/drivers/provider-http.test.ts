import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OutsideAddresses } from '../../../../src/base/outside-address.ts';
import { ProviderFailure } from '../../../../src/jobs/drivers/provider-failure.ts';
import { ProviderHttp, retryAfter } from '../../../../src/jobs/drivers/provider-http.ts';
import { freeTcpPort } from '../../../support/baresip.ts';
import {
  startHttpStandIn,
  type Fault,
  type HttpStandIn,
} from '../../../support/jobs/providers/http-stand-in.ts';
import { until } from '../../../support/until.ts';

async function stage(
  options: { timeoutMs?: number; outside?: OutsideAddresses } = {},
): Promise<{ server: HttpStandIn; http: ProviderHttp }> {
  const server = await startHttpStandIn(() => ({ status: 200, body: { fine: true } }));
  const http = new ProviderHttp({ provider: 'acme', timeoutMs: 10_000, ...options });
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  return { server, http };
}

async function failureOf(work: Promise<unknown>): Promise<ProviderFailure> {
  const error: unknown = await work.then(
    () => 'nothing failed',
    (failure: unknown) => failure,
  );
  if (error instanceof ProviderFailure) return error;
  throw error;
}

describe('a question to a provider', () => {
  it('is asked once and answered', async () => {
    const { server, http } = await stage();
    const answer = await http.askJson({ method: 'POST', url: `${server.url}/a?b=c`, json: { d: 1 } });
    expect(answer).toEqual({ fine: true });
    expect(server.asked).toMatchObject([{ method: 'POST', path: '/a?b=c', body: '{"d":1}' }]);
  });

  it.each<[string, Fault, Partial<ProviderFailure>]>([
    ['a bad request', { status: 400, body: { code: 21211 } }, { outcome: 'refused', providerCode: '21211' }],
    ['a wrong key', { status: 401 }, { outcome: 'refused', status: 401 }],
    ['a conflict', { status: 409, body: { category: 'CONFLICT' } }, { outcome: 'refused', status: 409 }],
    ['a redirect', { status: 302, headers: { location: 'http://169.254.169.254/' } }, { outcome: 'refused' }],
    ['too many requests', { status: 429, headers: { 'retry-after': '7' } }, { retryAfterMs: 7000 }],
    ['an overload', { status: 503 }, { outcome: 'unavailable', status: 503 }],
    ['a crash', { status: 500, body: 'oops' }, { outcome: 'unclear', status: 500 }],
    ['a lost gateway', { status: 504 }, { outcome: 'unclear', status: 504 }],
    ['a cut before', 'cut', { outcome: 'unclear' }],
    ['a cut after', 'cut-after', { outcome: 'unclear' }],
    ['no JSON', { status: 200, body: '<html>' }, { outcome: 'unclear', status: 200 }],
  ])('meets %s', async (_what, fault, expected) => {
    const { server, http } = await stage();
    server.fail(fault);
    const failure = await failureOf(http.askJson({ method: 'POST', url: server.url, json: {} }));
    expect(failure).toMatchObject(expected);
    expect(server.asked).toHaveLength(1);
  });

  it('is not asked when nobody listens: it may be asked again without fear', async () => {
    const { http } = await stage();
    const url = `http://127.0.0.1:${await freeTcpPort()}/`;
    const failure = await failureOf(http.ask({ method: 'POST', url, body: 'x' }));
    expect(failure).toMatchObject({ outcome: 'unavailable', code: 'PROVIDER_UNAVAILABLE' });
  });

  it('waits no longer than it may', async () => {
    const { server, http } = await stage({ timeoutMs: 50 });
    server.fail('silent');
    expect(await failureOf(http.ask({ method: 'GET', url: server.url }))).toMatchObject({
      outcome: 'unclear',
    });
  });

  it('ends with the job that asked it', async () => {
    const { server, http } = await stage();
    server.fail('silent');
    const job = new AbortController();
    const asking = failureOf(http.ask({ method: 'POST', url: server.url, body: 'x', signal: job.signal }));
    await until('the question has arrived', () => server.asked.length === 1);
    job.abort();
    expect((await asking).outcome).toBe('unclear');
  });

  it('takes no endless answer', async () => {
    const { server, http } = await stage();
    server.fail({ status: 200, body: 'x'.repeat(1_048_577) });
    const failure = await failureOf(http.ask({ method: 'GET', url: server.url }));
    expect(failure.message).toMatch(/more than 1048576 bytes/);
  });

  it('keeps numbers and line breaks out of the log', async () => {
    const { server, http } = await stage();
    server.fail({ status: 400, body: `no such number:\n+442079460123 ${'x'.repeat(2000)}` });
    const { message } = await failureOf(http.ask({ method: 'GET', url: server.url }));
    expect(message).toMatch(/no such number: \[number\]/);
    expect(message).not.toMatch(/2079460123|\n/);
    expect(message.length).toBeLessThan(600);
  });
});

describe('an address that a tenant wrote', () => {
  it('reaches nothing inside, not even by name', async () => {
    const { server, http } = await stage({ outside: new OutsideAddresses({ allowHttp: true }) });
    const { port } = new URL(server.url);
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0'])
      await expect(http.ask({ method: 'POST', url: `http://${host}:${port}/`, body: 'x' })).rejects.toThrow(
        /ADDRESS_FORBIDDEN/,
      );
    expect(server.asked).toEqual([]);
    // The port was right: whoever may, reaches it.
    const socket = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
  });

  it('may be reached when its network is allowed', async () => {
    const rules = { allowHttp: true, allowedNetworks: ['127.0.0.0/8'] };
    const { server, http } = await stage({ outside: new OutsideAddresses(rules) });
    expect(await http.askJson({ method: 'GET', url: server.url })).toEqual({ fine: true });
  });

  it('is not left by a redirect', async () => {
    const rules = { allowHttp: true, allowedNetworks: ['127.0.0.0/8'] };
    const { server, http } = await stage({ outside: new OutsideAddresses(rules) });
    server.fail({ status: 307, headers: { location: `${server.url}/elsewhere` } });
    expect(await failureOf(http.ask({ method: 'POST', url: server.url, body: 'x' }))).toMatchObject({
      outcome: 'refused',
      status: 307,
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-01-15T10:00:00Z');

  it.each([
    ['7', 7000],
    ['0', 0],
    ['1.5', 1500],
    ['Thu, 15 Jan 2026 10:01:00 GMT', 60_000],
    ['Thu, 15 Jan 2026 09:00:00 GMT', 0],
    ['999999', 3_600_000],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (value, expected) => expect(retryAfter(value, nowMs)).toBe(expected));
});
