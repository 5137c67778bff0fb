import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { OutsideAddresses } from '../../../../src/base/outside-address.ts';
import { CalDav } from '../../../../src/jobs/drivers/calendar/caldav.ts';
import { ProviderHttp } from '../../../../src/jobs/drivers/provider-http.ts';
import { bookingOf, calendarHandler } from '../../../../src/jobs/work/calendar.ts';
import {
  wants,
  webhookId,
  webhooksHandler,
  type WebhookEndpoint,
} from '../../../../src/jobs/work/webhooks.ts';
import { bookSlot, cancelAppointment, findAppointment } from '../../../../src/store/tables/appointments.ts';
import { startWebhookReceiver, webhookSecret } from '../../../support/jobs/providers/webhook-receiver.ts';
import { startRadicale } from '../../../support/jobs/radicale.ts';
import { workStages, type WorkStage } from '../../../support/jobs/stage.ts';

const newStage = workStages();
const SECRET = webhookSecret('clinic');
let stage: WorkStage;
beforeEach(async () => {
  stage = await newStage();
});

function deliverTo(...endpoints: WebhookEndpoint[]): void {
  const outside = new OutsideAddresses({ allowHttp: true, allowedNetworks: ['127.0.0.0/8'] });
  const http = new ProviderHttp({ provider: 'a webhook', timeoutMs: 10_000, outside });
  onTestFinished(() => http.close());
  const webhooks = webhooksHandler(() => ({ endpoints }), http);
  stage.queue.handlers = { ...stage.queue.handlers, webhooks };
}

async function tell(eventId: string, type: string): Promise<void> {
  const data = { eventId, type, at: '2026-01-15T10:00:00.000Z', data: { callId: 'call_1' } };
  await stage.queue.enqueue('webhooks', { tenant: stage.tenant, key: eventId, data });
  await stage.queue.drain();
}

describe('an event', () => {
  it('reaches each receiver that wants it once, one that fails holding up no other', async () => {
    const [first, second] = [await startWebhookReceiver(SECRET), await startWebhookReceiver(SECRET)];
    onTestFinished(() => Promise.all([first.close(), second.close()]).then(() => undefined));
    deliverTo(
      { name: 'first', url: first.url, secret: SECRET, events: ['call.*'] },
      { name: 'second', url: second.url, secret: SECRET, events: ['*'] },
    );
    first.fail({ status: 503 }, 'cut-after');
    await tell('e1', 'call.ended');
    await tell('e2', 'message.sent');
    await stage.queue.again('webhooks', 'e1');
    await stage.queue.drain();
    expect(first.taken.map((one) => one.type)).toEqual(['call.ended']);
    expect(first.repeated).toBe(1);
    expect(second.taken.map((one) => one.type)).toEqual(['call.ended', 'message.sent']);
    expect(second.repeated).toBe(0);
    expect(first.taken[0]?.id).toBe(webhookId(stage.tenant, 'e1'));
  });

  it('can be told again from the dead letters', async () => {
    const receiver = await startWebhookReceiver(SECRET);
    onTestFinished(() => receiver.close());
    deliverTo({ name: 'r', url: receiver.url, secret: SECRET, events: ['*'] });
    receiver.fail({ status: 410 });
    await tell('e1', 'call.ended');
    expect(stage.queue.dead).toMatchObject([{ key: 'e1/to/r', error: { code: 'PROVIDER_REFUSED' } }]);
    await stage.queue.again('webhooks', 'e1/to/r');
    expect(receiver.taken).toHaveLength(1);
  });

  it('to an address inside, or to a receiver that is gone, is for a person', async () => {
    deliverTo({ name: 'inside', url: 'http://10.0.0.1/', secret: SECRET, events: ['*'] });
    await tell('e1', 'call.ended');
    expect(stage.queue.dead).toMatchObject([{ error: { code: 'ADDRESS_FORBIDDEN' } }]);
    deliverTo();
    await stage.queue.again('webhooks', 'e1/to/inside');
    expect(stage.queue.dead).toMatchObject([{}, { error: { code: 'JOB_PAYLOAD_INVALID' } }]);
  });

  it.each([
    [['*'], true],
    [['call.ended'], true],
    [['call.*'], true],
    [['call.started', 'message.*'], false],
    [['caller.*'], false],
  ])('is wanted by %j: %s', (events, expected) => expect(wants({ events }, 'call.ended')).toBe(expected));
});

describe('an appointment', () => {
  const slot = { calendar: 'default', callId: 'call_1', attemptId: 'attempt_1', name: 'Laura Bennett' };

  it('is put into the calendar once, and taken away when it is cancelled', async () => {
    const radicale = await startRadicale();
    const driver = new CalDav({ ...radicale, timeZone: 'Europe/London', timeoutMs: 20_000 });
    onTestFinished(async () => {
      await driver.close();
      await radicale.close();
    });
    stage.queue.handlers = { calendar: calendarHandler(() => ({ driver })) };
    const sync = async (key: string, appointmentId: string): Promise<void> => {
      const data = { type: 'sync' as const, appointmentId };
      await stage.queue.enqueue('calendar', { tenant: stage.tenant, key, data });
      await stage.queue.drain();
    };
    const events = (): string[] =>
      [...stage.queue.given.values()]
        .flatMap(({ data }) => (data as { type: string }).type)
        .filter((one) => one.includes('.'));
    const times = { day: '2026-07-15', time: '10:00', timeZone: 'Europe/London' };
    const made = await stage.unit((unit) => bookSlot(unit, { ...slot, ...times }));
    if (made === undefined) throw new Error('the slot was taken');
    await sync('a', made.appointment_id);
    await stage.queue.again('calendar', 'a');
    const { start, end } = bookingOf(made);
    expect(start.toISOString()).toBe('2026-07-15T09:00:00.000Z');
    expect(await driver.busy({ start, end })).toHaveLength(1);
    const kept = await stage.unit((unit) => findAppointment(unit, made.appointment_id));
    expect(kept?.external).toEqual({ caldav: made.appointment_id });

    await stage.unit((unit) => cancelAppointment(unit, made.appointment_id));
    await sync('b', made.appointment_id);
    expect(await driver.busy({ start, end })).toEqual([]);

    // A person was quicker in the calendar itself.
    const foreign = { key: 'person', start, end, title: 'Lunch', description: '' };
    expect(await driver.book(foreign)).toBe('booked');
    const late = await stage.unit((unit) => bookSlot(unit, { ...slot, ...times, callId: 'call_2' }));
    await sync('c', late?.appointment_id ?? '');
    expect(events()).toEqual(['appointment.booked', 'appointment.cancelled', 'appointment.conflict']);
    expect(await driver.busy({ start, end })).toHaveLength(1);
  });

  it('whose caller gave up waiting is withdrawn', async () => {
    stage.queue.handlers = { calendar: calendarHandler(() => ({})) };
    const times = { day: '2026-07-15', time: '10:00', timeZone: 'UTC' };
    const made = await stage.unit((unit) => bookSlot(unit, { ...slot, ...times }));
    const data = { type: 'withdraw' as const, attemptId: 'attempt_1' };
    await stage.queue.enqueue('calendar', { tenant: stage.tenant, key: 'w', data });
    await stage.queue.drain();
    const found = await stage.unit((unit) => findAppointment(unit, made?.appointment_id ?? ''));
    expect(found?.status).toBe('cancelled');
    await stage.queue.again('calendar', 'w');
    expect(stage.queue.dead).toEqual([]);
  });
});
