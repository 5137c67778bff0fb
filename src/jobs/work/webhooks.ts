/**
 * `webhooks`: one event, to each of the tenant's receivers that wants it. The job that tells of the event
 * makes one job for each receiver, so that one that is away holds up no other and is tried by itself.
 */
import { createHash } from 'node:crypto';
import type { ProviderHttp } from '../drivers/provider-http.ts';
import { postSigned, type WebhookReceiver } from '../drivers/webhook/signed-post.ts';
import { JobRefused, type Handler } from '../work.ts';
import { askProvider } from './provider-outcome.ts';

export interface WebhookEndpoint extends WebhookReceiver {
  /** Unique within the tenant. */
  readonly name: string;
  /** `call.ended`, `message.*`, or `*`. */
  readonly events: readonly string[];
}

export interface WebhookTenant {
  readonly endpoints: readonly WebhookEndpoint[];
}

export function webhooksHandler(
  tenantOf: (tenant: string) => WebhookTenant,
  http: ProviderHttp,
): Handler<'webhooks'> {
  return async ({ tenant, key, data, signal }, { jobs, pace }) => {
    const { endpoints } = tenantOf(tenant);
    if (data.endpoint === undefined) {
      for (const { name } of endpoints.filter((one) => wants(one, data.type)))
        await jobs.enqueue('webhooks', {
          tenant,
          key: `${data.eventId}/to/${name}`,
          data: { ...data, endpoint: name },
        });
      return;
    }
    const endpoint = endpoints.find((one) => one.name === data.endpoint);
    if (endpoint === undefined) throw new JobRefused('JOB_PAYLOAD_INVALID', `no endpoint ${data.endpoint}`);
    await pace({ tenant, key, provider: 'webhook', requests: 1 });
    const { eventId, type, at } = data;
    const event = { id: webhookId(tenant, eventId), type, at, data: data.data };
    await askProvider(() => postSigned(http, endpoint, event, { signal }));
  };
}

export function wants({ events }: Pick<WebhookEndpoint, 'events'>, type: string): boolean {
  return events.some(
    (one) => one === '*' || one === type || (one.endsWith('.*') && type.startsWith(one.slice(0, -1))),
  );
}

/** `webhook-id`: the same for every try; without the dots that the signature keeps for itself. */
export function webhookId(tenant: string, eventId: string): string {
  return `evt_${createHash('sha256')
    .update(JSON.stringify([tenant, eventId]))
    .digest('base64url')}`;
}
