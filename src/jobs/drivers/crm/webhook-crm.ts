/**
 * Any CRM behind a server of the tenant's own: `contact.upserted` and `activity.written` as signed webhooks.
 * The server may answer `{"id": "…"}` with its name for the object; otherwise number and key are the names.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { OutsideAddresses } from '../../../base/outside-address.ts';
import { ProviderHttp, type ProviderAnswer } from '../provider-http.ts';
import { postSigned, type WebhookReceiver } from '../webhook/signed-post.ts';
import type { CrmActivity, CrmContact, CrmDriver } from './crm-driver.ts';

export interface WebhookCrmOptions extends WebhookReceiver {
  readonly timeoutMs: number;
  readonly outside: OutsideAddresses;
}

const answerSchema = z.looseObject({ id: z.union([z.string().min(1).max(200), z.number()]) });

export class WebhookCrm implements CrmDriver {
  readonly name = 'webhook';
  readonly requests = { contact: 1, activity: 1 };
  readonly #http: ProviderHttp;
  readonly #receiver: WebhookReceiver;

  constructor({ url, secret, timeoutMs, outside }: WebhookCrmOptions) {
    this.#http = new ProviderHttp({ provider: 'the CRM webhook', timeoutMs, outside });
    this.#receiver = { url, secret };
  }

  async upsertContact(contact: CrmContact, signal?: AbortSignal): Promise<string> {
    const { externalId, ...given } = contact;
    const data = { ...given, id: externalId ?? null };
    // What is written is in the id: the same change is one event, another change is another.
    return this.#post('contact.upserted', JSON.stringify(data), data, contact.e164, signal);
  }

  async writeActivity(activity: CrmActivity, contactId: string, signal?: AbortSignal): Promise<string> {
    const data = { ...activity, startedAt: activity.startedAt.toISOString(), contactId };
    return this.#post('activity.written', activity.key, data, activity.key, signal);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #post(
    type: string,
    identity: string,
    data: Readonly<Record<string, unknown>>,
    otherwise: string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const id = `crm_${createHash('sha256').update(`${type}\n${identity}`).digest('base64url')}`;
    const event = { id, type, at: new Date().toISOString(), data };
    return idIn(await postSigned(this.#http, this.#receiver, event, { signal })) ?? otherwise;
  }
}

function idIn(answer: ProviderAnswer): string | undefined {
  try {
    return String(answerSchema.parse(JSON.parse(answer.body)).id);
  } catch {
    // Most receivers answer with nothing, or "ok".
    return undefined;
  }
}
