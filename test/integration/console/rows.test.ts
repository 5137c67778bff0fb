/** The page reads what the API gives: every schema of the one against every answer of the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Api, ApiError } from '../../../console/console/api.ts';
import * as rows from '../../../console/console/rows.ts';
import { ApiStage } from '../../support/web/api-stage.ts';

let stage: ApiStage;
let api: Api;
beforeAll(async () => {
  stage = await ApiStage.start();
  await stage.fill('acme');
  stage.counts = [{ queue: 'sms', waiting: 1, active: 0, delayed: 0, failed: 0 }];
  const atStage: typeof fetch = (path, init) => fetch(`${stage.url}${path as string}`, init);
  api = new Api(await stage.key('acme'), atStage);
});
afterAll(() => stage.close());

describe('the rows of the console', () => {
  it.each([
    ['/calls', rows.calls],
    ['/contacts', rows.contacts],
    ['/messages', rows.messages],
    ['/appointments', rows.appointments],
    ['/queues', rows.queues],
    ['/dead-letters', rows.deadLetters],
  ] as const)('fit %s', async (path, schema) => {
    const { data } = await api.get(path, schema);
    expect(data.length).toBeGreaterThan(0);
  });

  it('fit a call and a contact with everything that belongs to them', async () => {
    const call = await api.get('/calls/call_secret', rows.wholeCall);
    expect(call.turns).toMatchObject([{ who: 'caller', text: 'my secret' }]);
    expect(call.tool_calls).toHaveLength(1);
    stage.callJobs.set('acme/call_secret', [
      {
        ...{ queue: 'crm', key: 'k', state: 'failed', attempts: 16, attemptsMax: 16 },
        ...{ askedAt: call.started_at, endedAt: call.started_at, failure: 'PROVIDER_REFUSED: 401' },
      },
    ]);
    const jobs = await api.get('/calls/call_secret/jobs', rows.callJobs);
    expect(jobs.data).toMatchObject([{ queue: 'crm', state: 'failed', attempts_max: 16 }]);
    const contact = await api.get('/contacts/contact_secret', rows.wholeContact);
    expect(contact.activities).toMatchObject([{ call_id: 'call_secret' }]);
  });

  it('fit a job that is given back', async () => {
    const letter = await api.post('/dead-letters/letter_secret/replay', rows.deadLetter);
    expect(letter).toMatchObject({ queue: 'sms', attempts: 1 });
  });

  it('are refused in words where there is nothing', async () => {
    await expect(api.get('/calls/nobody', rows.wholeCall)).rejects.toMatchObject({
      status: 404,
      code: 'API_NOT_FOUND',
    });
    await expect(api.get('/calls/nobody', rows.wholeCall)).rejects.toBeInstanceOf(ApiError);
  });
});
