import { describe, expect, it, onTestFinished } from 'vitest';
import type { CrmActivity } from '../../../../src/jobs/drivers/crm/crm-driver.ts';
import { HubSpot } from '../../../../src/jobs/drivers/crm/hubspot.ts';
import { startHubSpot, type HubSpotStandIn } from '../../../support/jobs/providers/hubspot.ts';

const TOKEN = 'pat-eu1-0000';
const LAURA = { e164: '+442079460123', name: 'Laura Anne Bennett', email: 'laura@example.org' };
const CALL: CrmActivity = {
  key: 'call_abc/activity',
  title: 'Call to clinic-receptionist: book appointment',
  text: 'Caller: Laura Bennett',
  startedAt: new Date('2026-01-15T10:00:00Z'),
  durationMs: 84_000,
  fromNumber: '+442079460123',
  toNumber: '+442079460100',
};

async function stage(token = TOKEN): Promise<{ hub: HubSpotStandIn; crm: HubSpot }> {
  const hub = await startHubSpot(TOKEN);
  const crm = new HubSpot({ baseUrl: hub.url, accessToken: token, timeoutMs: 10_000 });
  onTestFinished(async () => {
    await crm.close();
    await hub.close();
  });
  return { hub, crm };
}

/** What the queue does: the same again until it is done. */
async function untilDone<T>(work: () => Promise<T>, triesMax = 10): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesMax) throw error;
    }
  }
}

describe('a contact in HubSpot', () => {
  it('is made with its number as its key, and changed after that', async () => {
    const { hub, crm } = await stage();
    const id = await crm.upsertContact(LAURA);
    expect(hub.contacts).toEqual([
      {
        id,
        properties: {
          trunkline_e164: '+442079460123',
          phone: '+442079460123',
          email: 'laura@example.org',
          firstname: 'Laura Anne',
          lastname: 'Bennett',
        },
      },
    ]);
    expect(await crm.upsertContact({ e164: LAURA.e164, company: 'Acme', externalId: id })).toBe(id);
    expect(hub.contacts[0]?.properties).toMatchObject({ company: 'Acme', firstname: 'Laura Anne' });
  });

  it('is the one that a person made, if there is one', async () => {
    const { hub, crm } = await stage();
    const byHand = hub.addContact({ phone: LAURA.e164, firstname: 'L.' });
    expect(await crm.upsertContact({ e164: LAURA.e164 })).toBe(byHand);
    expect(hub.contacts).toHaveLength(1);
    expect(hub.contacts[0]?.properties).toMatchObject({ trunkline_e164: LAURA.e164, firstname: 'L.' });
  });

  it('is one, though the search does not see what was just written', async () => {
    const { hub, crm } = await stage();
    const ids = await Promise.all(Array.from({ length: 8 }, () => crm.upsertContact(LAURA)));
    expect(new Set(ids).size).toBe(1);
    expect(hub.contacts).toHaveLength(1);
  });

  it('is found anew when the one that was known is gone', async () => {
    const { hub, crm } = await stage();
    const gone = await crm.upsertContact(LAURA);
    hub.removeContact(gone);
    const id = await crm.upsertContact({ ...LAURA, externalId: gone });
    expect(id).not.toBe(gone);
    expect(hub.contacts.map((one) => one.id)).toEqual([id]);
  });

  it('is the one with the number, when another was known that cannot have it', async () => {
    const { hub, crm } = await stage();
    const right = await crm.upsertContact(LAURA);
    const wrong = hub.addContact({ firstname: 'Someone' });
    expect(await crm.upsertContact({ ...LAURA, externalId: wrong })).toBe(right);
  });

  it('with one word for a name has it as first name', async () => {
    const { hub, crm } = await stage();
    await crm.upsertContact({ e164: LAURA.e164, name: ' Laura ' });
    expect(hub.contacts[0]?.properties).toMatchObject({ firstname: 'Laura' });
    expect(hub.contacts[0]?.properties).not.toHaveProperty('lastname');
  });
});

describe('a call in HubSpot', () => {
  it('stands beside its contact, once, however often it is written', async () => {
    const { hub, crm } = await stage();
    const contact = await crm.upsertContact(LAURA);
    const id = await crm.writeActivity(CALL, contact);
    expect(await crm.writeActivity(CALL, contact)).toBe(id);
    expect(hub.calls).toHaveLength(1);
    expect(hub.calls[0]?.properties).toMatchObject({
      trunkline_call_key: 'call_abc/activity',
      hs_timestamp: '2026-01-15T10:00:00.000Z',
      hs_call_duration: '84000',
      hs_call_body: 'Caller: Laura Bennett',
    });
    expect([...hub.associations]).toEqual([`${id} -> ${contact}`]);
  });

  it('is written exactly once through every fault that HubSpot has', async () => {
    const { hub, crm } = await stage();
    const faults = [
      { status: 429, headers: { 'retry-after': '1' } },
      'cut-after',
      { status: 502 },
      'cut',
    ] as const;
    // Every request of the whole work meets each fault once.
    for (let request = 0; request < 12; request += 1) hub.fail(...(request % 2 ? [] : faults), undefined);
    const contact = await untilDone(() => crm.upsertContact(LAURA), 40);
    await untilDone(() => crm.writeActivity(CALL, contact), 40);
    expect(hub.contacts).toHaveLength(1);
    expect(hub.calls).toHaveLength(1);
    expect(hub.associations.size).toBe(1);
    expect(hub.asked.length).toBeGreaterThan(20);
  });
});

describe('HubSpot', () => {
  it('says how long to wait', async () => {
    const { hub, crm } = await stage();
    await crm.upsertContact(LAURA);
    hub.fail({ status: 429, headers: { 'retry-after': '10' } });
    await expect(crm.upsertContact(LAURA)).rejects.toMatchObject({
      outcome: 'unavailable',
      retryAfterMs: 10_000,
    });
  });

  it('with a wrong token refuses, and trying again would not help', async () => {
    const { crm } = await stage('wrong');
    await expect(crm.upsertContact(LAURA)).rejects.toMatchObject({ outcome: 'refused', status: 401 });
  });

  it('that answers 207 with errors has refused', async () => {
    const { hub, crm } = await stage();
    await crm.upsertContact(LAURA);
    const body = { status: 'COMPLETE', results: [], errors: [{ message: 'Property values were not valid' }] };
    hub.fail(undefined, { status: 207, body });
    await expect(crm.upsertContact({ ...LAURA, email: 'no' })).rejects.toThrow(/values were not valid/);
  });

  it('gets our properties once, also from two workers at a time', async () => {
    const { hub, crm } = await stage();
    const other = new HubSpot({ baseUrl: hub.url, accessToken: TOKEN, timeoutMs: 10_000 });
    onTestFinished(() => other.close());
    await Promise.all([
      crm.upsertContact(LAURA),
      other.upsertContact(LAURA),
      crm.writeActivity(CALL, '1').catch(() => ''),
    ]);
    expect(hub.contacts).toHaveLength(1);
    const asked = hub.asked.length;
    await crm.upsertContact(LAURA);
    expect(hub.asked.slice(asked).some((one) => one.path.includes('/properties/'))).toBe(false);
  });
});
