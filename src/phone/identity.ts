/** Who sends a request: the trunk by its address, or by digest credentials. */
import type { TrunkConfig } from './settings.ts';
import type { DigestGuard } from './digest.ts';
import type { SipRequest } from './sip-request.ts';
import type { Trunks } from './trunks.ts';

/** Names by which well-known scanners introduce themselves. */
const SCANNERS = /friendly-scanner|sipvicious|sipcli|sip-?scan|sundayddr|vaxsip|pplsip|iwar|eyebeam_scan/i;

export type Identity =
  | { readonly outcome: 'trunk'; readonly trunk: TrunkConfig }
  | { readonly outcome: 'challenge'; readonly challenges: readonly string[] }
  | { readonly outcome: 'unknown'; readonly scanner: boolean; readonly detail: string }
  | { readonly outcome: 'refused'; readonly detail: string };

/** A listed address is enough; anybody else needs the credentials of a trunk that has some. */
export function identify(request: SipRequest, trunks: Trunks, guard: DigestGuard): Identity {
  const known = trunks.byAddress(request.sourceAddress);
  if (known !== undefined) return { outcome: 'trunk', trunk: known };
  const userAgent = request.header('User-Agent') ?? '';
  const scanner = SCANNERS.test(userAgent);
  if (scanner || trunks.withCredentials.length === 0)
    return {
      outcome: 'unknown',
      scanner,
      detail: `${request.sourceAddress} is on no trunk's allow list`,
    };
  const verdict = guard.verify(
    {
      method: request.method,
      requestUri: request.uri,
      authorization: request.header('Authorization'),
    },
    trunks.withCredentials,
  );
  switch (verdict.outcome) {
    case 'passed':
      return { outcome: 'trunk', trunk: verdict.trunk };
    case 'challenge':
      return { outcome: 'challenge', challenges: guard.challenges(trunks.withCredentials, verdict.stale) };
    case 'refused':
      return verdict;
  }
}

/** RFC 3261 §22.1: a header for each challenge; they may not be joined by commas (§7.3.1). */
export function challengeHeaders(challenges: readonly string[]): Record<string, string> {
  return { 'WWW-Authenticate': challenges.join('\r\nWWW-Authenticate: ') };
}
