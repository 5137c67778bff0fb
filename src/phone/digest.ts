/** Digest access authentication of trunks (RFC 7616, RFC 8760): challenges, and who passes them. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { userOf } from './sip-uri.ts';
import { realmOf, type DigestTrunk } from './trunks.ts';

/** How long a nonce may be used, in ms. */
export const nonce_life_ms = 300_000;
/** Nonces whose use is remembered; beyond it the oldest is forgotten and counts as stale. */
export const nonces_kept_max = 10_000;
/** Longer Authorization headers are refused unread. */
export const authorization_chars_max = 4096;

/**
 * MD5 stands first, against the order of preference that RFC 8760 §2.4 advises: older PBXs and test tools
 * read the first challenge only, and give up on an algorithm that they do not know.
 */
const ALGORITHMS = { MD5: 'md5', 'SHA-256': 'sha256' } as const;
type Algorithm = keyof typeof ALGORITHMS;

export interface DigestAttempt {
  readonly method: string;
  readonly requestUri: string;
  /** The Authorization header; several are joined by commas. */
  readonly authorization: string | undefined;
}

export type DigestVerdict =
  | { readonly outcome: 'passed'; readonly trunk: DigestTrunk }
  /** Ask (again): nothing was given, or the nonce is too old. */
  | { readonly outcome: 'challenge'; readonly stale: boolean }
  | { readonly outcome: 'refused'; readonly detail: string };

interface Credentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: Algorithm;
  readonly cnonce: string;
  readonly nonceCount: string;
}

export class DigestGuard {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;
  /** The highest nonce count seen, by nonce, in the order of their first use. */
  readonly #counts = new Map<string, number>();
  /** Nonces made at or before this time are stale, because the use of one of them was forgotten. */
  #forgottenMs = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The values of WWW-Authenticate: each realm with MD5 and with SHA-256. All share one nonce, so
   * that a client which joins or mixes the headers still answers a challenge of ours.
   */
  challenges(trunks: readonly DigestTrunk[], stale: boolean): string[] {
    const nonce = this.#newNonce();
    const realms = [...new Set(trunks.map(realmOf))];
    return realms.flatMap((realm) =>
      (Object.keys(ALGORITHMS) as Algorithm[]).map(
        (algorithm) =>
          `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"` +
          (stale ? ', stale=true' : ''),
      ),
    );
  }

  /** Checks a request's credentials against the trunks that could have sent it. */
  verify(attempt: DigestAttempt, trunks: readonly DigestTrunk[]): DigestVerdict {
    if (attempt.authorization === undefined) return { outcome: 'challenge', stale: false };
    if (attempt.authorization.length > authorization_chars_max) return refused('Authorization is too long');
    const given = credentialsIn(attempt.authorization);
    if (typeof given === 'string') return refused(given);
    // What is routed is the user part; some border controllers rewrite the host behind the caller's back.
    if (userOf(given.uri) !== userOf(attempt.requestUri)) return refused('the digest is for another URI');
    const trunk = trunks.find((one) => one.auth.username === given.username && realmOf(one) === given.realm);
    const right = matches(given, attempt.method, trunk?.auth.password ?? randomBytes(16).toString('hex'));
    const fresh = this.#isFresh(given.nonce);
    // A wrong answer to an old nonce may come from a client that cached it: it gets a new try, not a refusal.
    if (!fresh) return { outcome: 'challenge', stale: right && trunk !== undefined };
    if (!right || trunk === undefined) return refused(`wrong credentials for user "${given.username}"`);
    if (!this.#countUp(given)) return { outcome: 'challenge', stale: true };
    return { outcome: 'passed', trunk };
  }

  #newNonce(): string {
    const stamp = Math.trunc(this.#clock.nowMs()).toString(36);
    const unsigned = `${stamp}.${randomBytes(9).toString('base64url')}`;
    return `${unsigned}.${this.#sign(unsigned)}`;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }

  #isFresh(nonce: string): boolean {
    const [stamp = '', random = '', signature = ''] = nonce.split('.');
    if (!same(signature, this.#sign(`${stamp}.${random}`))) return false;
    const madeMs = Number.parseInt(stamp, 36);
    return madeMs > this.#forgottenMs && this.#clock.nowMs() - madeMs <= nonce_life_ms;
  }

  /** false: this count was used before, so the request is a replay (RFC 7616 §3.4). */
  #countUp({ nonce, nonceCount }: Credentials): boolean {
    const count = Number.parseInt(nonceCount, 16);
    if (!(count > (this.#counts.get(nonce) ?? 0))) return false;
    this.#counts.set(nonce, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= nonces_kept_max && this.#isFresh(oldest)) break;
      this.#forgottenMs = Math.max(this.#forgottenMs, Number.parseInt(oldest, 36));
      this.#counts.delete(oldest);
    }
    return true;
  }
}

function refused(detail: string): DigestVerdict {
  return { outcome: 'refused', detail };
}

/** The credentials of an Authorization header, or what is wrong with it. */
function credentialsIn(header: string): Credentials | string {
  if (!/^\s*Digest\s/i.test(header)) return 'not Digest credentials';
  const fields = new Map<string, string>();
  for (const [, name = '', quoted, bare] of header.matchAll(
    /([a-z0-9]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi,
  ))
    if (!fields.has(name.toLowerCase()))
      fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
  const field = (name: string): string => fields.get(name) ?? '';
  const algorithm = (field('algorithm') || 'MD5').toUpperCase();
  if (!isAlgorithm(algorithm)) return `algorithm ${algorithm} is not offered`;
  // Without qop there is no count, and nothing would stop a replay.
  if (field('qop') !== 'auth') return 'qop=auth is missing';
  for (const name of ['username', 'realm', 'nonce', 'uri', 'response', 'cnonce', 'nc'])
    if (field(name) === '') return `${name} is missing`;
  return {
    username: field('username'),
    realm: field('realm'),
    nonce: field('nonce'),
    uri: field('uri'),
    response: field('response').toLowerCase(),
    algorithm,
    cnonce: field('cnonce'),
    nonceCount: field('nc'),
  };
}

function isAlgorithm(name: string): name is Algorithm {
  return Object.hasOwn(ALGORITHMS, name);
}

/** RFC 7616 §3.4.1 with qop=auth. */
function matches(given: Credentials, method: string, password: string): boolean {
  const hash = (text: string): string => createHash(ALGORITHMS[given.algorithm]).update(text).digest('hex');
  const secret = hash(`${given.username}:${given.realm}:${password}`);
  const request = hash(`${method}:${given.uri}`);
  const { nonce, nonceCount, cnonce } = given;
  return same(given.response, hash(`${secret}:${nonce}:${nonceCount}:${cnonce}:auth:${request}`));
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
