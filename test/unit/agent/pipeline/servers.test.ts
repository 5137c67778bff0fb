import OpenAI, { APIConnectionError, APIError } from 'openai';
import { beforeEach, describe, expect, it } from 'vitest';
import { Breaker } from '../../../../src/agent/models/pipeline/breaker.ts';
import {
  Cancelled,
  retryAfter,
  stageError,
  StageError,
} from '../../../../src/agent/models/pipeline/failure.ts';
import { Patience } from '../../../../src/agent/models/pipeline/patience.ts';
import { Servers } from '../../../../src/agent/models/pipeline/servers.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

let clock: ManualClock;
beforeEach(() => {
  clock = new ManualClock();
});

describe('a circuit breaker', () => {
  const breaker = (): Breaker => new Breaker(clock, { failuresMax: 2, avoidMs: 1000 });

  it('opens after failures in a row, not after single ones', () => {
    const one = breaker();
    one.failed();
    one.succeeded();
    one.failed();
    expect(one.allows).toBe(true);
    one.failed();
    expect(one.allows).toBe(false);
  });

  it('lets one request through when its time is up, and closes when that succeeds', () => {
    const one = breaker();
    one.failed();
    one.failed();
    clock.advance(999);
    expect(one.allows).toBe(false);
    clock.advance(1);
    expect(one.allows).toBe(true);
    one.started();
    expect(one.allows).toBe(false);
    one.succeeded();
    expect(one.allows).toBe(true);
    one.failed();
    expect(one.allows).toBe(true);
  });

  it('stays open for twice as long each time, five minutes at most', () => {
    const one = breaker();
    one.failed();
    for (const ms of [1000, 2000, 4000, 8000]) {
      one.failed();
      expect(one.allowsAtMs - clock.nowMs()).toBe(ms);
      clock.advance(ms);
      one.started();
    }
    for (let turn = 0; turn < 20; turn += 1) one.failed();
    expect(one.allowsAtMs - clock.nowMs()).toBeLessThanOrEqual(300_000);
  });

  it('opens at once when the server says for how long', () => {
    const one = breaker();
    one.failed(7000);
    clock.advance(6999);
    expect(one.allows).toBe(false);
    clock.advance(1);
    expect(one.allows).toBe(true);
  });

  it('learns nothing from a request that was taken back', () => {
    const one = breaker();
    one.failed(10);
    clock.advance(10);
    one.started();
    one.cancelled();
    expect(one.allows).toBe(true);
  });
});

describe('the servers of a stage', () => {
  const client = new OpenAI({ apiKey: 'test-key' });
  const failures: string[] = [];
  const stage = (...names: string[]): Servers<string> => {
    failures.length = 0;
    return new Servers({
      stage: 'chat',
      clock,
      breaker: { failuresMax: 1, avoidMs: 1000 },
      servers: names.map((name) => ({ settings: name, name, client })),
      onFailure: (failure) => failures.push(failure.detail),
    });
  };
  const signal = new AbortController().signal;
  const fails = (traits: { retryable: boolean; quick?: boolean; retryAfterMs?: number }) => (name: string) =>
    new StageError('chat', `${name} failed`, traits);

  it('are asked in order until one answers', async () => {
    const asked: string[] = [];
    const answer = await stage('a', 'b', 'c').use(signal, ({ name }) => {
      asked.push(name);
      return name === 'b' ? Promise.resolve('yes') : Promise.reject(new Error('no'));
    });
    expect([answer, asked, failures]).toEqual(['yes', ['a', 'b'], ['a: no']]);
  });

  it('are avoided for a while after a failure, and come back', async () => {
    const servers = stage('a', 'b');
    const asked: string[] = [];
    const ask = (broken: string): Promise<string> =>
      servers.use(signal, ({ name }) => {
        asked.push(name);
        return name === broken ? Promise.reject(fails({ retryable: true })(name)) : Promise.resolve(name);
      });
    await ask('a');
    await ask('a');
    clock.advance(1000);
    expect(await ask('none')).toBe('a');
    expect(asked).toEqual(['a', 'b', 'b', 'a']);
  });

  it('are tried all the same when all are to be avoided: the one whose time is up first', async () => {
    const servers = stage('a', 'b');
    const ask = (wait: (name: string) => number): Promise<string> =>
      servers.use(signal, ({ name }) =>
        Promise.reject(fails({ retryable: true, retryAfterMs: wait(name) })(name)),
      );
    await expect(ask((name) => (name === 'a' ? 9000 : 3000))).rejects.toThrow('b failed');
    expect(await servers.use(signal, ({ name }) => Promise.resolve(name))).toBe('b');
  });

  it('give the last failure when all have failed', async () => {
    const asked = stage('a', 'b').use(signal, ({ name }) =>
      Promise.reject(fails({ retryable: false })(name)),
    );
    await expect(asked).rejects.toMatchObject({ code: 'CHAT_FAILED', detail: 'b failed', retryable: false });
    expect(failures).toEqual(['a failed', 'b failed']);
    await expect(stage().use(signal, () => Promise.resolve(1))).rejects.toThrow('no server is configured');
  });

  it.each([
    [{ retryable: true, quick: true }, 2],
    [{ retryable: true, quick: false }, 1],
    [{ retryable: false, quick: true }, 1],
  ])('ask a single server again only when that is worth it (%j)', async (traits, times) => {
    let asked = 0;
    const asking = stage('a').use(signal, ({ name }) => {
      asked += 1;
      return Promise.reject(fails(traits)(name));
    });
    await expect(asking).rejects.toThrow('a failed');
    expect(asked).toBe(times);
  });

  it('are left alone when nobody wants the answer any more', async () => {
    const owner = new AbortController();
    const asking = stage('a', 'b').use(owner.signal, () => {
      owner.abort();
      return Promise.reject(new Error('aborted'));
    });
    await expect(asking).rejects.toBeInstanceOf(Cancelled);
    expect(failures).toEqual([]);
    await expect(stage('a').use(owner.signal, () => Promise.resolve(1))).rejects.toBeInstanceOf(Cancelled);
  });
});

describe('patience', () => {
  it('aborts a request when nothing comes, and says what did not', () => {
    const patience = new Patience(clock, new AbortController().signal);
    patience.expect('the first word', 500);
    clock.advance(499);
    patience.expect('the next word', 300);
    clock.advance(299);
    expect(patience.signal.aborted).toBe(false);
    clock.advance(1);
    expect(patience.signal.aborted).toBe(true);
    expect(() => patience.rethrow('chat', 'host', new Error('aborted'))).toThrow(
      /CHAT_FAILED: host: the next word did not come within 300 ms/,
    );
    patience.done();
    expect(clock.pending).toBe(0);
  });

  it('ends with its owner, which is nobody’s failure', () => {
    const owner = new AbortController();
    const patience = new Patience(clock, owner.signal);
    patience.expect('a word', 500);
    owner.abort();
    expect(patience.signal.aborted).toBe(true);
    expect(() => patience.rethrow('chat', 'host', new Error('x'))).toThrow(Cancelled);
    patience.done();
    expect(new Patience(clock, owner.signal).signal.aborted).toBe(true);
  });

  it('leaves other failures as they are', () => {
    const patience = new Patience(clock, new AbortController().signal);
    expect(() => patience.rethrow('chat', 'host', new Error('the plain truth'))).toThrow('the plain truth');
  });
});

describe('what a server threw', () => {
  const api = (status: number, body: object, headers: Record<string, string> = {}): APIError =>
    APIError.generate(status, { error: body }, undefined, new Headers(headers));

  it.each([
    [
      api(401, { message: 'Incorrect API key provided: sk-12' }),
      'host refused the API key (HTTP 401)',
      false,
      null,
    ],
    [api(403, { message: 'no' }), 'host refused the API key (HTTP 403)', false, null],
    [api(404, { message: 'no such model', code: 'model_not_found' }), /model_not_found/, false, null],
    [api(429, { message: 'slow down' }, { 'retry-after': '7' }), /slow down/, true, 7000],
    [api(429, { message: 'slow down' }, { 'retry-after-ms': '250' }), /slow down/, true, 250],
    [api(429, { message: 'pay', code: 'insufficient_quota' }), /insufficient_quota/, false, null],
    [api(500, { message: 'oh' }), /oh/, true, null],
    [api(400, { message: 'bad' }), /bad/, false, null],
    [
      new APIConnectionError({ cause: new Error('connect ECONNREFUSED') }),
      /cannot be reached.*ECONNREFUSED/,
      true,
      null,
    ],
    [new SyntaxError('Unexpected token'), 'host answered garbage', true, null],
    [new TypeError('terminated'), 'host: terminated', true, null],
    ['a string', 'host: a string', true, null],
  ])('%s is classified', (thrown, detail, retryable, retryAfterMs) => {
    const failure = stageError('chat', 'host', thrown);
    expect(failure.detail).toMatch(detail);
    expect(failure).toMatchObject({ code: 'CHAT_FAILED', stage: 'chat', retryable, retryAfterMs });
    expect(failure.message).not.toContain('sk-12');
    expect(stageError('speech', 'other', failure)).toBe(failure);
  });

  it.each([
    [null, null, null],
    ['120', null, 120],
    ['soon', '3', 3000],
    [null, '0', 0],
    [null, 'Thu, 01 Jan 1970 00:00:10 GMT', 9000],
    [null, 'Thu, 01 Jan 1970 00:00:00 GMT', 0],
    [null, 'tomorrow', null],
  ])('Retry-After %j / %j means %j ms', (milliseconds, header, expected) => {
    expect(retryAfter(milliseconds, header, 1000)).toBe(expected);
  });
});
