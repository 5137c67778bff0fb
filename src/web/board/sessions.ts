/** Who has signed in at the board of queues: an operator with a key, for a day's work at most. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { TrunklineError } from '../../base/errors.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import { findByKey } from '../keys.ts';

export interface OperatorKey {
  readonly key: string;
  /** May he replay, change and remove jobs, or only look? */
  readonly may_write: boolean;
}

export interface Session {
  readonly mayWrite: boolean;
  readonly endsMs: number;
}

export const session_ms_max = 12 * 3_600_000;
const sessions_max = 100;
/** Keys are long and random; this keeps guesses from costing anything. */
const tries_per_second = 5;

export class Sessions {
  readonly #keys: readonly OperatorKey[];
  readonly #clock: Clock;
  readonly #pace: TokenBucket;
  /** By their token; the one that began first is forgotten first. */
  readonly #open = new Map<string, Session>();

  constructor(keys: readonly OperatorKey[], clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
    this.#pace = new TokenBucket(tries_per_second, clock);
  }

  /** The token of a new session. @throws TrunklineError OPERATOR_KEY_INVALID, API_TOO_FAST */
  open(key: string): { token: string; session: Session } {
    if (!this.#pace.take()) throw new TrunklineError('API_TOO_FAST', 'sign-ins come too fast');
    const known = findByKey(this.#keys, key);
    if (known === undefined) throw new TrunklineError('OPERATOR_KEY_INVALID', 'no such operator key');
    const token = randomBytes(32).toString('base64url');
    const session = { mayWrite: known.may_write, endsMs: this.#clock.nowMs() + session_ms_max };
    this.#open.set(token, session);
    const [oldest] = this.#open.keys();
    if (this.#open.size > sessions_max && oldest !== undefined) this.#open.delete(oldest);
    return { token, session };
  }

  find(token: string): Session | undefined {
    const session = this.#open.get(token);
    if (session === undefined || session.endsMs > this.#clock.nowMs()) return session;
    this.#open.delete(token);
    return undefined;
  }

  close(token: string): void {
    this.#open.delete(token);
  }
}
