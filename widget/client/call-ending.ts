/** Why a call is over. */
import { MicrophoneError } from './microphone.ts';
import { GatewayRefusal } from './signalling.ts';

/** Why a call is over: an ending of the gateway, a problem of the microphone, or one of ours. */
export interface CallEnding {
  readonly slug: string;
  /** A sentence of the gateway; empty when the slug says all. */
  readonly text: string;
}

export const LOCAL_ENDING = {
  hungUp: 'caller-hung-up',
  /** The page is being closed or loaded anew. */
  pageGone: 'page-gone',
  /** The gateway did not let us in; `text` says why. */
  refused: 'refused',
  unreachable: 'gateway-unreachable',
  /** The network lets sound out through a relay (TURN) only, and that did not let us in. */
  relayRefused: 'relay-refused',
  /** Lost during the call, and not back in time. */
  lost: 'connection-lost',
} as const;

/** The gateway, or the site's own share of it. Which limit it was is for its operator to know. */
const FULL: ReadonlySet<string> = new Set([
  ...['WEB_FULL', 'TENANT_VISITS_FULL', 'TENANT_VISITS_TOO_FAST', 'TENANT_MINUTES_SPENT'],
]);

/** What the visitor is told of a call that did not come about. */
export function endingOf(error: unknown): CallEnding {
  if (error instanceof MicrophoneError) return { slug: error.problem, text: '' };
  if (error instanceof GatewayRefusal && FULL.has(error.code)) return { slug: 'no-capacity', text: '' };
  if (error instanceof GatewayRefusal) return { slug: LOCAL_ENDING.refused, text: error.message };
  return { slug: LOCAL_ENDING.unreachable, text: '' };
}
