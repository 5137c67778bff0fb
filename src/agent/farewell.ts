/** The end of a call that the agent wants: ordered, perhaps taken back, due when the goodbye was heard. */
import { FRAME_MS } from '../media/frame.ts';

/** How long a goodbye that was ordered may take to begin, in ms. */
const GOODBYE_MS_MAX = 5000;

interface Order {
  /** The model's tool call, to be answered when the caller speaks in time; null when the voice decided. */
  readonly callId: string | null;
  readonly reason: string;
  /** How much longer the goodbye may take to begin, in ms; 0 once it has. */
  goodbyeMs: number;
}

export class Farewell {
  #order: Order | null = null;

  get ordered(): boolean {
    return this.#order !== null;
  }

  /** The model wants to hang up once everything said so far was played out. */
  byModel(callId: string, given: unknown): void {
    const named = given as { reason?: unknown } | null;
    const reason = typeof named?.reason === 'string' ? named.reason : 'goodbye';
    this.#order = { callId, reason, goodbyeMs: 0 };
  }

  /** The voice wants to, after a goodbye that it has just asked for. */
  afterGoodbye(reason: string): void {
    this.#order = { callId: null, reason, goodbyeMs: GOODBYE_MS_MAX };
  }

  /** A reply sounds. */
  begun(): void {
    if (this.#order) this.#order.goodbyeMs = 0;
  }

  /** The caller spoke before the line was cut; the model's tool call to be answered, when there is one. */
  takeBack(): string | null {
    const callId = this.#order?.callId ?? null;
    this.#order = null;
    return callId;
  }

  /** 20 ms in which nothing is left to be said; the reason once it is time to hang up. */
  tick(): string | null {
    const order = this.#order;
    if (!order) return null;
    order.goodbyeMs = Math.max(0, order.goodbyeMs - FRAME_MS);
    if (order.goodbyeMs > 0) return null;
    this.#order = null;
    return order.reason;
  }
}
