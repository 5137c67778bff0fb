/** The providers that the configuration names, and the handlers that drive them. */
import { OutsideAddresses } from '../base/outside-address.ts';
import type { Config } from '../config.ts';
import { dayZoneOf } from '../config/limits.ts';
import { CalDav } from '../jobs/drivers/calendar/caldav.ts';
import type { CrmDriver } from '../jobs/drivers/crm/crm-driver.ts';
import { HubSpot } from '../jobs/drivers/crm/hubspot.ts';
import { WebhookCrm } from '../jobs/drivers/crm/webhook-crm.ts';
import { ProviderHttp } from '../jobs/drivers/provider-http.ts';
import { Smpp } from '../jobs/drivers/sms/smpp.ts';
import type { SmsDriver } from '../jobs/drivers/sms/sms-driver.ts';
import { Telnyx } from '../jobs/drivers/sms/telnyx.ts';
import { Twilio } from '../jobs/drivers/sms/twilio.ts';
import { calendarHandler } from '../jobs/work/calendar.ts';
import { crmHandler } from '../jobs/work/crm.ts';
import { takeNotice } from '../jobs/work/sms-notices.ts';
import { smsRules } from '../jobs/work/sms-rules.ts';
import { smsHandler, type SmsTenant } from '../jobs/work/sms.ts';
import { webhooksHandler } from '../jobs/work/webhooks.ts';
import type { Handlers, WorkTools } from '../jobs/work.ts';

export type ProviderConfig = Pick<Config, 'crm' | 'sms' | 'calendar' | 'webhooks' | 'limits'>;

export interface Providers {
  readonly handlers: Required<Pick<Handlers, 'crm' | 'sms' | 'calendar' | 'webhooks'>>;
  /** What a tenant's messages follow; the HTTP route of provider webhooks needs it, too. */
  smsTenant(tenant: string): SmsTenant;
  /** After the workers: jobs under way use the connections. */
  close(): Promise<void>;
}

type SmsEntry = Config['sms']['tenants'][number];

/** Opens what must be open before the first job (SMPP); everything else connects when it is used. */
export function startProviders(config: ProviderConfig, tools: WorkTools): Providers {
  const { webhooks } = config;
  const outside = new OutsideAddresses({
    allowedNetworks: webhooks.allowed_networks,
    allowHttp: webhooks.allow_http,
  });
  const http = new ProviderHttp({ provider: 'a webhook', timeoutMs: webhooks.timeout_ms, outside });
  const crm = new Map(
    config.crm.tenants.map((one) => [
      one.tenant,
      { country: one.country, driver: crmDriver(config, one, outside) },
    ]),
  );
  const calendars = new Map(
    config.calendar.tenants.map(({ tenant, caldav }) => [tenant, calendar(config, caldav)]),
  );
  const endpoints = new Map(webhooks.tenants.map((one) => [one.tenant, one.endpoints]));
  const sms = new Map<string, SmsTenant>();
  const rulesOf = (tenant: string, driver?: SmsDriver): SmsTenant => {
    const limits = config.limits.tenants.find((one) => one.tenant === tenant);
    const perDayMax = limits?.messages_per_day_max ?? 0;
    return smsRules(config.sms, tenant, { driver, perDayMax, dayZone: dayZoneOf(tenant, config) });
  };
  const smsTenant = (tenant: string): SmsTenant => sms.get(tenant) ?? rulesOf(tenant);
  for (const entry of config.sms.tenants) {
    const driver = smsDriver(config, entry, { ...tools, rules: () => smsTenant(entry.tenant) });
    sms.set(entry.tenant, rulesOf(entry.tenant, driver));
  }
  return {
    smsTenant,
    handlers: {
      crm: crmHandler((tenant) => crm.get(tenant) ?? { country: '' }),
      sms: smsHandler(smsTenant),
      calendar: calendarHandler((tenant) => ({ driver: calendars.get(tenant) })),
      webhooks: webhooksHandler((tenant) => ({ endpoints: endpoints.get(tenant) ?? [] }), http),
    },
    close: async () => {
      const drivers = [...crm.values(), ...sms.values()].map((one) => one.driver);
      const open = [http, ...drivers, ...calendars.values()].filter((one) => one !== undefined);
      await Promise.all(open.map((one) => one.close()));
    },
  };
}

function crmDriver(
  { crm }: ProviderConfig,
  { hubspot, webhook }: Config['crm']['tenants'][number],
  outside: OutsideAddresses,
): CrmDriver | undefined {
  const timeoutMs = crm.timeout_ms;
  if (hubspot !== undefined)
    return new HubSpot({ baseUrl: hubspot.base_url, accessToken: hubspot.access_token, timeoutMs });
  return webhook === undefined ? undefined : new WebhookCrm({ ...webhook, timeoutMs, outside });
}

function calendar(config: ProviderConfig, caldav: Config['calendar']['tenants'][number]['caldav']): CalDav {
  const { url, username, password, time_zone: timeZone } = caldav;
  return new CalDav({ url, username, password, timeZone, timeoutMs: config.calendar.timeout_ms });
}

function smsDriver(
  { sms }: ProviderConfig,
  { tenant, twilio, telnyx, smpp }: SmsEntry,
  tools: WorkTools & { readonly rules: () => SmsTenant },
): SmsDriver | undefined {
  const timeoutMs = sms.timeout_ms;
  const hook = (provider: string): string =>
    sms.public_url === ''
      ? ''
      : `${sms.public_url.replace(/\/$/, '')}/hooks/sms/${provider}/${tenant}?message={id}`;
  if (twilio !== undefined) {
    const { base_url: baseUrl, account_sid: accountSid, auth_token: authToken } = twilio;
    return new Twilio({ baseUrl, accountSid, authToken, statusCallback: hook('twilio'), timeoutMs });
  }
  if (telnyx !== undefined) {
    const { base_url: baseUrl, api_key: apiKey, messaging_profile_id: messagingProfileId } = telnyx;
    return new Telnyx({ baseUrl, apiKey, messagingProfileId, statusCallback: hook('telnyx'), timeoutMs });
  }
  if (smpp === undefined) return undefined;
  return Smpp.start({
    ...{ host: smpp.host, port: smpp.port, tls: smpp.tls, systemId: smpp.system_id, password: smpp.password },
    ...{ systemType: smpp.system_type, windowMax: smpp.window_max, enquireEveryMs: smpp.enquire_link_ms },
    answerTimeoutMs: timeoutMs,
    take: (notice) => takeNotice(notice, { tenant, provider: 'smpp', rules: tools.rules() }, tools),
    log: tools.log,
  });
}
