import { randomInt } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';

/** Ports that other programs hold are passed over; after so many in one go something else is wrong. */
const BIND_ATTEMPTS_MAX = 64;

export interface PortRange {
  /** Inclusive. */
  readonly min: number;
  readonly max: number;
  /** How long a port rests after use, so that a late packet of one call never reaches the next, in ms. */
  readonly quarantineMs: number;
}

/**
 * Even ports with the odd one above (RFC 3550 §11: some gateways misroute media that was offered an odd
 * port).
 * The first is random, then the longest unused one is next.
 */
export class PortPool {
  readonly #quarantineMs: number;
  readonly #clock: Clock;
  readonly #range: string;
  /** Queue of free even ports, oldest use first. */
  readonly #free: number[] = [];
  readonly #resting: { port: number; untilMs: number }[] = [];
  readonly #used = new Set<number>();

  constructor(range: PortRange, clock: Clock) {
    this.#quarantineMs = range.quarantineMs;
    this.#clock = clock;
    this.#range = `${range.min}-${range.max}`;
    const first = range.min + (range.min % 2);
    const pairs = Math.max(0, Math.floor((range.max - first + 1) / 2));
    const start = pairs === 0 ? 0 : randomInt(pairs);
    for (let i = 0; i < pairs; i++) this.#free.push(first + ((start + i) % pairs) * 2);
  }

  get used(): number {
    return this.#used.size;
  }

  /** Ports that rest. */
  get quarantined(): number {
    this.#wake();
    return this.#resting.length;
  }

  /**
   * Lends an even port for which `bind` succeeded. A port that is taken (`EADDRINUSE`, `EACCES`) rests,
   * and the next
   * one is tried. Rejects with RTP_PORTS_EXHAUSTED, or with what else `bind` throws.
   */
  async lend<T>(bind: (port: number) => Promise<T>): Promise<{ port: number; bound: T }> {
    for (let attempt = 0; attempt < BIND_ATTEMPTS_MAX; attempt++) {
      this.#wake();
      const port = this.#free.shift();
      if (port === undefined) break;
      this.#used.add(port);
      try {
        return { port, bound: await bind(port) };
      } catch (error) {
        this.giveBack(port);
        if (!isTaken(error)) throw error;
      }
    }
    throw new TrunklineError(
      'RTP_PORTS_EXHAUSTED',
      `range ${this.#range}: ${this.#used.size} in use, ${this.#resting.length} resting`,
    );
  }

  /** The port's sockets are closed: it rests now. A port that is not lent is ignored. */
  giveBack(port: number): void {
    if (!this.#used.delete(port)) return;
    this.#resting.push({ port, untilMs: this.#clock.nowMs() + this.#quarantineMs });
  }

  #wake(): void {
    const nowMs = this.#clock.nowMs();
    for (
      let first = this.#resting[0];
      first !== undefined && first.untilMs <= nowMs;
      first = this.#resting[0]
    ) {
      this.#resting.shift();
      this.#free.push(first.port);
    }
  }
}

function isTaken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EADDRINUSE' || code === 'EACCES';
}
