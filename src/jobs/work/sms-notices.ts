/** What providers say of messages, kept: receipts, and what people write, STOP before all. */
import { changeMessage, addMessage, unansweredMessages, type Message } from '../../store/tables/messages.ts';
import { setOptOut } from '../../store/tables/opt-outs.ts';
import type { TenantRows } from '../../store/store.ts';
import { optWordOf } from '../drivers/sms/opt-out.ts';
import { referenceOf } from '../drivers/sms/smpp.ts';
import type { ReceiptStatus, SmsNotice } from '../drivers/sms/sms-driver.ts';
import type { WorkTools } from '../work.ts';
import type { SmsTenant } from './sms.ts';

/** Receipts come late, twice and in any order: a message only ever goes forward. */
const MAY_FOLLOW: Readonly<Record<ReceiptStatus, readonly Message['status'][]>> = {
  sent: ['queued', 'held', 'failed'],
  delivered: ['queued', 'held', 'failed', 'sent', 'undelivered'],
  undelivered: ['queued', 'held', 'failed', 'sent'],
  failed: ['queued', 'held', 'sent'],
};

export interface NoticeOrigin {
  readonly tenant: string;
  /** The driver's name. */
  readonly provider: string;
  readonly rules: SmsTenant;
}

type Tools = Pick<WorkTools, 'store' | 'jobs'>;

/**
 * Keeps a notice; the same one again changes nothing. The HTTP route of a provider's webhooks calls it with
 * what `readTwilio` or `readTelnyx` made of the request, and answers 2xx once it resolves.
 * @throws TrunklineError STORE_UNAVAILABLE; Error when a receipt is earlier than what it is for: say it
 * again
 */
export async function takeNotice(notice: SmsNotice, origin: NoticeOrigin, tools: Tools): Promise<void> {
  if (notice.type === 'received') return takeText(notice, origin, tools);
  const changed = await tools.store.tenant(origin.tenant, (unit) => applyReceipt(unit, notice, origin));
  if (changed === undefined || notice.status === 'sent') return;
  const event = {
    ...{ eventId: `${changed.message_id}/${notice.status}`, type: `message.${notice.status}` },
    at: new Date().toISOString(),
    data: { messageId: changed.message_id, to: changed.to_number, errorCode: changed.error_code },
  };
  await tools.jobs.enqueue('webhooks', { tenant: origin.tenant, key: event.eventId, data: event });
}

async function applyReceipt(
  unit: TenantRows,
  notice: Extract<SmsNotice, { type: 'receipt' }>,
  { provider }: NoticeOrigin,
): Promise<Message | undefined> {
  const { status, providerMessageId, errorCode } = notice;
  const change = {
    status,
    ...(status === 'delivered' ? { delivered_at: new Date(), error_code: null } : {}),
    ...(errorCode === undefined ? {} : { error_code: errorCode }),
  };
  const from = MAY_FOLLOW[status];
  const named = { provider, provider_message_id: providerMessageId };
  if (notice.messageId !== undefined)
    return changeMessage(unit, { messageId: notice.messageId }, { ...change, ...named }, from);
  const changed = await changeMessage(unit, { provider, providerMessageId }, change, from);
  if (changed !== undefined || notice.from === undefined) return changed;
  // The answer to submit_sm was lost, or is not yet written: the reference tells which message it was.
  const open = await unansweredMessages(unit, { provider, to: notice.from });
  const meant = open.find((one) => referenceOf(one.message_id) === notice.reference);
  if (meant === undefined) return undefined;
  return changeMessage(unit, { messageId: meant.message_id }, { ...change, ...named }, from);
}

async function takeText(
  notice: Extract<SmsNotice, { type: 'received' }>,
  { tenant, provider, rules }: NoticeOrigin,
  { store, jobs }: Tools,
): Promise<void> {
  const { providerMessageId, from, to, text } = notice;
  const key = `${provider}/${providerMessageId}`;
  const word = optWordOf(text, rules.optWords);
  const message = await store.tenant(tenant, async (unit) => {
    const kept = await addMessage(unit, {
      ...{ idempotency_key: key, direction: 'inbound', status: 'received', body: text, call_id: null },
      ...{ from_number: from, to_number: to, provider, provider_message_id: providerMessageId },
    });
    // Only the first time: a STOP that comes again after a START must not stop once more.
    if (kept.isNew && (word === 'stop' || word === 'start'))
      await setOptOut(unit, {
        e164: from,
        channel: 'sms',
        optedOut: word === 'stop',
        reason: `wrote "${text.slice(0, 40)}"`,
      });
    return kept.message;
  });
  const reply = word === undefined ? '' : rules.replies[word];
  if (reply !== '') {
    const data = { callId: null, to: from, from: to, body: reply, isOptReply: true };
    await jobs.enqueue('sms', { tenant, key: `${key}/reply`, data });
  }
  const event = {
    ...{ eventId: `${message.message_id}/received`, type: 'message.received', at: new Date().toISOString() },
    data: { messageId: message.message_id, from, to, text },
  };
  await jobs.enqueue('webhooks', { tenant, key: event.eventId, data: event });
}
