/** Telnyx' messages API: bearer key, JSON:API-like errors, and webhooks signed with Ed25519. */
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { z } from 'zod';
import { startHttpStandIn, type Answer, type HttpStandIn } from './http-stand-in.ts';

export interface TelnyxMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly webhookUrl: string | undefined;
  readonly tags: readonly string[];
}

export interface TelnyxCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TelnyxStandIn extends HttpStandIn {
  /** Base64 of 32 octets, as the Mission Control Portal shows it. */
  readonly publicKey: string;
  readonly messages: readonly TelnyxMessage[];
  callback(message: TelnyxMessage, status: string, options?: { at?: Date; errorCode?: string }): TelnyxCall;
  incoming(url: string, text: { from: string; to: string; body: string }, at?: Date): TelnyxCall;
}

const messageSchema = z.object({
  from: z.string().min(1),
  to: z.string().regex(/^\+[1-9]\d{4,14}$/),
  text: z.string().min(1),
  webhook_url: z.url().optional(),
  messaging_profile_id: z.string().optional(),
  tags: z.array(z.string()).default([]),
});

export async function startTelnyx(apiKey: string): Promise<TelnyxStandIn> {
  const messages: TelnyxMessage[] = [];
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const server = await startHttpStandIn((asked): Answer => {
    if (asked.headers['authorization'] !== `Bearer ${apiKey}`)
      return problem(401, '10009', 'Authentication failed');
    if (asked.method !== 'POST' || asked.path !== '/v2/messages') return problem(404, '10005', 'Not found');
    const parsed = messageSchema.safeParse(JSON.parse(asked.body));
    if (!parsed.success) return problem(422, '40310', z.prettifyError(parsed.error));
    const { from, to, text, webhook_url: webhookUrl, tags } = parsed.data;
    const message = { id: randomUUID(), from, to, text, webhookUrl, tags };
    messages.push(message);
    const data = { record_type: 'message', id: message.id, to: [{ phone_number: to, status: 'queued' }] };
    return { status: 200, body: { data } };
  });

  const call = (url: string, type: string, payload: Record<string, unknown>, at = new Date()): TelnyxCall => {
    const body = JSON.stringify({
      data: {
        event_type: type,
        id: randomUUID(),
        occurred_at: at.toISOString(),
        payload,
        record_type: 'event',
      },
    });
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const signature = sign(null, Buffer.from(`${timestamp}|${body}`), privateKey).toString('base64');
    const headers = {
      'content-type': 'application/json',
      'telnyx-timestamp': timestamp,
      'telnyx-signature-ed25519': signature,
    };
    return { url, headers, body };
  };

  return {
    ...server,
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'),
    messages,
    callback: (message, status, { at, errorCode } = {}) =>
      call(
        message.webhookUrl ?? '',
        status === 'sent' ? 'message.sent' : 'message.finalized',
        {
          id: message.id,
          direction: 'outbound',
          from: { phone_number: message.from },
          to: [{ phone_number: message.to, status }],
          text: message.text,
          tags: message.tags,
          errors: errorCode === undefined ? [] : [{ code: errorCode, title: 'Undeliverable' }],
        },
        at,
      ),
    incoming: (url, { from, to, body }, at) =>
      call(
        url,
        'message.received',
        {
          ...{ id: randomUUID(), direction: 'inbound', text: body },
          from: { phone_number: from },
          to: [{ phone_number: to, status: 'webhook_delivered' }],
        },
        at,
      ),
  };
}

function problem(status: number, code: string, title: string): Answer {
  return { status, body: { errors: [{ code, title, detail: title }] } };
}
