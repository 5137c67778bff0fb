import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDeadLetter } from '../../../../src/store/tables/dead-letters.ts';
import { addMessage } from '../../../../src/store/tables/messages.ts';
import { upsertContact } from '../../../../src/store/tables/contacts.ts';
import { openCalls } from '../../../../src/store/tables/calls.ts';
import type { TenantRows } from '../../../../src/store/store.ts';
import { ApiStage, type Answer } from '../../../support/web/api-stage.ts';

let stage: ApiStage;
let key: string;
beforeAll(async () => {
  stage = await ApiStage.start();
  key = await stage.key('acme');
});
afterAll(() => stage.close());

describe('a request that is sent again', () => {
  const make = (headers: Record<string, string>, name = 'Anna', as = key): Promise<Answer> =>
    stage.ask('POST', '/v1/contacts', { key: as, headers, body: { e164: '+15550201', name } });

  it('at the same time acts once, and every sender gets the one answer', async () => {
    const headers = { 'idempotency-key': 'sent-ten-times' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => make(headers)));
    expect(new Set(answers.map((one) => one.text)).size).toBe(1);
    expect(answers.every((one) => one.status === 200)).toBe(true);
    const { body } = await stage.ask('GET', '/v1/contacts', { key });
    expect(body['data']).toHaveLength(1);
  });

  it('with another body is a mistake, and is told', async () => {
    const headers = { 'idempotency-key': 'another-body' };
    expect((await make(headers, 'Anna')).status).toBe(200);
    expect(await make(headers, 'Ben')).toMatchObject({ status: 422, body: { code: 'STORE_KEY_REUSED' } });
  });

  it('by another tenant is another request', async () => {
    const headers = { 'idempotency-key': 'two-tenants' };
    const other = await stage.key('other');
    const [ours, theirs] = [await make(headers, 'Anna'), await make(headers, 'Olga', other)];
    expect(theirs.status).toBe(200);
    expect(theirs.body['contact_id']).not.toBe(ours.body['contact_id']);
  });

  it('acts again when the first try failed', async () => {
    const headers = { 'idempotency-key': 'fails-first' };
    const wrong = await stage.ask('POST', '/v1/contacts', { key, headers, body: { e164: 'x' } });
    expect(wrong.status).toBe(400);
    expect((await make(headers)).status).toBe(200);
  });

  it.each([['short'], ['x'.repeat(201)]])('has a key of 8 to 200 characters: %s', async (given) => {
    expect((await make({ 'idempotency-key': given })).status).toBe(400);
  });
});

describe('pages', () => {
  const lists: [string, (unit: TenantRows, at: number) => Promise<unknown>][] = [
    [
      '/v1/calls',
      (unit, at) =>
        openCalls(unit, {
          ...{ call_id: `call_${at}`, gateway: 'g', source: 'phone', sip_call_id: '', trunk: 't' },
          ...{ profile: 'p', from_number: '+1555', to_number: '+1556', started_at: new Date(at) },
        }),
    ],
    ['/v1/contacts', (unit, at) => upsertContact(unit, { e164: `+1556${String(at).padStart(6, '0')}` })],
    [
      '/v1/messages',
      (unit, at) =>
        addMessage(unit, {
          ...{ idempotency_key: `k${at}`, channel: 'sms', direction: 'outbound', status: 'queued' },
          ...{ from_number: '', to_number: '+1555', body: String(at), template: null, call_id: null },
          ...{ send_after: null, attributes: {}, segments: 1, provider: null, provider_message_id: null },
        }),
    ],
    [
      '/v1/dead-letters',
      (unit, at) =>
        addDeadLetter(unit, {
          ...{ queue: 'sms', jobKey: `k${at}`, payload: {}, code: 'X', detail: 'y', attempts: 1 },
        }),
    ],
  ];

  it.each(lists)('of %s show every row once, though new ones come meanwhile', async (path, add) => {
    const mine = await stage.key('other');
    const addOne = (at: number): Promise<unknown> => stage.store.tenant('other', (unit) => add(unit, at));
    const before = await stage.ask('GET', `${path}?limit=200`, { key: mine });
    const known = (before.body['data'] as unknown[]).length;
    for (let at = 1000; at < 1007; at += 1) await addOne(at);
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 20; pages += 1) {
      const { body } = await stage.ask('GET', `${path}?limit=3${cursor}`, { key: mine });
      seen.push(...(body['data'] as object[]).map((row) => JSON.stringify(row)));
      await addOne(2000 + pages);
      if (typeof body['next_cursor'] !== 'string') break;
      cursor = `&cursor=${encodeURIComponent(body['next_cursor'])}`;
    }
    expect(seen).toHaveLength(known + 7);
    expect(new Set(seen).size).toBe(seen.length);
  });
});
