/** What the messages of a tenant follow, as the configuration has it. */
import type { SmsDriver } from '../drivers/sms/sms-driver.ts';
import type { SmsTenant } from './sms.ts';

/** Section `sms` of the configuration, as far as it is about messages and not about providers. */
export interface SmsSettings {
  readonly parts_max: number;
  readonly unclear_wait_ms: number;
  readonly tenants: readonly {
    readonly tenant: string;
    readonly from: string;
    readonly time_zone: string;
    readonly quiet_hours: SmsTenant['quietHours'];
    readonly quiet_zone: SmsTenant['quietZone'];
    readonly templates: SmsTenant['templates'];
    readonly opt_words: SmsTenant['optWords'];
    readonly replies: SmsTenant['replies'];
  }[];
}

/** A tenant without an entry keeps its messages in the outbox of the store. */
export function smsRules(
  sms: SmsSettings,
  tenant: string,
  given: {
    readonly driver?: SmsDriver | undefined;
    readonly perDayMax?: number;
    readonly dayZone?: string;
  } = {},
): SmsTenant {
  const entry = sms.tenants.find((one) => one.tenant === tenant);
  return {
    driver: given.driver,
    perDayMax: given.perDayMax ?? 0,
    dayZone: given.dayZone ?? 'UTC',
    from: entry?.from ?? '',
    timeZone: entry?.time_zone ?? 'UTC',
    quietHours: entry?.quiet_hours ?? { from: '', to: '' },
    quietZone: entry?.quiet_zone ?? 'recipient',
    templates: entry?.templates ?? {},
    partsMax: sms.parts_max,
    unclearWaitMs: sms.unclear_wait_ms,
    optWords: entry?.opt_words ?? { stop: [], start: [], help: [] },
    replies: entry?.replies ?? { stop: '', start: '', help: '' },
  };
}
