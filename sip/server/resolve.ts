import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

import type { TransportName } from './contact.ts';
import { LIMITS } from './limits.ts';
import type { SipUri } from './uri.ts';

/** The next hop of a request. */
export interface NextHop {
  readonly transport: TransportName;
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
}

export const TRANSPORT_UNAVAILABLE = 'requested protocol/transport not available';

/**
 * RFC 3263 as far as a trunk needs it: transport and maddr parameters, default ports, IP addresses and
 * address records. NAPTR and SRV records are not asked for: give host and port of the carrier.
 */
export class Resolver {
  readonly #transports: ReadonlySet<TransportName>;
  readonly #entries = new Map<string, { readonly address: Promise<string>; readonly untilMs: number }>();

  constructor(transports: ReadonlySet<TransportName>) {
    this.#transports = transports;
  }

  /** Rejects with the sentence the application reads. */
  async nextHop(uri: SipUri): Promise<NextHop> {
    const transport = this.#transportOf(uri);
    const serverName = uri.params.get('maddr') ?? uri.host;
    const port = uri.port ?? (transport === 'tls' ? 5061 : 5060);
    return { transport, port, serverName, address: await this.#address(serverName.toLowerCase()) };
  }

  #transportOf(uri: SipUri): TransportName {
    const named = uri.params.get('transport')?.toLowerCase();
    const wanted = uri.scheme === 'sips' ? 'tls' : named;
    if (wanted === undefined) {
      // RFC 3263 §4.1: UDP for sip:, unless this server speaks none.
      const fallback = (['udp', 'tcp', 'tls'] as const).find((name) => this.#transports.has(name));
      if (fallback !== undefined) return fallback;
    }
    for (const name of this.#transports) if (name === wanted) return name;
    throw new Error(TRANSPORT_UNAVAILABLE);
  }

  /** One look-up per name and half minute; requests that wait for the same name go out in their order. */
  #address(name: string): Promise<string> {
    if (isIP(name) !== 0) return Promise.resolve(name);
    const nowMs = performance.now();
    const known = this.#entries.get(name);
    if (known !== undefined && known.untilMs > nowMs) return known.address;
    if (this.#entries.size >= LIMITS.resolverEntriesMax) this.#entries.clear();
    const address = lookup(name, { family: 4 }).then(
      (found) => found.address,
      () => {
        this.#entries.delete(name);
        throw new Error(`the host ${name} has no address`);
      },
    );
    this.#entries.set(name, { address, untilMs: nowMs + LIMITS.resolverEntryMs });
    return address;
  }
}
