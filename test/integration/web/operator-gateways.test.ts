/** Who may declare a gateway gone, and how the operator API says no. */
import { afterEach, describe, expect, it } from 'vitest';
import { TrunklineError, type ErrorCode } from '../../../src/base/errors.ts';
import { createLog } from '../../../src/base/log.ts';
import { Metrics } from '../../../src/base/metrics.ts';
import { Journal } from '../../../src/room/journal.ts';
import { OperatorApi } from '../../../src/web/operator-api.ts';
import type { GatewayDesk, KnownGateway } from '../../../src/web/operator-gateways.ts';

const WRITER = 'op_that_may_write_0123456789';
const READER = 'op_that_may_look_01234567890';
const GONE: KnownGateway = {
  ...{ gateway: 'gw_a', run: 'run_1', heardAt: '2026-03-02T10:00:00.000Z', overAt: null },
  ...{ openCalls: 2, isThis: false },
};

let api: OperatorApi | undefined;
let declared: string[] = [];
let refuses: ErrorCode | undefined;
afterEach(async () => {
  await api?.close();
  [api, declared, refuses] = [undefined, [], undefined];
});

const desk: GatewayDesk = {
  list: () => Promise.resolve([GONE]),
  declareGone: (gateway, { evenIfHeard }) => {
    if (refuses !== undefined) return Promise.reject(new TrunklineError(refuses, 'because'));
    declared.push(`${gateway} ${evenIfHeard}`);
    return Promise.resolve(GONE);
  },
};

async function ask(
  path: string,
  init: RequestInit = {},
  hasStore = true,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const keys = [
    { key: WRITER, may_write: true },
    { key: READER, may_write: false },
  ];
  api ??= await OperatorApi.start(
    {
      ...{ journal: new Journal(), metrics: new Metrics({ ofProcess: false }), records: {} },
      ...{ troubles: () => [], warnings: () => [], census: () => Promise.resolve({}) },
      gateways: hasStore ? { desk, keys } : undefined,
    },
    { host: '127.0.0.1', port: 0, log: createLog({ level: 'silent' }) },
  );
  const response = await fetch(`${api.url}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

function declare(key: string | undefined, body?: string, type = 'application/json'): ReturnType<typeof ask> {
  return ask('/v1/gateways/gw_a/gone', {
    method: 'POST',
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

describe('gateways in the operator API', () => {
  it('are listed to whoever reaches it', async () => {
    expect(await ask('/v1/gateways')).toEqual({ status: 200, body: { gateways: [GONE] } });
  });

  it('are declared gone by an operator who may write, who gets to see what was known', async () => {
    expect(await declare(WRITER)).toEqual({ status: 202, body: GONE });
    expect(await declare(WRITER, '{}')).toEqual({ status: 202, body: GONE });
    await declare(WRITER, '{"evenIfHeard":true}');
    expect(declared).toEqual(['gw_a false', 'gw_a false', 'gw_a true']);
  });

  it.each([
    ['nobody', undefined, 401, 'OPERATOR_KEY_INVALID'],
    ['a stranger', 'op_of_somebody_else_01234567', 401, 'OPERATOR_KEY_INVALID'],
    ['one who may only look', READER, 403, 'API_FORBIDDEN'],
  ])('are not declared gone by %s', async (_who, key, status, code) => {
    expect(await declare(key)).toMatchObject({ status, body: { status, code } });
    expect(declared).toEqual([]);
  });

  it.each([
    ['GATEWAY_UNKNOWN', 404],
    ['GATEWAY_IS_THIS', 409],
    ['GATEWAY_HEARD', 409],
    ['STORE_UNAVAILABLE', 503],
    ['JOBS_UNAVAILABLE', 503],
  ] as const)('are not declared gone because of %s, which is told', async (code, status) => {
    refuses = code;
    const { body, ...rest } = await declare(WRITER);
    expect(rest).toEqual({ status });
    expect(body).toMatchObject({ status, code, detail: 'because', title: expect.any(String) as string });
  });

  it.each([
    ['a field that is none', '{"force":true}', 'application/json'],
    ['a word for a truth', '{"evenIfHeard":"yes"}', 'application/json'],
    ['a body of a form that any page may send', '{"evenIfHeard":true}', 'text/plain'],
  ])('are not declared gone with %s', async (_what, body, type) => {
    expect(await declare(WRITER, body, type)).toMatchObject({ status: 400 });
    expect(declared).toEqual([]);
  });

  it('are not there without a store', async () => {
    expect(await ask('/v1/gateways', {}, false)).toMatchObject({ status: 404 });
  });
});
