/**
 * Twilio's Programmable Messaging (www.twilio.com/docs/messaging/api/message-resource). Twilio has no
 * idempotency keys: a message whose sending had no answer is looked for among those it sent to the number.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { TrunklineError } from '../../../base/errors.ts';
import { ProviderHttp } from '../provider-http.ts';
import type { InboundRequest, OutgoingText, ReceiptStatus, SmsDriver, SmsNotice } from './sms-driver.ts';

export interface TwilioOptions {
  readonly baseUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** `{id}` is replaced by our message's; empty: no receipts. */
  readonly statusCallback: string;
  readonly timeoutMs: number;
}

const messageSchema = z.looseObject({ sid: z.string().min(1) });
const pageSchema = z.looseObject({
  messages: z.array(
    z.looseObject({ sid: z.string(), body: z.string(), direction: z.string(), date_created: z.string() }),
  ),
});

const page_size_max = 50;
/** `date_created` has whole seconds, and clocks differ. */
const CLOCK_DIFFERENCE_MS = 60_000;

const STATUS: Readonly<Record<string, ReceiptStatus>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
  undelivered: 'undelivered',
  failed: 'failed',
  canceled: 'failed',
};

export class Twilio implements SmsDriver {
  readonly name = 'twilio';
  readonly #http: ProviderHttp;
  readonly #messages: string;
  readonly #authorization: string;
  readonly #statusCallback: string;

  constructor({ baseUrl, accountSid, authToken, statusCallback, timeoutMs }: TwilioOptions) {
    this.#http = new ProviderHttp({ provider: this.name, timeoutMs });
    const account = encodeURIComponent(accountSid);
    this.#messages = `${baseUrl.replace(/\/$/, '')}/2010-04-01/Accounts/${account}/Messages.json`;
    this.#authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
    this.#statusCallback = statusCallback;
  }

  async send({ messageId, to, from, body, signal }: OutgoingText): Promise<string> {
    const form = new URLSearchParams({ To: to, Body: body });
    form.set(from.startsWith('MG') ? 'MessagingServiceSid' : 'From', from);
    if (this.#statusCallback !== '')
      form.set('StatusCallback', this.#statusCallback.replace('{id}', encodeURIComponent(messageId)));
    const answer = await this.#http.ask({
      method: 'POST',
      url: this.#messages,
      headers: {
        authorization: this.#authorization,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: form.toString(),
      signal,
    });
    return messageSchema.parse(this.#http.parse(answer)).sid;
  }

  async find(
    { to, body, signal }: OutgoingText,
    since: Date,
    taken: ReadonlySet<string>,
  ): Promise<string | null> {
    const query = new URLSearchParams({ To: to, PageSize: String(page_size_max) });
    const answer = await this.#http.ask({
      method: 'GET',
      url: `${this.#messages}?${query.toString()}`,
      headers: { authorization: this.#authorization },
      signal,
    });
    const { messages } = pageSchema.parse(this.#http.parse(answer));
    const earliest = since.getTime() - CLOCK_DIFFERENCE_MS;
    const found = messages.find(
      (one) =>
        !taken.has(one.sid) &&
        one.body === body &&
        one.direction !== 'inbound' &&
        Date.parse(one.date_created) >= earliest,
    );
    return found?.sid ?? null;
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

/**
 * X-Twilio-Signature: HMAC-SHA1 over the URL and every POST parameter, sorted by name, name and value without
 * anything between them (www.twilio.com/docs/usage/webhooks/webhooks-security).
 */
export function twilioSignature(authToken: string, url: string, parameters: URLSearchParams): string {
  const byName = [...new Set(parameters.keys())].sort();
  const pairs = byName.flatMap((name) =>
    [...new Set(parameters.getAll(name))].sort().map((value) => `${name}${value}`),
  );
  return createHmac('sha1', authToken)
    .update(Buffer.from(`${url}${pairs.join('')}`, 'utf8'))
    .digest('base64');
}

/**
 * What Twilio says: a receipt for a message of ours, or a message that somebody wrote. Statuses on the way
 * (queued, sending) say nothing new and give nothing.
 * @throws TrunklineError SIGNATURE_INVALID
 */
export function readTwilio(request: InboundRequest, authToken: string): SmsNotice[] {
  const parameters = new URLSearchParams(request.body);
  const given = Buffer.from(request.headers['x-twilio-signature'] ?? '');
  const expected = Buffer.from(twilioSignature(authToken, request.url, parameters));
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new TrunklineError('SIGNATURE_INVALID', 'X-Twilio-Signature');
  const providerMessageId = parameters.get('MessageSid') ?? parameters.get('SmsSid') ?? '';
  if (providerMessageId === '') return [];
  const [from, to, text] = [parameters.get('From'), parameters.get('To'), parameters.get('Body')];
  const sent = parameters.get('MessageStatus') ?? parameters.get('SmsStatus') ?? '';
  if ((sent === '' || sent === 'received') && from !== null && to !== null)
    return [{ type: 'received', providerMessageId, from, to, text: text ?? '' }];
  const status = STATUS[sent];
  if (status === undefined) return [];
  const messageId = new URL(request.url).searchParams.get('message') ?? undefined;
  const errorCode = parameters.get('ErrorCode') ?? undefined;
  return [{ type: 'receipt', messageId, providerMessageId, status, errorCode }];
}
