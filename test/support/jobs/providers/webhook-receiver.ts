/** A tenant's server that takes signed webhooks, as the Standard Webhooks specification asks it to. */
import { Webhook } from 'standardwebhooks';
import { startHttpStandIn, type HttpStandIn } from './http-stand-in.ts';

export interface TakenEvent {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Record<string, unknown>;
}

export interface WebhookReceiverStandIn extends HttpStandIn {
  /** Well-signed events; one that is repeated is taken once. */
  readonly taken: readonly TakenEvent[];
  /** How often an event came that had been taken already. */
  readonly repeated: number;
}

export async function startWebhookReceiver(
  secret: string,
  reply: (event: TakenEvent) => unknown = () => undefined,
): Promise<WebhookReceiverStandIn> {
  const taken: TakenEvent[] = [];
  let repeated = 0;
  const server = await startHttpStandIn((asked) => {
    try {
      const headers = asked.headers as Record<string, string>;
      const payload = new Webhook(secret).verify(asked.body, headers) as Omit<TakenEvent, 'id'>;
      const event = { ...payload, id: headers['webhook-id'] ?? '' };
      if (taken.some((one) => one.id === event.id)) repeated += 1;
      else taken.push(event);
      return { status: 200, body: reply(event) };
    } catch (error) {
      return { status: 401, body: String(error) };
    }
  });
  return {
    ...server,
    taken,
    get repeated() {
      return repeated;
    },
  };
}

/** A secret as operators write it. */
export function webhookSecret(word: string): string {
  return `whsec_${Buffer.from(word.padEnd(32, '.')).toString('base64')}`;
}
