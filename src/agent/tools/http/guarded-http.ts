/**
 * HTTP to addresses that may be reached, and to no others (SSRF: a model, or whoever talks to it, must not
 * make this machine ask its own network). A name is resolved once for a connection, what it resolves to is
 * checked, and the connection goes to that very address: there is no second look-up that could say otherwise.
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, fetch, type Dispatcher } from 'undici';
import { AddressGuard } from '../../../base/addresses.ts';
import { TrunklineError } from '../../../base/errors.ts';

const CONNECT_TIMEOUT_MS = 5000;
/** Statuses without a body (Fetch, "null body status"). */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);
/** Connections to one server. */
const CONNECTIONS_MAX = 16;

export interface Resolved {
  readonly address: string;
  readonly family: number;
}
/** All addresses of a name. */
export type Resolve = (name: string) => Promise<readonly Resolved[]>;

export interface GuardedHttpOptions {
  /** Networks that may be reached besides the public Internet: 10.1.0.0/16, 127.0.0.1, … */
  readonly networks: readonly string[];
  readonly resolve?: Resolve;
}

function bySystem(name: string): Promise<readonly Resolved[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

export class GuardedHttp {
  readonly dispatcher: Dispatcher;
  readonly #guard: AddressGuard;
  readonly #resolve: Resolve;

  constructor(options: GuardedHttpOptions) {
    this.#guard = new AddressGuard(options.networks);
    this.#resolve = options.resolve ?? bySystem;
    this.dispatcher = new Agent({
      connections: CONNECTIONS_MAX,
      connect: { lookup: this.#lookup, timeout: CONNECT_TIMEOUT_MS },
    });
  }

  /**
   * Refuses what is no web address, and an address that is written out and may not be reached: for those
   * nothing is looked up. Names are checked when the connection is made.
   * @throws TrunklineError TOOL_ADDRESS_REFUSED
   */
  check(url: URL): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TrunklineError('TOOL_ADDRESS_REFUSED', `${url.protocol} is not spoken here`);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.#guard.allows(host)) throw new TrunklineError('TOOL_ADDRESS_REFUSED', host);
  }

  /** As the global fetch, but guarded; redirects are not followed. */
  readonly fetch = async (address: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address);
    this.check(url);
    const given = { redirect: 'manual', ...init } as unknown as Parameters<typeof fetch>[1];
    const { status, statusText, headers, body } = await fetch(url, { ...given, dispatcher: this.dispatcher });
    // The package has classes of its own for all this; callers know the platform's.
    return new Response(BODILESS.has(status) ? null : body, { status, statusText, headers: [...headers] });
  };

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  readonly #lookup: LookupFunction = (name, options, done) => {
    this.#resolve(name).then(
      (found) => {
        const allowed = found.filter(({ address }) => this.#guard.allows(address));
        const [first] = allowed;
        if (first === undefined) {
          const met = found.map(({ address }) => address).join(', ') || 'no address';
          done(new TrunklineError('TOOL_ADDRESS_REFUSED', `${name} is ${met}`), '', 4);
        } else if (options.all === true) done(null, [...allowed]);
        else done(null, first.address, first.family);
      },
      (error: unknown) => done(error as NodeJS.ErrnoException, '', 4),
    );
  };
}

/** The refusal behind a failure of the network, if it was one: libraries wrap what a look-up threw. */
export function refusalIn(failure: unknown): TrunklineError | undefined {
  for (let at = failure, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof TrunklineError) return at;
    if (at instanceof AggregateError) {
      const inner: unknown = at.errors.find((one) => one instanceof TrunklineError);
      if (inner instanceof TrunklineError) return inner;
    }
  }
  return undefined;
}
