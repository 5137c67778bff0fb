import type { SipMessage, SipRequest, SipResponse } from './message.ts';
import type { Timers } from './timers.ts';

/** Who sends the refresh, seen from the request that carries the header (RFC 4028 §7.4). */
export type Refresher = 'uac' | 'uas';

export interface SessionExpires {
  readonly seconds: number;
  readonly refresher?: Refresher;
}

/** How incoming offers of a session timer are met. */
export interface SessionTimerPolicy {
  /** Shortest interval that is taken; shorter ones get 422. At least 90 (RFC 4028 §4). */
  readonly minSeconds: number;
  /** Who refreshes when the offer leaves it open; `none` answers without a timer, as drachtio-server does. */
  readonly defaultRefresher: Refresher | 'none';
}

export const DEFAULT_SESSION_TIMER: SessionTimerPolicy = { minSeconds: 90, defaultRefresher: 'none' };

/** Session-Expires of a message; undefined when it is missing or broken. */
export function sessionExpiresOf(message: SipMessage): SessionExpires | undefined {
  const match = /^(\d{1,9})\s*(;.*)?$/.exec(message.get('Session-Expires') ?? '');
  if (match === null) return undefined;
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(match[2] ?? '')?.[1]?.toLowerCase();
  const seconds = Number(match[1]);
  return refresher === 'uac' || refresher === 'uas' ? { seconds, refresher } : { seconds };
}

/** True when the offered interval is too short for us and the peer can deal with a 422 (RFC 4028 §9). */
export function intervalTooSmall(request: SipRequest, policy: SessionTimerPolicy): boolean {
  const offered = sessionExpiresOf(request);
  return (
    offered !== undefined && offered.seconds < policy.minSeconds && request.tokens('Supported').has('timer')
  );
}

/** Adds to a 2xx what RFC 4028 §9 wants, unless the application has decided itself. */
export function answerSessionTimer(
  request: SipRequest,
  answer: SipResponse,
  policy: SessionTimerPolicy,
): void {
  const offered = sessionExpiresOf(request);
  if (offered !== undefined && !answer.has('Session-Expires')) {
    const refresher = offered.refresher ?? refresherFor(request, policy);
    if (refresher !== undefined) answer.add('Session-Expires', `${offered.seconds};refresher=${refresher}`);
  }
  const agreed = sessionExpiresOf(answer);
  if (agreed === undefined) return;
  if (agreed.refresher === 'uac' && !answer.tokens('Require').has('timer')) answer.add('Require', 'timer');
  if (!answer.tokens('Supported').has('timer')) answer.add('Supported', 'timer');
}

function refresherFor(request: SipRequest, policy: SessionTimerPolicy): Refresher | undefined {
  const required = request.tokens('Require').has('timer');
  if (policy.defaultRefresher === 'none' && !required) return undefined;
  // Only a caller that knows session timers can refresh them (RFC 4028 §9, table 2).
  if (!required && !request.tokens('Supported').has('timer')) return 'uas';
  return policy.defaultRefresher === 'none' ? 'uac' : policy.defaultRefresher;
}

export interface SessionTimerEvents {
  /** Half the interval is over and refreshing is ours. */
  refresh(): void;
  /** The interval is over and nobody refreshed. */
  expired(): void;
}

/** The session timer of one dialog. Set anew by every 2xx to an INVITE or UPDATE. */
export class SessionTimer {
  readonly #timers: Timers;
  readonly #events: SessionTimerEvents;
  #refreshTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #seconds = 0;
  #ours = false;

  constructor(timers: Timers, events: SessionTimerEvents) {
    this.#timers = timers;
    this.#events = events;
  }

  /** Interval in seconds; 0 when there is no timer. */
  get seconds(): number {
    return this.#seconds;
  }

  /**
   * Takes what a 2xx agreed on. `sent`: the request was ours. A refresh without the header
   * restarts the timer that runs, since peers are met that leave it out.
   */
  agreed(response: SipMessage, sent: boolean): void {
    const expires = sessionExpiresOf(response);
    if (expires !== undefined) {
      this.#seconds = expires.seconds;
      this.#ours = (expires.refresher ?? 'uac') === (sent ? 'uac' : 'uas');
    }
    this.restart();
  }

  restart(): void {
    this.close();
    if (this.#seconds === 0) return;
    const intervalMs = this.#seconds * this.#timers.sessionSecondMs;
    if (this.#ours) this.#refreshTimer = setTimeout(() => this.#events.refresh(), intervalMs / 2);
    this.#expiryTimer = setTimeout(() => this.#events.expired(), intervalMs);
  }

  /** Asks for the refresh again after `delayMs`, within the interval that still runs. */
  retryRefresh(delayMs: number): void {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = setTimeout(() => this.#events.refresh(), delayMs);
  }

  close(): void {
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#expiryTimer);
  }
}
