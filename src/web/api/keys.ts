/** /v1/keys: keys of this API. The secret is shown once, when a key is made. */
import { z } from 'zod';
import { newId } from '../../base/ids.ts';
import type { TenantRows } from '../../store/store.ts';
import { createApiKey, listApiKeys, revokeApiKey, type ApiKey } from '../../store/tables/api-keys.ts';
import { appendAudit, listAudit } from '../../store/tables/audit.ts';
import { actorOf, type Access } from './access.ts';
import { answers, found, id, type Api } from './route.ts';
import { scope } from './scopes.ts';
import * as view from './views.ts';

const newKey = z.strictObject({
  name: z.string().min(1).max(100).describe('Whose it is, or what it is for'),
  scopes: z.array(scope).min(1).max(scope.options.length),
  expires_at: z.iso.datetime().optional(),
});
const shownKey = view.apiKeyView.extend({ key: z.string().describe('Shown this once; keep it well') });

/** How long the old key of a rotation goes on working, so that nothing breaks meanwhile. */
const overlap_s_max = 7 * 24 * 3600;
const audit_rows_max = 500;

export function keyRoutes(api: Api, access: Access): void {
  api.get(
    '/keys',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Keys of the tenant, without their secrets',
        tags: ['keys'],
        response: answers(z.object({ data: z.array(view.apiKeyView) })),
      },
    },
    async (request) => {
      const keys = await access.unit(request, listApiKeys);
      return { data: keys.map(view.viewApiKey) };
    },
  );
  api.post(
    '/keys',
    {
      config: { scope: 'admin' },
      schema: { summary: 'Makes a key', tags: ['keys'], body: newKey, response: answers(shownKey) },
    },
    async (request, reply) => {
      const { name, scopes, expires_at } = request.body;
      const made = await access.unit(request, async (unit) => {
        const expiry = expires_at === undefined ? {} : { expiresAt: new Date(expires_at) };
        const one = await createApiKey(unit, { name, scopes, ...expiry });
        await record(unit, access.keyOf(request), 'api-key.created', one.apiKey.key_id);
        return one;
      });
      void reply.header('cache-control', 'no-store');
      return { ...view.viewApiKey(made.apiKey), key: made.key };
    },
  );
  changeRoutes(api, access);
  auditRoutes(api, access);
}

function changeRoutes(api: Api, access: Access): void {
  const params = z.object({ key_id: id });
  api.post(
    '/keys/:key_id/rotate',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Makes a key in the place of another, which works on for a while',
        tags: ['keys'],
        params,
        body: z.strictObject({ overlap_s: z.int().min(0).max(overlap_s_max).default(3600) }),
        response: answers(shownKey),
      },
    },
    async (request, reply) => {
      const { key_id: keyId } = request.params;
      const made = await access.unit(request, async (unit) => {
        const old = found(await liveKey(unit, keyId), `key ${keyId}`);
        const expiry = old.expires_at === null ? {} : { expiresAt: old.expires_at };
        const one = await createApiKey(unit, { name: old.name, scopes: old.scopes, ...expiry });
        const at = new Date(Date.now() + request.body.overlap_s * 1000);
        await revokeApiKey(unit, keyId, { at, replacedBy: one.apiKey.key_id });
        await record(unit, access.keyOf(request), 'api-key.rotated', keyId);
        return one;
      });
      void reply.header('cache-control', 'no-store');
      return { ...view.viewApiKey(made.apiKey), key: made.key };
    },
  );
  api.delete(
    '/keys/:key_id',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Takes a key out of use at once',
        tags: ['keys'],
        params,
        response: answers(z.object({ revoked: z.literal(true) })),
      },
    },
    (request) =>
      access.unit(request, async (unit) => {
        const { key_id: keyId } = request.params;
        const revoked = await revokeApiKey(unit, keyId, { at: new Date() });
        found(revoked ? keyId : undefined, `key ${keyId}`);
        await record(unit, access.keyOf(request), 'api-key.revoked', keyId);
        return { revoked: true as const };
      }),
  );
}

function auditRoutes(api: Api, access: Access): void {
  api.get(
    '/audit',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Who did what, newest first; each entry holds the hash of the one before it',
        tags: ['keys'],
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(audit_rows_max).default(100),
          before: z.coerce.number().int().min(1).optional().describe('Entries with a lower `seq`'),
        }),
        response: answers(z.object({ data: z.array(view.auditView) })),
      },
    },
    async (request) => {
      const entries = await access.unit(request, (unit) => listAudit(unit, request.query));
      return { data: entries.map(view.viewAudit) };
    },
  );
}

async function liveKey(unit: TenantRows, keyId: string): Promise<ApiKey | undefined> {
  const keys = await listApiKeys(unit);
  return keys.find((key) => key.key_id === keyId && (key.revoked_at === null || key.revoked_at > new Date()));
}

function record(unit: TenantRows, by: ApiKey, action: string, target: string): Promise<void> {
  return appendAudit(unit, { key: newId('audit'), at: new Date(), actor: actorOf(by), action, target });
}
