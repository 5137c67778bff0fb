/**
 * `sms`: one short message. Its row says what became of it:
 *
 *   queued ──> sent ──> delivered | undelivered | failed      by receipts
 *     │  └──> held (quiet hours) ──> sent
 *     └─────> suppressed (opted out, or the tenant's limit of a day) | failed (refused)
 *
 * `handed_at` is written before the provider is asked and cleared when it surely did nothing. Whoever finds
 * it set, without a provider's id beside it, follows a try that had no answer, or goes on: it waits until
 * that one is over for sure, and looks for the message at the provider, or waits for a receipt, before it
 * sends again.
 */
import { messageOf } from '../../base/errors.ts';
import { changeMessage, claimMessage, providerIdsTo, type Message } from '../../store/tables/messages.ts';
import { setOptOut } from '../../store/tables/opt-outs.ts';
import { ProviderFailure } from '../drivers/provider-failure.ts';
import type { OptWords } from '../drivers/sms/opt-out.ts';
import type { QuietHours } from '../drivers/sms/quiet-hours.ts';
import { segmentsOf } from '../drivers/sms/segments.ts';
import type { OutgoingText, SmsDriver } from '../drivers/sms/sms-driver.ts';
import { fillTemplate } from '../drivers/sms/template.ts';
import { GatheredWrites } from '../gathered-writes.ts';
import { QUEUES, type PayloadOf } from '../queues.ts';
import { JobLater, JobRefused, type Handler, type Work, type WorkTools } from '../work.ts';
import { decideTexts, type Decision, type Text } from './decided-texts.ts';
import { jobErrorOf } from './provider-outcome.ts';

export interface SmsTenant {
  /** undefined: the outbox; the row is all there is. */
  readonly driver?: SmsDriver | undefined;
  readonly from: string;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  /** Whose clock they are on; the tenant's is `timeZone`. */
  readonly quietZone: 'recipient' | 'tenant';
  readonly templates: Readonly<Record<string, string>>;
  readonly partsMax: number;
  /** Messages from midnight to midnight of `dayZone`; 0: no limit. */
  readonly perDayMax: number;
  readonly dayZone: string;
  /** How long a message without an answer waits for its receipt before it is sent again, in ms. */
  readonly unclearWaitMs: number;
  readonly optWords: OptWords;
  /** Answers to STOP, START and HELP; empty: none. */
  readonly replies: { readonly stop: string; readonly start: string; readonly help: string };
}

/** Twilio: the recipient told Twilio itself to stop. */
const TWILIO_OPTED_OUT = '21610';
const texts_together_max = 16;

export function smsHandler(
  tenantOf: (tenant: string) => SmsTenant,
  /** `tryMs`: no try of a job acts for longer. */
  { now = () => new Date(), tryMs = QUEUES.sms.timeoutMs }: { now?: () => Date; tryMs?: number } = {},
): Handler<'sms'> {
  const decisions = new GatheredWrites<Text, Decision>({ entriesMax: texts_together_max });
  return async (work, tools) => {
    const { tenant } = work;
    const rules = tenantOf(tenant);
    const { message, next } = await decisions.add(tenant, textOf(work, rules), (texts) =>
      tools.store.tenant(tenant, (unit) => decideTexts(unit, texts, { rules, now: now(), log: tools.log })),
    );
    if (next === 'nothing') return;
    if (next instanceof JobLater) throw next;
    const change = (what: Parameters<typeof changeMessage>[2]): Promise<unknown> =>
      tools.store.tenant(tenant, (unit) => changeMessage(unit, { messageId: message.message_id }, what));
    if (next !== 'sent') {
      // Providers count parts, not texts.
      const { segments } = message;
      await tools.pace({ tenant, provider: next.name, key: work.key, requests: segments ?? 1 });
      await handOver({ work, tools, message, rules, driver: next, now, tryMs, change });
    }
    await tellSent(work, tools, message, now());
  };
}

/** @throws JobRefused: it cannot be sent as it is */
function textOf({ key, data }: Work<'sms'>, rules: SmsTenant): Text {
  const body = bodyOf(data, rules);
  const segments = segmentsOf(body).parts.length;
  if (body === '' || segments > rules.partsMax)
    throw new JobRefused('SMS_TEXT_INVALID', `${segments} parts, ${rules.partsMax} are allowed`);
  return { key, data, body, segments };
}

function bodyOf({ body, template, values }: PayloadOf<'sms'>, { templates }: SmsTenant): string {
  if (body !== undefined) return body;
  const text = template === undefined ? undefined : templates[template];
  if (text === undefined) throw new JobRefused('SMS_TEXT_INVALID', `no template "${template ?? ''}"`);
  try {
    return fillTemplate(text, values ?? {});
  } catch (error) {
    throw new JobRefused('SMS_TEXT_INVALID', messageOf(error));
  }
}

interface HandOver {
  readonly work: Work<'sms'>;
  readonly tools: WorkTools;
  readonly message: Message;
  readonly rules: SmsTenant;
  readonly driver: SmsDriver;
  readonly now: () => Date;
  readonly tryMs: number;
  readonly change: (what: Parameters<typeof changeMessage>[2]) => Promise<unknown>;
}

async function handOver(job: HandOver): Promise<void> {
  const { work, message, driver, now, change } = job;
  const text: OutgoingText = {
    ...{ messageId: message.message_id, to: message.to_number, from: message.from_number },
    ...{ body: message.body, signal: work.signal },
  };
  const found = await earlierTry(job, text);
  if (found !== null) return change({ status: 'sent', provider_message_id: found, sent_at: now() }).then();
  const { message_id: messageId, handed_at: seen } = message;
  const claim = { messageId, seen, at: now(), provider: driver.name };
  const isOurs = await job.tools.store.tenant(work.tenant, (unit) => claimMessage(unit, claim));
  if (!isOurs) throw new JobLater(job.tryMs, 'another try was quicker');
  let id: string;
  try {
    id = await driver.send(text);
  } catch (error) {
    await afterFailure(job, error);
    throw jobErrorOf(error);
  }
  const sent = { provider_message_id: id, sent_at: now(), error_code: null, error_detail: null };
  const { tenant } = work;
  const which = { messageId: message.message_id };
  await job.tools.store.tenant(tenant, async (unit) => {
    const open = ['queued', 'held', 'failed'] as const;
    const changed = await changeMessage(unit, which, { ...sent, status: 'sent' }, open);
    // Its receipt was quicker than the answer.
    if (changed === undefined) await changeMessage(unit, which, sent);
  });
}

/**
 * What a try before this one did, if it had no answer: the provider's id, or null when it is to be sent
 * (again).
 */
async function earlierTry(job: HandOver, text: OutgoingText): Promise<string | null> {
  const { message, driver, rules, now, tryMs } = job;
  if (message.handed_at === null) return null;
  const sinceMs = now().getTime() - message.handed_at.getTime();
  // A process that was held up for longer than its lock has lost the job to us, and may be sending it still.
  const patienceMs = driver.find === undefined ? rules.unclearWaitMs : tryMs;
  if (sinceMs < patienceMs) throw new JobLater(patienceMs - sinceMs, 'an earlier try has no answer yet');
  if (driver.find !== undefined) {
    try {
      const { tenant } = job.work;
      const { to_number: to } = message;
      const taken = await job.tools.store.tenant(tenant, (unit) =>
        providerIdsTo(unit, { provider: driver.name, to }),
      );
      return await driver.find(text, message.handed_at, taken);
    } catch (error) {
      throw jobErrorOf(error);
    }
  }
  return null;
}

async function afterFailure({ work, tools, message, change }: HandOver, error: unknown): Promise<void> {
  if (!(error instanceof ProviderFailure)) return;
  const { outcome, code, providerCode, detail } = error;
  const words = { error_code: providerCode ?? code, error_detail: detail };
  if (outcome === 'unclear') await change(words);
  else if (outcome === 'unavailable') await change({ ...words, handed_at: null });
  else await change({ ...words, handed_at: null, status: 'failed' });
  if (providerCode !== TWILIO_OPTED_OUT) return;
  const { to_number: e164 } = message;
  await tools.store.tenant(work.tenant, (unit) =>
    setOptOut(unit, { e164, channel: 'sms', optedOut: true, reason: 'told the provider' }),
  );
}

async function tellSent(
  { tenant }: Work<'sms'>,
  { jobs }: WorkTools,
  message: Message,
  at: Date,
): Promise<void> {
  const event = {
    ...{ eventId: `${message.message_id}/sent`, type: 'message.sent', at: at.toISOString() },
    data: { messageId: message.message_id, to: message.to_number, callId: message.call_id },
  };
  await jobs.enqueue('webhooks', { tenant, key: event.eventId, data: event });
}
