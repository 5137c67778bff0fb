/**
 * Every key of config/trunkline.yaml: its shape, unit and range. The file itself explains each to operators.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { apiSection } from './config/api.ts';
import { calendarSection, crmSection, smsSection, webhooksSection } from './config/after-call.ts';
import { databaseSection } from './config/database.ts';
import { deskSection } from './config/desk.ts';
import { jobsSection } from './config/jobs.ts';
import { pipelineSection } from './config/pipeline.ts';
import { limitsSection } from './config/limits.ts';
import { operatorSection } from './config/operator.ts';
import { liveSection } from './config/live.ts';
import { pricesSection } from './config/prices.ts';
import { realtimeSection } from './config/realtime.ts';
import { redisSection } from './config/redis.ts';
import { sparesSection } from './config/spares.ts';
import { telemetrySection } from './config/telemetry.ts';
import { toolsSection } from './config/tools.ts';
import { precedenceSchema } from './base/precedence.ts';

const portNumber = z.int().min(0).max(65535);
const address = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');
const externalAddress = z.union([z.literal(''), address]);

/** IPv4 or IPv6 address, with an optional prefix length. */
const network = z.string().refine((text) => {
  const [host = '', prefix, rest] = text.split('/');
  const version = isIP(host);
  if (version === 0 || rest !== undefined) return false;
  return prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}, 'must be an address or network such as 192.0.2.0/24');

const e164 = z.string().regex(/^\+?[0-9*#]{2,20}$/, 'must be a number such as +15550100');
const slug = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and dashes');

const sip = z.strictObject({
  listen: z
    .array(z.strictObject({ transport: z.enum(['udp', 'tcp', 'tls']), host: address, port: portNumber }))
    .min(1)
    .default([
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
    ]),
  external_address: externalAddress.default(''),
  tls: z.strictObject({ key_file: z.string().min(1), cert_file: z.string().min(1) }).optional(),
  session_expires_s: z.int().min(90).max(86_400).default(1800),
  drachtio: z
    .strictObject({
      host: z.string().default(''),
      port: portNumber.default(9022),
      secret: z.string().default(''),
    })
    .prefault({}),
});

const media = z.strictObject({
  address: address.default('127.0.0.1'),
  external_address: externalAddress.default(''),
  rtp_port_min: z.int().min(1024).max(65534).default(20000),
  rtp_port_max: z.int().min(1025).max(65535).default(23999),
  quarantine_ms: z.int().min(0).max(600_000).default(5000),
  threads: z.int().min(0).max(64).default(0),
  precedence: precedenceSchema.default('realtime'),
});

const sfu = z.strictObject({
  workers: z.int().min(0).max(64).default(0),
  listen_address: address.default('127.0.0.1'),
  announced_address: z.string().default(''),
  web_rtc_port: portNumber.default(0),
});

const trunk = z.strictObject({
  name: slug,
  tenant: slug.default('default'),
  allow: z.array(network).default([]),
  auth: z
    .strictObject({ username: z.string().min(1), password: z.string().min(1), realm: z.string().optional() })
    .optional(),
  codecs: z
    .array(z.enum(['pcmu', 'pcma']))
    .min(1)
    .default(['pcmu', 'pcma']),
  calls_max: z.int().min(1).max(100_000).default(100),
  refer_to: z
    .string()
    .regex(
      /^(sips?|tel):[^\s<>"]*\{number\}[^\s<>"]*$/,
      'must be a URI with {number}, such as sip:{number}@{host}',
    )
    .default('sip:{number}@{host}'),
  media: z
    .strictObject({
      learn_source: z.boolean().default(true),
      learn_window_ms: z.int().min(0).max(60_000).default(5000),
      relatch_after_silence: z.boolean().default(true),
      rtp_timeout_ms: z.int().min(0).max(3_600_000).default(30_000),
    })
    .prefault({}),
});

const secret = z.string().min(16, 'must have 16 characters or more').max(128);
const origin = z
  .string()
  .regex(/^https?:\/\/[^/\s*]+$/, 'must be an origin such as https://example.org, without a path or *');

const web = z.strictObject({
  host: address.default('127.0.0.1'),
  port: portNumber.default(8081),
  token_secret: z.union([z.literal(''), z.string().min(32, 'must have 32 characters or more')]).default(''),
  token_ttl_max_s: z.int().min(10).max(86_400).default(3600),
  tenant_keys: z.array(z.strictObject({ tenant: slug, key: secret })).default([]),
  widget_keys: z
    .array(
      z.strictObject({
        key: z.string().min(4).max(128),
        tenant: slug.default('default'),
        origins: z.array(origin).min(1),
        profiles: z.array(slug).min(1),
      }),
    )
    .default([]),
  ice: z
    .strictObject({
      stun_urls: z.array(z.string().regex(/^stuns?:/, 'must begin with stun:')).default([]),
      turn_urls: z.array(z.string().regex(/^turns?:/, 'must begin with turn: or turns:')).default([]),
      turn_secret: z.string().default(''),
      turn_ttl_s: z.int().min(60).max(86_400).default(3600),
      relay_only: z.boolean().default(false),
    })
    .prefault({}),
  watch: z
    .strictObject({
      alert_after_ms: z.int().min(100).max(60_000).default(5000),
      give_up_after_ms: z.int().min(0).max(600_000).default(45_000),
    })
    .prefault({}),
  limits: z
    .strictObject({
      visits_max: z.int().min(1).max(100_000).default(100),
      sockets_per_address: z.int().min(1).max(100_000).default(50),
      messages_per_second: z.int().min(1).max(1000).default(50),
      message_bytes_max: z.int().min(4096).max(1_048_576).default(65_536),
      requests_pending_max: z.int().min(1).max(100).default(16),
    })
    .prefault({}),
});

const number = z.strictObject({ number: e164, tenant: slug.default('default'), profile: slug });

export const configSchema = z
  .strictObject({
    data_dir: z.string().min(1).default('data'),
    profiles_dir: z.string().min(1).default('config/agents'),
    log: z
      .strictObject({ level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info') })
      .prefault({}),
    sip: sip.prefault({}),
    media: media.prefault({}),
    sfu: sfu.prefault({}),
    operator: operatorSection,
    telemetry: telemetrySection.prefault({}),
    web: web.prefault({}),
    api: apiSection.prefault({}),
    desk: deskSection.prefault({}),
    calls: z
      .strictObject({
        max: z.int().min(1).max(100_000).default(200),
        per_second_max: z.int().min(1).max(10_000).default(100),
        answer_after_ms: z.int().min(0).max(30_000).default(2000),
        duration_max_ms: z
          .int()
          .min(1000)
          .max(24 * 3_600_000)
          .default(3_600_000),
        duration_warning_ms: z.int().min(0).max(3_600_000).default(60_000),
        drain_ms: z.int().min(0).max(3_600_000).default(10_000),
      })
      .prefault({}),
    limits: limitsSection,
    realtime: realtimeSection,
    database: databaseSection,
    redis: redisSection,
    jobs: jobsSection,
    crm: crmSection,
    sms: smsSection,
    calendar: calendarSection,
    webhooks: webhooksSection,
    pipeline: pipelineSection,
    live: liveSection,
    spares: sparesSection,
    tools: toolsSection.prefault({}),
    prices: pricesSection,
    trunks: z.array(trunk).min(1),
    numbers: z.array(number).min(1),
  })
  .superRefine((config, context) => {
    const problem = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const { rtp_port_min: first, rtp_port_max: last } = config.media;
    // A pair is an even port and the odd one above it, so a range that begins with an odd port loses one.
    if (Math.floor((last + 1) / 2) - Math.ceil(first / 2) < 2)
      problem(['media', 'rtp_port_max'], 'must leave at least two port pairs above rtp_port_min');
    if (config.sip.listen.some((listener) => listener.transport === 'tls') && config.sip.tls === undefined)
      problem(['sip', 'tls'], 'key_file and cert_file are needed because sip.listen has a tls entry');
    const { address: local, external_address: told } = config.media;
    if (['0.0.0.0', '::'].includes(local) && told === '')
      problem(['media', 'external_address'], `must be set: ${local} cannot be written into an SDP answer`);
    if (config.web.ice.turn_urls.length > 0 && config.web.ice.turn_secret === '')
      problem(['web', 'ice', 'turn_secret'], 'must be set: turn_urls need credentials');
    if (config.web.ice.relay_only && config.web.ice.turn_urls.length === 0)
      problem(['web', 'ice', 'relay_only'], 'needs turn_urls: nothing else relays');
    config.trunks.forEach((one, index) => {
      if (one.allow.length === 0 && one.auth === undefined)
        problem(
          ['trunks', index],
          'needs `allow` (addresses) or `auth` (digest): nobody could call otherwise',
        );
      if (config.trunks.findIndex((other) => other.name === one.name) !== index)
        problem(['trunks', index, 'name'], `"${one.name}" is used twice`);
    });
    const routed = new Set<string>();
    config.numbers.forEach((one, index) => {
      if (routed.size === routed.add(one.number).size)
        problem(['numbers', index, 'number'], `"${one.number}" is routed twice`);
    });
  });

export type Config = z.infer<typeof configSchema>;
export type TrunkConfig = Config['trunks'][number];
export type NumberConfig = Config['numbers'][number];
