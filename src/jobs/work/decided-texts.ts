/**
 * What is to be done with short messages: each gets its row with its first try, and is refused, put off or
 * let go by who its recipient is, clock and the tenant's day. As few statements as one takes, however many.
 */
import type { Log } from '../../base/log.ts';
import { dayAt } from '../../base/zoned-time.ts';
import type { TenantRows } from '../../store/store.ts';
import {
  addMessages,
  changeMessage,
  changeMessages,
  countTextsSince,
  type Message,
} from '../../store/tables/messages.ts';
import { optedOutOf } from '../../store/tables/opt-outs.ts';
import { zonesOf } from '../drivers/sms/number-zones.ts';
import { sendableAt, sendableInAll } from '../drivers/sms/quiet-hours.ts';
import type { SmsDriver } from '../drivers/sms/sms-driver.ts';
import type { PayloadOf } from '../queues.ts';
import { JobLater } from '../work.ts';
import type { SmsTenant } from './sms.ts';

/** A message that is asked for, in the words that are to be sent. */
export interface Text {
  /** The job's. */
  readonly key: string;
  readonly data: PayloadOf<'sms'>;
  readonly body: string;
  readonly segments: number;
}

export interface Decision {
  readonly message: Message;
  /** `sent`: into the outbox, by its row alone. */
  readonly next: 'nothing' | 'sent' | JobLater | SmsDriver;
}

interface Circumstances {
  readonly rules: SmsTenant;
  readonly now: Date;
  readonly log: Log;
}

const OUTBOX = 'outbox';
const DAY_LIMIT = 'SMS_DAY_LIMIT_REACHED';
const OPEN: ReadonlySet<Message['status']> = new Set(['queued', 'held', 'failed']);

/** In the order of `texts`. */
export async function decideTexts(
  unit: TenantRows,
  texts: readonly Text[],
  given: Circumstances,
): Promise<readonly Decision[]> {
  const { rules, now } = given;
  const numbers = texts.map((text) => text.data.to);
  const [added, unwanted] = await Promise.all([
    addMessages(
      unit,
      texts.map((text) => newMessage(text, rules)),
    ),
    optedOutOf(unit, { numbers, channel: 'sms' }),
  ]);
  const tooMany = await beyondDay(unit, texts, added, given);
  const changes: Promise<unknown>[] = [];
  const [suppressed, sent]: [string[], string[]] = [[], []];
  const decided = added.map(({ message }, at): Decision => {
    const { message_id: messageId, provider_message_id: taken, status, to_number: to } = message;
    if (taken !== null || !OPEN.has(status) || tooMany.has(messageId)) return { message, next: 'nothing' };
    if (texts[at]?.data.isOptReply !== true) {
      if (unwanted.has(to)) {
        suppressed.push(messageId);
        return { message, next: 'nothing' };
      }
      const send_after = sendableTo(to, rules, now);
      const waitMs = send_after.getTime() - now.getTime();
      if (waitMs > 0) {
        changes.push(changeMessage(unit, { messageId }, { status: 'held', send_after }));
        return { message, next: new JobLater(waitMs, 'quiet hours') };
      }
    }
    if (rules.driver !== undefined) return { message, next: rules.driver };
    sent.push(messageId);
    return { message, next: 'sent' };
  });
  const error_detail = 'the recipient wants no messages';
  await Promise.all([
    ...changes,
    changeMessages(unit, suppressed, { status: 'suppressed', error_detail }),
    changeMessages(unit, sent, { status: 'sent', provider: OUTBOX, sent_at: now }),
  ]);
  return decided;
}

function newMessage(
  { key, data, body, segments }: Text,
  rules: SmsTenant,
): Parameters<typeof addMessages>[1][number] {
  return {
    ...{ idempotency_key: key, direction: 'outbound', status: 'queued', body, segments },
    ...{ from_number: data.from ?? rules.from, to_number: data.to, call_id: data.callId },
    ...{ template: data.template ?? null, provider: rules.driver?.name ?? OUTBOX },
  };
}

/**
 * Those for which the day has no room: decided once, when the row is made; a later try finds it so.
 * STOP is always answered.
 */
async function beyondDay(
  unit: TenantRows,
  texts: readonly Text[],
  added: readonly { readonly message: Message; readonly isNew: boolean }[],
  { rules: { perDayMax, dayZone }, now, log }: Circumstances,
): Promise<Set<string>> {
  const { tenant } = unit;
  const fresh = new Set(added.filter((one) => one.isNew).map((one) => one.message.message_id));
  const tooMany = new Set<string>();
  if (perDayMax === 0 || fresh.size === 0) return tooMany;
  let ofDay = (await countTextsSince(unit, dayAt(now, dayZone).start)) - fresh.size;
  const error_detail = `messages_per_day_max (${perDayMax}) of tenant ${tenant} is reached`;
  for (const [at, { key, data }] of texts.entries()) {
    const messageId = added[at]?.message.message_id ?? '';
    if (!fresh.delete(messageId)) continue;
    if (data.isOptReply === true || ofDay < perDayMax) {
      ofDay += 1;
      continue;
    }
    tooMany.add(messageId);
    log.warn(
      { tenant: unit.tenant, key, code: DAY_LIMIT, detail: error_detail },
      'a text message is not sent',
    );
  }
  await changeMessages(unit, [...tooMany], { status: 'suppressed', error_code: DAY_LIMIT, error_detail });
  return tooMany;
}

/** A number whose zone nobody knows, or at which it is always quiet somewhere, goes by the tenant's. */
function sendableTo(to: string, { quietHours, quietZone, timeZone }: SmsTenant, now: Date): Date {
  const zones = quietZone === 'recipient' ? zonesOf(to) : [];
  const allowed = zones.length === 0 ? undefined : sendableInAll(quietHours, now, zones);
  return allowed ?? sendableAt(quietHours, now, timeZone);
}
