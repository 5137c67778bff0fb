import { randomInt } from 'node:crypto';

import { LIMITS } from './limits.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { transactionTimeoutMs, type Timers } from './timers.ts';

export interface ReliableProvisionalEvents {
  send(response: SipResponse): void;
  /** A provisional response was never acknowledged: the INVITE must be refused (RFC 3262 §3). */
  expired(): void;
}

interface Pending {
  readonly sequence: number;
  readonly response: SipResponse;
}

/**
 * Our reliable 1xx to one INVITE (RFC 3262 §3): numbered by RSeq, sent one after the other, each repeated
 * after
 * T1, doubling, until its PRACK comes or 64*T1 are over.
 */
export class ReliableProvisionals {
  readonly #invite: SipRequest;
  readonly #timers: Timers;
  readonly #events: ReliableProvisionalEvents;
  readonly #queue: Pending[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #sequence = randomInt(1, 1_000_000);
  #repeatTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;

  constructor(invite: SipRequest, timers: Timers, events: ReliableProvisionalEvents) {
    this.#invite = invite;
    this.#timers = timers;
    this.#events = events;
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  /**
   * Numbers the response and sends it as soon as the ones before it are acknowledged; false when too many
   * wait.
   */
  add(response: SipResponse): boolean {
    if (this.#queue.length >= LIMITS.provisionalsQueuedMax) return false;
    this.#sequence += 1;
    response.set('RSeq', String(this.#sequence));
    this.#queue.push({ sequence: this.#sequence, response });
    if (this.#queue.length === 1) this.#sendFirst();
    return true;
  }

  /** True when the PRACK names the response that waits; anything else deserves 481. */
  acknowledged(prack: SipRequest): boolean {
    const match = /^(\d{1,10})\s+(\d{1,10})\s+(\S+)$/.exec(prack.get('RAck') ?? '');
    const first = this.#queue[0];
    if (match === null || first === undefined) return false;
    const named = Number(match[1]) === first.sequence && match[3] === 'INVITE';
    if (!named || Number(match[2]) !== this.#invite.sequence.number) return false;
    this.#stopTimers();
    this.#queue.shift();
    if (this.#queue.length > 0) this.#sendFirst();
    else for (const act of this.#whenIdle.splice(0)) act();
    return true;
  }

  /** Runs `act` when nothing waits for a PRACK: a 2xx must not overtake an unacknowledged offer or answer. */
  whenIdle(act: () => void): void {
    if (this.idle) act();
    else this.#whenIdle.push(act);
  }

  close(): void {
    this.#stopTimers();
    this.#queue.length = 0;
    this.#whenIdle.length = 0;
  }

  #sendFirst(): void {
    const first = this.#queue[0];
    if (first === undefined) return;
    this.#events.send(first.response);
    this.#repeat(first.response, this.#timers.t1Ms);
    this.#expiryTimer = setTimeout(() => {
      this.close();
      this.#events.expired();
    }, transactionTimeoutMs(this.#timers));
  }

  #repeat(response: SipResponse, intervalMs: number): void {
    this.#repeatTimer = setTimeout(() => {
      this.#events.send(response);
      this.#repeat(response, intervalMs * 2);
    }, intervalMs);
  }

  #stopTimers(): void {
    clearTimeout(this.#repeatTimer);
    clearTimeout(this.#expiryTimer);
  }
}

/** The peer's reliable 1xx on one branch of our INVITE (RFC 3262 §4). */
export class ReceivedProvisionals {
  #last: number | undefined;

  /** The RSeq of the response that the application acknowledges next. */
  get last(): number | undefined {
    return this.#last;
  }

  /** False for a reliable response that was seen before or left a gap: not for the application. */
  takes(response: SipResponse): boolean {
    const rseq = reliableSequence(response);
    if (rseq === undefined) return true;
    if (this.#last !== undefined && rseq !== this.#last + 1) return false;
    this.#last = rseq;
    return true;
  }
}

/** RSeq of a provisional response that wants a PRACK; undefined for all others. */
function reliableSequence(response: SipResponse): number | undefined {
  if (response.status <= 100 || response.status >= 200) return undefined;
  const text = response.get('RSeq') ?? '';
  return /^\d{1,10}$/.test(text) && response.tokens('Require').has('100rel') ? Number(text) : undefined;
}
