import { transactionTimeoutMs, type Timers } from './timers.ts';

export interface AnswerEvents {
  /** Send the 2xx again. */
  repeat(): void;
  /** No ACK came within 64*T1. */
  expired(): void;
}

/**
 * A 2xx to an INVITE that waits for its ACK (RFC 3261 §13.3.1.4): repeated after T1, doubling up to T2, over
 * any
 * transport, because a hop behind the next one may lose it.
 */
export class Answer {
  /** The INVITE's CSeq number, which its ACK carries. */
  readonly sequence: number;
  /** The application's name for the INVITE transaction. */
  readonly transactionId: string;
  /** True when the ACK completes the dialog's first INVITE. */
  readonly first: boolean;
  readonly #timers: Timers;
  readonly #events: AnswerEvents;
  readonly #waiting: (() => void)[] = [];
  #repeatTimer: NodeJS.Timeout | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(
    invite: { sequence: number; transactionId: string; first: boolean },
    timers: Timers,
    events: AnswerEvents,
  ) {
    this.sequence = invite.sequence;
    this.transactionId = invite.transactionId;
    this.first = invite.first;
    this.#timers = timers;
    this.#events = events;
    this.#repeat(timers.t1Ms);
    this.#expiryTimer = setTimeout(() => this.#expire(), transactionTimeoutMs(timers));
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Runs `act` once the ACK came or is given up: a BYE must not overtake it (RFC 3261 §15). */
  whenSettled(act: () => void): void {
    if (this.#settled) act();
    else this.#waiting.push(act);
  }

  acknowledged(): void {
    if (this.#settled) return;
    this.close();
    for (const act of this.#waiting.splice(0)) act();
  }

  close(): void {
    this.#settled = true;
    clearTimeout(this.#repeatTimer);
    clearTimeout(this.#expiryTimer);
  }

  #repeat(intervalMs: number): void {
    this.#repeatTimer = setTimeout(() => {
      this.#events.repeat();
      this.#repeat(Math.min(intervalMs * 2, this.#timers.t2Ms));
    }, intervalMs);
  }

  /** A BYE that was held says what has to be said; otherwise the dialog's owner is told. */
  #expire(): void {
    this.close();
    const held = this.#waiting.splice(0);
    if (held.length === 0) this.#events.expired();
    for (const act of held) act();
  }
}
