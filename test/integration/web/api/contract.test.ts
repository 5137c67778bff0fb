/** What the API answers is what its OpenAPI page promises: every route, with every kind of row there is. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiStage } from '../../../support/web/api-stage.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly summary?: string;
  readonly tags?: string[];
  readonly security?: unknown;
  readonly requestBody?: { content: Record<string, { schema: Json }> };
  readonly responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
interface Page {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: Json; readonly schemas?: Json };
}

const IDS: Record<string, string> = {
  call_id: 'call_secret',
  contact_id: 'contact_secret',
  message_id: 'message_secret',
  appointment_id: 'appointment_secret',
  dead_letter_id: 'letter_secret',
  e164: '%2B15550666',
};

/** Bodies that are right, by route. */
const BODIES: Record<string, Json> = {
  '/v1/contacts': { e164: '+15550300', name: 'Anna' },
  '/v1/messages': { to: '+15550300', body: 'hello' },
  '/v1/keys': { name: 'made here', scopes: ['calls:read'] },
};

let stage: ApiStage;
let key: string;
let page: Page;
beforeAll(async () => {
  stage = await ApiStage.start();
  await stage.fill('acme');
  stage.counts = [{ queue: 'sms', waiting: 1, active: 0, delayed: 0, failed: 0 }];
  key = await stage.key('acme');
  page = (await stage.ask('GET', '/v1/openapi.json')).body as unknown as Page;
});
afterAll(() => stage.close());

const ajv = new Ajv2020({ strict: false, validateFormats: false });

function promised(operation: Operation, status: number): Json | undefined {
  const { responses } = operation;
  const answer = responses[String(status)] ?? responses[status >= 400 && status < 500 ? '4XX' : ''];
  return answer?.content?.['application/json']?.schema;
}

function operations(): { path: string; method: string; operation: Operation }[] {
  return Object.entries(page.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

const filled = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => IDS[name] ?? 'nobody');

function expectFits(schema: Json | undefined, body: unknown, where: string): void {
  expect(schema, `${where} promises no such answer`).toBeDefined();
  const validate = ajv.compile({ ...schema, components: page.components });
  expect(validate(body), `${where}: ${ajv.errorsText(validate.errors)}`).toBe(true);
}

describe('the OpenAPI page', () => {
  it('says of every route what it is for, under which heading, and how to come in', () => {
    for (const { path, method, operation } of operations()) {
      expect(operation.summary, `${method} ${path}`).toMatch(/^[A-Z]/);
      expect(operation.tags, `${method} ${path}`).toHaveLength(1);
    }
    expect(page.components.securitySchemes).toEqual({ key: { type: 'http', scheme: 'bearer' } });
  });

  it('is itself of JSON Schema that a validator takes', () => {
    for (const { path, method, operation } of operations())
      for (const [status, { content = {} }] of Object.entries(operation.responses))
        for (const { schema } of Object.values(content))
          expect(
            () => ajv.compile({ ...schema, components: page.components }),
            `${method} ${path} ${status}`,
          ).not.toThrow();
  });
});

describe('answers', () => {
  it('of every list and row are what the page promises', async () => {
    const reads = operations().filter(({ method, path }) => method === 'get' && path !== '/v1/live');
    expect(reads.length).toBeGreaterThan(14);
    for (const { path, operation } of reads) {
      const answer = await stage.ask('GET', filled(path), { key });
      expect(answer.status, path).toBe(200);
      expectFits(promised(operation, 200), answer.body, `GET ${path}`);
    }
  });

  it('of what makes something are what the page promises', async () => {
    for (const [path, body] of Object.entries(BODIES)) {
      const operation = page.paths[path]?.['post'];
      if (operation === undefined) throw new Error(`no POST ${path}`);
      const asked = operation.requestBody?.content['application/json']?.schema ?? {};
      expect(ajv.compile(asked)(body), path).toBe(true);
      const answer = await stage.ask('POST', path, { key, body });
      expect(answer.status, path).toBeLessThan(300);
      expectFits(promised(operation, answer.status), answer.body, `POST ${path}`);
    }
  });

  it('of what changes something are what the page promises', async () => {
    for (const path of [
      '/v1/appointments/{appointment_id}/cancel',
      '/v1/dead-letters/{dead_letter_id}/replay',
      '/v1/people/{e164}/erase',
    ]) {
      const operation = page.paths[path]?.['post'];
      if (operation === undefined) throw new Error(`no POST ${path}`);
      const answer = await stage.ask('POST', filled(path), { key, body: {} });
      expectFits(promised(operation, answer.status), answer.body, `POST ${path}`);
    }
  });

  it('that are refusals are problems', async () => {
    for (const { path, method, operation } of operations()) {
      if (!path.includes('{') || path.includes('{e164}')) continue;
      const unknown = path.replaceAll(/\{\w+\}/g, 'nobody');
      const body = method === 'get' ? {} : { body: {} };
      const answer = await stage.ask(method.toUpperCase() as 'GET', unknown, { key, ...body });
      expect(answer.status, `${method} ${path}`).toBe(404);
      expectFits(promised(operation, 404), answer.body, `${method} ${path}`);
    }
  });
});
