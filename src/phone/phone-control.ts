/** What an agent's tools may do with a phone call. */
import type { CallControl } from '../room/call-control.ts';
import type { PhoneLeg } from './phone-leg.ts';
import type { TrunkConfig } from './settings.ts';
import type { SipRequest } from './sip-request.ts';
import { hostOf, uriOf, userOf } from './sip-uri.ts';

/** What may stand in the user part of a URI as it is (RFC 3261 §25.1), and is dialed. */
const DIALABLE = /^[+0-9*#]{1,32}$/;
const STATUS_BAD_REQUEST = 400;

export interface PhoneControlOptions {
  readonly request: SipRequest;
  readonly trunk: Pick<TrunkConfig, 'refer_to'>;
  /** The leg once it is open. */
  readonly leg: () => Promise<PhoneLeg> | undefined;
}

export function phoneControl({ request, trunk, leg }: PhoneControlOptions): CallControl {
  return {
    door: 'phone',
    callerNumber: userOf(uriOf(request.header('From') ?? '')),
    async transfer(number, { timeoutMs }) {
      if (!DIALABLE.test(number)) return { outcome: 'refused', status: STATUS_BAD_REQUEST };
      const open = await leg()?.catch(() => undefined);
      if (open === undefined) return { outcome: 'ended' };
      const host = hostOf(uriOf(request.header('Contact') ?? '')) || request.sourceAddress;
      const referTo = trunk.refer_to
        .replace('{number}', number.replaceAll('#', '%23'))
        .replace('{host}', host);
      const referredBy = uriOf(request.header('To') ?? '');
      return open.transfer({ referTo, referredBy }, timeoutMs);
    },
  };
}
