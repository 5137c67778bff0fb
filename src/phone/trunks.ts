/** Who may send calls: trunks by address, or by digest credentials. */
import type { TrunkConfig } from './settings.ts';
import { Network, addressBytes } from './networks.ts';

interface Row {
  readonly trunk: TrunkConfig;
  readonly network: Network;
}

export type DigestTrunk = TrunkConfig & { readonly auth: NonNullable<TrunkConfig['auth']> };

export class Trunks {
  /** The most specific network first; among equals, the order of the configuration. */
  readonly #rows: readonly Row[];
  /** Those with credentials, which may call from anywhere unless they list addresses too. */
  readonly withCredentials: readonly DigestTrunk[];

  constructor(trunks: readonly TrunkConfig[]) {
    this.#rows = trunks
      .flatMap((trunk) => trunk.allow.map((text) => ({ trunk, network: new Network(text) })))
      .sort((a, b) => b.network.prefixBits - a.network.prefixBits);
    this.withCredentials = trunks.filter((trunk): trunk is DigestTrunk => trunk.auth !== undefined);
  }

  /** The trunk whose most specific network holds the address. */
  byAddress(address: string): TrunkConfig | undefined {
    const bytes = addressBytes(address);
    if (bytes === undefined) return undefined;
    return this.#rows.find((row) => row.network.has(bytes))?.trunk;
  }
}

export const DEFAULT_REALM = 'trunkline';

export function realmOf(trunk: DigestTrunk): string {
  return trunk.auth.realm ?? DEFAULT_REALM;
}
