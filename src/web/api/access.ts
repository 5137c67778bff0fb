/** Who asks: every request of the API carries a key, which names its tenant and what it may do there. */
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { TrunklineError } from '../../base/errors.ts';
import { TokenBucket } from '../../base/token-bucket.ts';
import type { Store, TenantRows } from '../../store/store.ts';
import { findApiKey, type ApiKey } from '../../store/tables/api-keys.ts';
import { bearerOf } from '../keys.ts';
import { permits, type Scope } from './scopes.ts';

/** Keys whose pace is remembered; the one that asked longest ago is forgotten first. */
const keys_remembered_max = 10_000;

/** As a log and the audit chain name the asker. */
export const actorOf = (key: ApiKey): string => `key:${key.key_id}`;

export class Access {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #perSecondMax: number;
  readonly #paces = new Map<string, TokenBucket>();
  readonly #keys = new WeakMap<FastifyRequest, ApiKey>();

  constructor(options: { store: Store; clock: Clock; requestsPerSecondMax: number }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#perSecondMax = options.requestsPerSecondMax;
  }

  /**
   * Lets a request in or not, before anything of it is read.
   * @throws TrunklineError API_KEY_INVALID, API_FORBIDDEN, API_TOO_FAST, STORE_UNAVAILABLE
   */
  async admit(request: FastifyRequest, wanted: Scope): Promise<void> {
    const presented = bearerOf(request.headers.authorization, 300);
    if (presented === undefined) throw new TrunklineError('API_KEY_INVALID', 'no `Authorization: Bearer`');
    const key = await findApiKey(this.#store, presented);
    if (key === undefined) throw new TrunklineError('API_KEY_INVALID', 'no such key, or no longer');
    if (!permits(key.scopes, wanted)) throw new TrunklineError('API_FORBIDDEN', `needs the scope ${wanted}`);
    if (!this.#paceOf(key.key_id).take())
      throw new TrunklineError('API_TOO_FAST', `more than ${this.#perSecondMax} requests per second`);
    this.#keys.set(request, key);
  }

  /** The key of an admitted request. */
  keyOf(request: FastifyRequest): ApiKey {
    const key = this.#keys.get(request);
    if (key === undefined) throw new Error('a request was not admitted');
    return key;
  }

  /** One unit of work for the tenant of an admitted request. */
  unit<T>(request: FastifyRequest, work: (unit: TenantRows) => Promise<T>): Promise<T> {
    return this.#store.tenant(this.keyOf(request).tenant, work);
  }

  #paceOf(keyId: string): TokenBucket {
    const pace = this.#paces.get(keyId) ?? new TokenBucket(this.#perSecondMax, this.#clock);
    this.#paces.delete(keyId);
    this.#paces.set(keyId, pace);
    for (const oldest of this.#paces.keys()) {
      if (this.#paces.size <= keys_remembered_max) break;
      this.#paces.delete(oldest);
    }
    return pace;
  }
}
