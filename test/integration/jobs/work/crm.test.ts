import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { HubSpot } from '../../../../src/jobs/drivers/crm/hubspot.ts';
import { JobLater } from '../../../../src/jobs/work.ts';
import { crmHandler } from '../../../../src/jobs/work/crm.ts';
import { activitiesOf } from '../../../../src/store/tables/activities.ts';
import { endCall, findCall, openCalls } from '../../../../src/store/tables/calls.ts';
import { listContacts, type Contact } from '../../../../src/store/tables/contacts.ts';
import { addToolCalls } from '../../../../src/store/tables/tool-calls.ts';
import { addTurns } from '../../../../src/store/tables/turns.ts';
import { startHubSpot, type HubSpotStandIn } from '../../../support/jobs/providers/hubspot.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const newStage = workStages();
const CALL = 'call_1';
let stage: WorkStage;
beforeEach(async () => {
  stage = await newStage();
  stage.queue.handlers = { crm: crmHandler(() => ({ country: 'GB' })) };
});

async function callOf(from: string, callId = CALL): Promise<void> {
  await stage.unit(async (unit) => {
    await openCalls(unit, {
      ...{ call_id: callId, gateway: 'g1', source: 'phone', sip_call_id: 'x', trunk: 'local' },
      ...{ profile: 'clinic', from_number: from, to_number: '+442079460100' },
      started_at: new Date('2026-01-15T10:00:00Z'),
    });
    const place = { call_id: callId, heard_ms: null, response_ms: null };
    await addTurns(unit, [
      { ...place, seq: 0, at_ms: 100, who: 'agent', text: 'How can I help you?' },
      { ...place, seq: 1, at_ms: 900, who: 'caller', text: 'I need an appointment on Monday' },
    ]);
    const [args, result] = [
      { name: 'Laura Bennett', time: '10:00' },
      { ok: true, confirmation: 'KT482' },
    ];
    await addToolCalls(unit, [
      {
        ...{ call_id: callId, seq: 2, name: 'book_appointment', arguments: args, result },
        ...{ ok: true, code: null, took_ms: 5, at_ms: 2000 },
      },
    ]);
    await endCall(unit, callId, {
      ...{ ended_at: new Date('2026-01-15T10:01:00Z'), duration_ms: 60_000, media: null },
      ...{ ending: 'caller-hung-up', ending_class: 'success', ending_detail: null },
    });
  });
}

async function work(callId = CALL): Promise<void> {
  const data = { type: 'call-ended' as const, callId };
  await stage.queue.enqueue('crm', { tenant: stage.tenant, key: `${callId}/crm`, data });
  await stage.queue.drain();
}

async function hubspot(): Promise<HubSpotStandIn> {
  const server = await startHubSpot('token');
  const driver = new HubSpot({ baseUrl: server.url, accessToken: 'token', timeoutMs: 10_000 });
  onTestFinished(async () => {
    await driver.close();
    await server.close();
  });
  stage.queue.handlers = { crm: crmHandler(() => ({ country: 'GB', driver })) };
  return server;
}

const contacts = async (): Promise<Contact[]> =>
  (await stage.unit((unit) => listContacts(unit, { limit: 10 }))).rows;

/** Of a call of three facts, of which its gateway told one more. */
const oneMissing = async (): Promise<void> => {
  await callOf('020 7946 0123');
  await stage.unit((unit) =>
    endCall(unit, CALL, {
      ...{ ended_at: new Date('2026-01-15T10:01:00Z'), duration_ms: 60_000, media: null, facts_told: 4 },
      ...{ ending: 'caller-hung-up', ending_class: 'success', ending_detail: null },
    }),
  );
};

describe('after a call', () => {
  it('whose end came before the last of its facts, the summary waits for that', async () => {
    await oneMissing();
    const late = { call_id: CALL, seq: 3, at_ms: 3000, name: 'send_sms', took_ms: 1, code: null };
    const act = { ...late, arguments: {}, result: { ok: true }, ok: true };
    let coming: Promise<void> | undefined;
    stage.queue.onPause = () => {
      coming ??= stage.unit((unit) => addToolCalls(unit, [act]));
    };
    await work();
    expect(coming).toBeDefined();
    const activities = await stage.unit((unit) => activitiesOf(unit, { callId: CALL }));
    expect(activities[0]?.summary).toContain('send sms');
  });

  it('whose last fact never comes, the summary says what there is, in the end', async () => {
    await oneMissing();
    const at = (agoMs: number): Promise<void> =>
      crmHandler(() => ({ country: 'GB' }))(
        {
          ...{ v: 1, tenant: stage.tenant, key: 'k', at: new Date(Date.now() - agoMs).toISOString() },
          ...{ data: { type: 'call-ended', callId: CALL }, attempt: 1, signal: AbortSignal.timeout(10_000) },
        },
        stage.queue.tools,
      );
    await expect(at(60_000)).rejects.toBeInstanceOf(JobLater);
    expect(await contacts()).toEqual([]);
    await at(6 * 60_000);
    expect(await contacts()).toHaveLength(1);
  });

  it('there is a contact, one activity, and a summary', async () => {
    await callOf('020 7946 0123');
    await work();
    await stage.queue.again('crm', `${CALL}/crm`);
    expect(await contacts()).toMatchObject([{ e164: '+442079460123', name: 'Laura Bennett' }]);
    const activities = await stage.unit((unit) => activitiesOf(unit, { callId: CALL }));
    expect(activities).toMatchObject([{ kind: 'call', outcome: 'caller-hung-up' }]);
    expect(activities[0]?.summary).toContain('Wanted: "I need an appointment on Monday"');
    const call = await stage.unit((unit) => findCall(unit, CALL));
    expect(call?.summary).toBe(activities[0]?.summary);
    expect(call?.summary).toContain('Ended: The caller hung up after 1 min 0 s');
  });

  it('of somebody without a number there is a summary, and no contact', async () => {
    await callOf('anonymous');
    await work();
    expect(await contacts()).toEqual([]);
    const call = await stage.unit((unit) => findCall(unit, CALL));
    expect(call?.summary).toContain('Caller: Laura Bennett');
    expect(stage.queue.dead).toEqual([]);
  });

  it('two calls of one number are one contact with two activities', async () => {
    await callOf('+442079460123');
    await callOf('+44 20 7946 0123', 'call_2');
    await work();
    await work('call_2');
    const [contact, ...others] = await contacts();
    expect(others).toEqual([]);
    const contactId = contact?.contact_id ?? '';
    expect(await stage.unit((unit) => activitiesOf(unit, { contactId }))).toHaveLength(2);
  });

  it('that nobody knows of, the job is for a person', async () => {
    await work('call_none');
    expect(stage.queue.dead).toMatchObject([{ error: { code: 'JOB_PAYLOAD_INVALID' } }]);
  });
});

describe('HubSpot after a call', () => {
  it('has contact and call once, though it failed at every step and the job ran again', async () => {
    const server = await hubspot();
    server.fail('cut', { status: 429, headers: { 'retry-after': '1' } }, undefined, 'cut-after', undefined, {
      status: 503,
    });
    await callOf('+442079460123');
    await work();
    await stage.queue.again('crm', `${CALL}/crm`);
    expect(stage.queue.dead).toEqual([]);
    expect(server.contacts).toHaveLength(1);
    expect(server.calls).toHaveLength(1);
    expect(server.associations.size).toBe(1);
    const [contact] = await contacts();
    expect(contact?.external).toEqual({ hubspot: server.contacts[0]?.id });
    const [activity] = await stage.unit((unit) => activitiesOf(unit, { callId: CALL }));
    expect(activity?.external).toEqual({ hubspot: server.calls[0]?.id });
  });

  it('that refuses puts the job into the dead letters; our own record stands', async () => {
    const server = await hubspot();
    server.fail({ status: 403, body: { message: 'missing scope' } });
    await callOf('+442079460123');
    await work();
    expect(stage.queue.dead).toMatchObject([{ error: { code: 'PROVIDER_REFUSED' } }]);
    expect(await contacts()).toHaveLength(1);
    await stage.queue.again('crm', `${CALL}/crm`);
    expect(server.calls).toHaveLength(1);
  });

  it('gets what an agent saved during the call', async () => {
    const server = await hubspot();
    const data = {
      type: 'contact' as const,
      callId: null,
      e164: '+442079460123',
      email: 'laura@example.org',
    };
    await stage.queue.enqueue('crm', { tenant: stage.tenant, key: 'c', data });
    await stage.queue.drain();
    expect(server.contacts).toMatchObject([{ properties: { email: 'laura@example.org' } }]);
  });
});
