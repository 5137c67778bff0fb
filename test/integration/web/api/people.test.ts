import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenAudit } from '../../../../src/store/tables/audit.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';

const PERSON = '%2B15550666';

let stage: ApiStage;
beforeAll(async () => {
  stage = await ApiStage.start();
  for (const tenant of ['acme', 'other']) await stage.fill(tenant);
});
afterAll(() => stage.close());

describe("one person's data", () => {
  it('is told whole: contact, calls, words, messages, appointments', async () => {
    const { body } = await stage.ask('GET', `/v1/people/${PERSON}`, { key: await stage.key('acme') });
    expect(body).toMatchObject({
      contact: { name: 'Secret' },
      calls: [{ call_id: 'call_secret', from_number: '+15550666' }],
      turns: [{ call_id: 'call_secret', text: 'my secret' }],
      activities: [{ summary: 'secret' }],
      opt_outs: [{ channel: 'sms', opted_out: true }],
    });
  });

  it('of nobody is empty', async () => {
    const { body } = await stage.ask('GET', '/v1/people/%2B15550999', { key: await stage.key('acme') });
    expect(body).toMatchObject({ contact: null, calls: [], turns: [], messages: [] });
  });

  it('is erased in one tenant, but for what protects the person, and that is recorded', async () => {
    const key = await stage.key('acme');
    const erased = await stage.ask('POST', `/v1/people/${PERSON}/erase`, { key, body: {} });
    expect(erased.body).toMatchObject({ erased: { contacts: 1, calls: 1, turns: 1 } });
    const left = await stage.ask('GET', `/v1/people/${PERSON}`, { key });
    expect(left.body).toMatchObject({ contact: null, calls: [], turns: [], opt_outs: [{ opted_out: true }] });
    const call = await stage.ask('GET', '/v1/calls/call_secret', { key });
    expect(call.body).toMatchObject({ from_number: '', turns: [{ text: '[erased]' }] });
    expect(call.text).not.toContain('+15550666');
    const audit = await stage.ask('GET', '/v1/audit', { key });
    expect(audit.text).toContain('person.erased');
    expect(audit.text).not.toContain('15550666');
    expect(await stage.store.tenant('acme', brokenAudit)).toBeUndefined();
    const other = await stage.ask('GET', `/v1/people/${PERSON}`, { key: await stage.key('other') });
    expect(other.body).toMatchObject({ contact: { name: 'Secret' }, turns: [{ text: 'my secret' }] });
  });

  it('that is erased twice is erased', async () => {
    const key = await stage.key('acme');
    const again = await stage.ask('POST', `/v1/people/${PERSON}/erase`, { key, body: {} });
    expect(again.body).toMatchObject({ erased: { contacts: 0, calls: 0 } });
  });
});
