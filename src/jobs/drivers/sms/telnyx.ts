/** Telnyx' messaging API v2 (developers.telnyx.com/api-reference/messages). */
import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { TrunklineError } from '../../../base/errors.ts';
import { ProviderHttp } from '../provider-http.ts';
import type { InboundRequest, OutgoingText, ReceiptStatus, SmsDriver, SmsNotice } from './sms-driver.ts';

export interface TelnyxOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Empty: the one of the sending number. */
  readonly messagingProfileId: string;
  /** `{id}` is replaced by our message's; empty: the profile's own webhook. */
  readonly statusCallback: string;
  readonly timeoutMs: number;
}

const sentSchema = z.looseObject({ data: z.looseObject({ id: z.string().min(1) }) });

const party = z.looseObject({ phone_number: z.string() });
const eventSchema = z.looseObject({
  data: z.looseObject({
    event_type: z.string(),
    payload: z.looseObject({
      id: z.string().min(1),
      from: party.optional(),
      to: z.array(z.looseObject({ phone_number: z.string(), status: z.string().optional() })).default([]),
      text: z.string().nullish(),
      tags: z.array(z.string()).nullish(),
      errors: z.array(z.looseObject({ code: z.string().optional() })).nullish(),
    }),
  }),
});

const STATUS: Readonly<Record<string, ReceiptStatus>> = {
  sent: 'sent',
  delivered: 'delivered',
  delivery_failed: 'undelivered',
  delivery_unconfirmed: 'sent',
  sending_failed: 'failed',
  expired: 'undelivered',
};

const TAG = 'trunkline:';
/** DER of a SubjectPublicKeyInfo for Ed25519 up to the key itself (RFC 8410 §4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_OCTETS = 32;
/** Older ones may be recordings. */
const age_s_max = 300;

export class Telnyx implements SmsDriver {
  readonly name = 'telnyx';
  readonly #http: ProviderHttp;
  readonly #options: TelnyxOptions;

  constructor(options: TelnyxOptions) {
    this.#http = new ProviderHttp({ provider: this.name, timeoutMs: options.timeoutMs });
    this.#options = options;
  }

  async send({ messageId, to, from, body, signal }: OutgoingText): Promise<string> {
    const { baseUrl, apiKey, messagingProfileId, statusCallback } = this.#options;
    const answer = await this.#http.askJson({
      method: 'POST',
      url: `${baseUrl.replace(/\/$/, '')}/v2/messages`,
      headers: { authorization: `Bearer ${apiKey}` },
      json: {
        ...{ from, to, text: body, tags: [`${TAG}${messageId}`] },
        ...(messagingProfileId === '' ? {} : { messaging_profile_id: messagingProfileId }),
        ...(statusCallback === ''
          ? {}
          : { webhook_url: statusCallback.replace('{id}', encodeURIComponent(messageId)) }),
      },
      signal,
    });
    return sentSchema.parse(answer).data.id;
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}

/**
 * What Telnyx says. Signed with Ed25519 over `timestamp|body`.
 * @throws TrunklineError SIGNATURE_INVALID
 */
export function readTelnyx(request: InboundRequest, publicKey: string, now = new Date()): SmsNotice[] {
  checkSignature(request, publicKey, now);
  const parsed = eventSchema.safeParse(jsonOf(request.body));
  // Other products of theirs may be set to the same address.
  if (!parsed.success) return [];
  const { event_type: type, payload } = parsed.data.data;
  const [first] = payload.to;
  if (type === 'message.received') {
    const { from, text } = payload;
    if (from === undefined || first === undefined) return [];
    const [sender, to] = [from.phone_number, first.phone_number];
    return [{ type: 'received', providerMessageId: payload.id, from: sender, to, text: text ?? '' }];
  }
  const status = STATUS[first?.status ?? ''];
  if (!['message.sent', 'message.finalized'].includes(type) || status === undefined) return [];
  const tag = payload.tags?.find((one) => one.startsWith(TAG));
  const messageId = tag?.slice(TAG.length) ?? new URL(request.url).searchParams.get('message') ?? undefined;
  const errorCode = payload.errors?.[0]?.code;
  return [{ type: 'receipt', messageId, providerMessageId: payload.id, status, errorCode }];
}

function checkSignature(request: InboundRequest, publicKey: string, now: Date): void {
  const timestamp = request.headers['telnyx-timestamp'] ?? '';
  const signature = Buffer.from(request.headers['telnyx-signature-ed25519'] ?? '', 'base64');
  const ageS = Math.abs(now.getTime() / 1000 - Number(timestamp));
  if (!/^\d+$/.test(timestamp) || ageS > age_s_max)
    throw new TrunklineError('SIGNATURE_INVALID', 'telnyx-timestamp is too old');
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== KEY_OCTETS)
    throw new TrunklineError('SIGNATURE_INVALID', 'the public key has no 32 octets');
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  if (!verify(null, Buffer.from(`${timestamp}|${request.body}`, 'utf8'), key, signature))
    throw new TrunklineError('SIGNATURE_INVALID', 'telnyx-signature-ed25519');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
