/** Our half of a session timer (RFC 4028 §9): the SIP server runs it, we say how long it is. */
import { tokensOf } from './capabilities.ts';
import type { SipRequest } from './sip-request.ts';

/** RFC 4028 §4: nobody has to accept less, in seconds. */
const SHORTEST_SESSION_S = 90;

/**
 * Headers for the 2xx to an INVITE or UPDATE: the caller's interval, lowered to ours but never below the
 * caller's minimum. Empty when the caller asks for no timer.
 */
export function sessionTimerHeaders(request: SipRequest, configuredS: number): Record<string, string> {
  const asked = /^\s*(\d{1,9})\s*(?:;\s*(.*))?$/.exec(
    request.header('Session-Expires') ?? request.header('x') ?? '',
  );
  if (asked === null) return {};
  const lowestS = Math.max(SHORTEST_SESSION_S, Number.parseInt(request.header('Min-SE') ?? '0', 10) || 0);
  const seconds = Math.max(lowestS, Math.min(Number(asked[1]), configuredS));
  const callerKnows = [
    ...tokensOf(request.header('Supported')),
    ...tokensOf(request.header('Require')),
  ].includes('timer');
  const wanted = /refresher\s*=\s*(uac|uas)/i.exec(asked[2] ?? '')?.[1]?.toLowerCase();
  // A caller that does not know timers cannot refresh; a proxy put the header in (RFC 4028 table 2).
  const refresher = callerKnows ? (wanted ?? 'uac') : 'uas';
  return {
    'Session-Expires': `${seconds};refresher=${refresher}`,
    ...(refresher === 'uac' ? { Require: 'timer' } : {}),
  };
}
