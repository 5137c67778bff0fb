/**
 * Whom we may talk to when the address was written by a tenant (a webhook, an HTTP tool): the public
 * internet, never this machine, its network or a cloud's metadata service (OWASP: server-side request
 * forgery).
 *
 * Names are judged by the addresses they resolve to, at the moment of connecting: a name that answered with a
 * public address when it was checked and with 127.0.0.1 a moment later (DNS rebinding) is refused as well.
 */
import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import { AddressGuard } from './addresses.ts';
import { TrunklineError } from './errors.ts';

export interface OutsideRules {
  /** Networks that may be reached although they are not public: `10.1.0.0/16`, `127.0.0.1/32`. */
  readonly allowedNetworks?: readonly string[];
  /** Plain http:// is for development only. */
  readonly allowHttp?: boolean;
}

/** How `net.connect` and undici ask for the addresses of a name. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
) => void;

const url_characters_max = 2048;

export class OutsideAddresses {
  readonly #guard: AddressGuard;
  readonly #allowHttp: boolean;
  readonly #resolve: Lookup;

  constructor(rules: OutsideRules = {}, resolve: Lookup = dnsLookup) {
    this.#guard = new AddressGuard(rules.allowedNetworks);
    this.#allowHttp = rules.allowHttp ?? false;
    this.#resolve = resolve;
  }

  /**
   * The URL, if it may be asked for. Names are judged later, by `lookup`: whoever connects must use both.
   * @throws TrunklineError ADDRESS_FORBIDDEN
   */
  checkUrl(text: string): URL {
    if (text.length > url_characters_max) throw forbidden('the URL is too long');
    let url: URL;
    try {
      url = new URL(text);
    } catch (error) {
      throw forbidden('no URL', error);
    }
    if (url.protocol !== 'https:' && !(this.#allowHttp && url.protocol === 'http:'))
      throw forbidden(`${url.protocol}// is not allowed`);
    if (url.username !== '' || url.password !== '') throw forbidden('a URL must not carry credentials');
    // net.connect does not look up what is an address already, so a literal is judged here.
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0) this.check(host);
    return url;
  }

  /** @throws TrunklineError ADDRESS_FORBIDDEN unless the address is public or allowed */
  check(address: string): void {
    if (!this.#guard.allows(address)) throw forbidden(`${address} is not a public address`);
  }

  /** For `connect: { lookup }` of an undici agent: only addresses that may be reached come out. */
  readonly lookup: Lookup = (hostname, options, done) => {
    this.#resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, []);
        return;
      }
      const addresses = Array.isArray(found) ? found : [{ address: found, family: isIP(found) }];
      // One forbidden address condemns the name: a mixed answer is how rebinding begins.
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => !this.#guard.allows(address))) {
        done(forbidden(`${hostname} resolves to an address that is not public`), []);
        return;
      }
      if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

function forbidden(detail: string, cause?: unknown): TrunklineError {
  return new TrunklineError('ADDRESS_FORBIDDEN', detail, { cause });
}
