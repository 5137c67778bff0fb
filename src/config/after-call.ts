/**
 * Sections `crm`, `sms`, `calendar` and `webhooks` of config/trunkline.yaml: who is told what after a call.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { timeZone } from './time-zone.ts';

const slug = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and dashes');
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' });
const timeoutMs = z.int().min(100).max(120_000).default(10_000);
/** Standard Webhooks: 24 to 64 random octets. */
const webhookSecret = z.string().refine((text) => {
  const octets = Buffer.from(text.replace(/^whsec_/, ''), 'base64').length;
  return text.startsWith('whsec_') && octets >= 24 && octets <= 64;
}, 'must be whsec_ and 24 to 64 octets in Base64');
const timeOfDay = z.union([
  z.literal(''),
  z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 21:00'),
]);
const network = z.string().refine((text) => {
  const [host = '', bits, rest] = text.split('/');
  const longest = isIP(host) === 4 ? 32 : 128;
  return (
    isIP(host) !== 0 &&
    rest === undefined &&
    (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= longest))
  );
}, 'must be an address or network such as 10.1.0.0/16');

interface Named {
  readonly tenant: string;
}

/** A tenant has one entry in a section. */
function once(entries: readonly Named[], context: z.RefinementCtx): void {
  entries.forEach(({ tenant }, index) => {
    if (entries.findIndex((one) => one.tenant === tenant) !== index)
      context.addIssue({ code: 'custom', path: [index, 'tenant'], message: `"${tenant}" is there twice` });
  });
}

function atMostOne(names: readonly string[]): (entry: object, context: z.RefinementCtx) => void {
  return (entry, context) => {
    const given = names.filter((name) => (entry as Record<string, unknown>)[name] !== undefined);
    if (given.length > 1)
      context.addIssue({ code: 'custom', message: `has ${given.join(' and ')}: one is enough` });
  };
}

export const crmSection = z
  .strictObject({
    timeout_ms: timeoutMs,
    tenants: z
      .array(
        z
          .strictObject({
            tenant: slug,
            country: z
              .union([z.literal(''), z.string().regex(/^[A-Z]{2}$/, 'must be two capitals')])
              .default(''),
            hubspot: z
              .strictObject({
                base_url: httpUrl.default('https://api.hubapi.com'),
                access_token: z.string().min(1),
              })
              .optional(),
            webhook: z.strictObject({ url: httpUrl, secret: webhookSecret }).optional(),
          })
          .superRefine(atMostOne(['hubspot', 'webhook'])),
      )
      .superRefine(once)
      .default([]),
  })
  .prefault({});

const twilio = z.strictObject({
  base_url: httpUrl.default('https://api.twilio.com'),
  account_sid: z.string().min(1),
  auth_token: z.string().min(1),
});

const telnyx = z.strictObject({
  base_url: httpUrl.default('https://api.telnyx.com'),
  api_key: z.string().min(1),
  public_key: z.string().default(''),
  messaging_profile_id: z.string().default(''),
});

const smpp = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535).default(2775),
  tls: z.boolean().default(false),
  system_id: z.string().min(1).max(15),
  password: z.string().max(8).default(''),
  system_type: z.string().max(12).default(''),
  window_max: z.int().min(1).max(1000).default(10),
  enquire_link_ms: z.int().min(1000).max(600_000).default(30_000),
});

export const smsSection = z
  .strictObject({
    public_url: z.union([z.literal(''), httpUrl]).default(''),
    timeout_ms: timeoutMs,
    parts_max: z.int().min(1).max(20).default(6),
    unclear_wait_ms: z.int().min(0).max(86_400_000).default(120_000),
    tenants: z
      .array(
        z
          .strictObject({
            tenant: slug,
            from: z.string().min(1).max(34),
            time_zone: timeZone.default('UTC'),
            quiet_hours: z
              .strictObject({ from: timeOfDay.default(''), to: timeOfDay.default('') })
              .prefault({}),
            quiet_zone: z.enum(['recipient', 'tenant']).default('recipient'),
            templates: z.record(slug, z.string().min(1).max(1600)).default({}),
            opt_words: z
              .strictObject({
                stop: z.array(z.string().min(1)).default([]),
                start: z.array(z.string().min(1)).default([]),
                help: z.array(z.string().min(1)).default([]),
              })
              .prefault({}),
            replies: z
              .strictObject({
                stop: z.string().max(1600).default(''),
                start: z.string().max(1600).default(''),
                help: z.string().max(1600).default(''),
              })
              .prefault({}),
            twilio: twilio.optional(),
            telnyx: telnyx.optional(),
            smpp: smpp.optional(),
          })
          .superRefine(atMostOne(['twilio', 'telnyx', 'smpp'])),
      )
      .superRefine(once)
      .default([]),
  })
  .prefault({});

export const calendarSection = z
  .strictObject({
    timeout_ms: timeoutMs,
    tenants: z
      .array(
        z.strictObject({
          tenant: slug,
          caldav: z.strictObject({
            url: httpUrl,
            username: z.string().min(1),
            password: z.string(),
            time_zone: timeZone.default('UTC'),
          }),
        }),
      )
      .superRefine(once)
      .default([]),
  })
  .prefault({});

export const webhooksSection = z
  .strictObject({
    timeout_ms: timeoutMs,
    allowed_networks: z.array(network).default([]),
    allow_http: z.boolean().default(false),
    tenants: z
      .array(
        z.strictObject({
          tenant: slug,
          endpoints: z
            .array(
              z.strictObject({
                name: slug,
                url: httpUrl,
                secret: webhookSecret,
                events: z
                  .array(z.string().regex(/^(\*|[a-z]+\.(\*|[a-z_]+))$/))
                  .min(1)
                  .default(['*']),
              }),
            )
            .min(1),
        }),
      )
      .superRefine(once)
      .default([]),
  })
  .prefault({});
