/**
 * One event to one receiver, signed by the Standard Webhooks specification 1.0
 * (github.com/standard-webhooks): `webhook-id` is the same for every try, so that the receiver can tell
 * repetitions; the time and with it the signature are those of the try.
 */
import { Webhook } from 'standardwebhooks';
import type { ProviderAnswer, ProviderHttp } from '../provider-http.ts';

export interface WebhookEvent {
  /** Becomes `webhook-id`; without dots, which separate what is signed. */
  readonly id: string;
  /** `call.ended` */
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WebhookReceiver {
  readonly url: string;
  /** `whsec_` and Base64, 24 to 64 octets. */
  readonly secret: string;
}

/** @throws ProviderFailure; TrunklineError ADDRESS_FORBIDDEN */
export function postSigned(
  http: ProviderHttp,
  receiver: WebhookReceiver,
  event: WebhookEvent,
  options: { readonly now?: Date; readonly signal?: AbortSignal | undefined } = {},
): Promise<ProviderAnswer> {
  const now = options.now ?? new Date();
  const body = JSON.stringify({ type: event.type, timestamp: event.at, data: event.data });
  return http.ask({
    method: 'POST',
    url: receiver.url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'trunkline',
      'webhook-id': event.id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(receiver.secret).sign(event.id, now, body),
    },
    body,
    signal: options.signal,
  });
}
