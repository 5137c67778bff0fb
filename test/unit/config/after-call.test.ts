import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../../src/config.ts';
import { calendarSection, crmSection, smsSection, webhooksSection } from '../../../src/config/after-call.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const TWILIO = { account_sid: 'AC0', auth_token: 'token' };
const SMPP = { host: 'smsc.example', system_id: 'me' };
const CALDAV = { url: 'https://dav.example/cal/', username: 'u', password: 'p' };

/** Where and what is wrong, or nothing. */
function problemsOf(schema: z.ZodType, value: unknown): string {
  const parsed = schema.safeParse(value);
  return parsed.success ? '' : z.prettifyError(parsed.error);
}

describe('what happens after a call', () => {
  it('needs no configuration', () => {
    for (const schema of [crmSection, smsSection, calendarSection, webhooksSection])
      expect(schema.parse(undefined)).toMatchObject({ timeout_ms: 10_000, tenants: [] });
  });

  it('may be given to providers, with their defaults', () => {
    const sms = smsSection.parse({ tenants: [{ tenant: 'a', from: 'Clinic', smpp: SMPP }] });
    expect(sms.tenants[0]).toMatchObject({
      time_zone: 'UTC',
      quiet_hours: { from: '', to: '' },
      quiet_zone: 'recipient',
      smpp: { port: 2775, tls: false, window_max: 10, enquire_link_ms: 30_000 },
    });
    const crm = crmSection.parse({ tenants: [{ tenant: 'a', hubspot: { access_token: 'x' } }] });
    expect(crm.tenants[0]?.hubspot?.base_url).toBe('https://api.hubapi.com');
    const calendar = calendarSection.parse({ tenants: [{ tenant: 'a', caldav: CALDAV }] });
    expect(calendar.tenants[0]?.caldav.time_zone).toBe('UTC');
    const endpoint = { name: 'crm', url: 'https://a.test/', secret: SECRET };
    const webhooks = webhooksSection.parse({ tenants: [{ tenant: 'a', endpoints: [endpoint] }] });
    expect(webhooks.tenants[0]?.endpoints[0]?.events).toEqual(['*']);
  });

  it.each<[string, z.ZodType, object, RegExp]>([
    ['a typo', crmSection, { timout_ms: 1 }, /timout_ms/],
    ['a tenant twice', crmSection, { tenants: [{ tenant: 'a' }, { tenant: 'a' }] }, /"a" is there twice/],
    [
      'two CRMs',
      crmSection,
      {
        tenants: [
          { tenant: 'a', hubspot: { access_token: 'x' }, webhook: { url: 'https://a.test', secret: SECRET } },
        ],
      },
      /hubspot and webhook: one is enough/,
    ],
    ['a country in words', crmSection, { tenants: [{ tenant: 'a', country: 'Britain' }] }, /two capitals/],
    [
      'two carriers',
      smsSection,
      { tenants: [{ tenant: 'a', from: 'x', twilio: TWILIO, smpp: SMPP }] },
      /twilio and smpp/,
    ],
    ['no sender', smsSection, { tenants: [{ tenant: 'a' }] }, /from/],
    ['a zone that is none', smsSection, { tenants: [{ tenant: 'a', from: 'x', time_zone: 'Mars' }] }, /IANA/],
    [
      'an hour that is none',
      smsSection,
      { tenants: [{ tenant: 'a', from: 'x', quiet_hours: { from: '25:00', to: '08:00' } }] },
      /21:00/,
    ],
    [
      'a long SMPP password',
      smsSection,
      { tenants: [{ tenant: 'a', from: 'x', smpp: { ...SMPP, password: '123456789' } }] },
      /password/,
    ],
    [
      'a calendar without an address',
      calendarSection,
      { tenants: [{ tenant: 'a', caldav: { ...CALDAV, url: 'dav' } }] },
      /https/,
    ],
    [
      'a weak secret',
      webhooksSection,
      { tenants: [{ tenant: 'a', endpoints: [{ name: 'x', url: 'https://a.test', secret: 'whsec_AAAA' }] }] },
      /24 to 64 octets/,
    ],
    ['no endpoint', webhooksSection, { tenants: [{ tenant: 'a', endpoints: [] }] }, /endpoints/],
    [
      'an event that is none',
      webhooksSection,
      {
        tenants: [
          {
            tenant: 'a',
            endpoints: [{ name: 'x', url: 'https://a.test', secret: SECRET, events: ['Call'] }],
          },
        ],
      },
      /events/,
    ],
    ['a network that is none', webhooksSection, { allowed_networks: ['10.0.0.0/33'] }, /10\.1\.0\.0\/16/],
    ['a name for a network', webhooksSection, { allowed_networks: ['localhost'] }, /address or network/],
  ])('is refused with %s', (_what, schema, value, message) => {
    expect(problemsOf(schema, value)).toMatch(message);
  });
});

describe('what is right', () => {
  it.each(['10.1.0.0/16', '127.0.0.1', '::1', 'fd00::/8'])('is the network %s', (network) => {
    expect(problemsOf(webhooksSection, { allowed_networks: [network] })).toBe('');
  });

  it.each(['*', 'call.*', 'call.ended', 'message.undelivered'])('is the event %s', (event) => {
    const endpoint = { name: 'x', url: 'https://a.test/hook', secret: SECRET, events: [event] };
    expect(problemsOf(webhooksSection, { tenants: [{ tenant: 'a', endpoints: [endpoint] }] })).toBe('');
  });

  it.each(['+442079460100', '82000', 'Clinic', 'MG00000000000000000000000000000000'])(
    'is the sender %s',
    (from) => {
      expect(problemsOf(smsSection, { tenants: [{ tenant: 'a', from, twilio: TWILIO }] })).toBe('');
    },
  );

  it('is that tenants of one section need not be in another', () => {
    expect(problemsOf(smsSection, { tenants: [{ tenant: 'a', from: 'x' }] })).toBe('');
    expect(problemsOf(crmSection, { tenants: [{ tenant: 'b', country: 'GB' }] })).toBe('');
  });
});

describe('the examples in config/trunkline.yaml', () => {
  const SECTIONS = { crm: crmSection, sms: smsSection, calendar: calendarSection, webhooks: webhooksSection };
  const DRIVERS = ['hubspot', 'webhook', 'twilio', 'telnyx', 'smpp'];
  const file = readFileSync(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8');

  /** The commented example before `tenants: []`, as it would be read without its comment signs. */
  function exampleOf(section: string): Record<string, unknown> {
    const text = file.slice(file.indexOf(`\n${section}:\n`), file.length);
    const lines = text.slice(0, text.indexOf('tenants: []')).split('\n');
    const first = lines.findIndex((line) => line.startsWith('  # - tenant:'));
    const example = lines
      .slice(first)
      .map((line) => line.replace(/^ {2}# ?/, ''))
      .join('\n')
      .replaceAll(/\$\{env:[A-Z_]+\}/g, (name) => (name.includes('SECRET') ? SECRET : 'secret'));
    const [entry] = z.array(z.record(z.string(), z.unknown())).parse(parse(example));
    if (entry === undefined) throw new Error(`no example in ${section}`);
    return entry;
  }

  it.each(Object.keys(SECTIONS) as (keyof typeof SECTIONS)[])(
    'are right in %s, each driver by itself',
    (name) => {
      const example = exampleOf(name);
      const shown = DRIVERS.filter((driver) => Object.hasOwn(example, driver));
      for (const kept of shown.length === 0 ? [''] : shown) {
        const entries = Object.entries(example).filter(([key]) => key === kept || !shown.includes(key));
        expect(problemsOf(SECTIONS[name], { tenants: [Object.fromEntries(entries)] })).toBe('');
      }
    },
  );

  it('show every key that an entry may have', () => {
    for (const [name, schema] of Object.entries(SECTIONS)) {
      const known = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
      const keys = [...known.matchAll(/"([a-z_]+)":\{"(?:type|anyOf|default|\$ref)/g)].map(
        (match) => match[1] ?? '',
      );
      const start = file.indexOf(`\n${name}:\n`);
      const text = file.slice(start, file.indexOf('tenants: []', start));
      const silent = ['items', 'tenants', 'additionalProperties', 'properties'];
      for (const key of new Set(keys)) if (!silent.includes(key)) expect(text).toContain(key);
      expect(keys.length).toBeGreaterThan(5);
    }
  });
});
