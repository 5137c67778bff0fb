/** Where a request may go: the public Internet, and networks that were named; nowhere else. */
import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;
type Network = readonly [Address, number];

/**
 * NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380) carry an IPv4 address that may be a private one,
 * ORCHID and documentation lead nowhere: of IPv6 only plain global unicast counts as public.
 */
const PUBLIC_RANGE = 'unicast';

/** Within "unicast" by the tables, but nobody's: the site-local prefix is deprecated (RFC 3879). */
const NOT_PUBLIC: readonly Network[] = ['fec0::/10', '100::/64', '2001:db8::/32', '3fff::/20', '::/96'].map(
  (text) => ipaddr.parseCIDR(text),
);

function inside(address: Address, networks: readonly Network[]): boolean {
  return networks.some(
    ([base, bits]) =>
      base.kind() === address.kind() && address.match([base, bits] as [typeof address, number]),
  );
}

/** An address in its plainest form: `::ffff:10.0.0.1` is 10.0.0.1. Undefined: it is none. */
function read(text: string): Address | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  // Four decimal numbers or an IPv6 address: `0x7f.1` and `127.1` are read differently by different programs.
  const plain = /^\d{1,3}(\.\d{1,3}){3}$/.test(bare) ? !/(^|\.)0\d/.test(bare) : bare.includes(':');
  if (!plain || !ipaddr.isValid(bare)) return undefined;
  return ipaddr.process(bare.split('%', 1)[0] ?? bare);
}

/** Is it an address in the Internet at large, no private, local, shared, mapped or special one? */
export function isPublicAddress(text: string): boolean {
  const address = read(text);
  return address?.range() === PUBLIC_RANGE && !inside(address, NOT_PUBLIC);
}

/** Which addresses may be reached: public ones, and those of networks that an operator named. */
export class AddressGuard {
  readonly #named: readonly Network[];

  /** @throws Error when an entry is neither an address nor a network such as 10.0.0.0/8 */
  constructor(networks: readonly string[] = []) {
    this.#named = networks.map((text) => {
      const [host = '', bits] = text.split('/');
      const address = read(host);
      if (address === undefined) throw new Error(`"${text}" is no address and no network`);
      return bits === undefined
        ? [address, address.kind() === 'ipv4' ? 32 : 128]
        : ipaddr.parseCIDR(`${address.toString()}/${bits}`);
    });
  }

  /** Anything that is no address is not allowed. */
  allows(text: string): boolean {
    const address = read(text);
    return address !== undefined && (isPublicAddress(text) || inside(address, this.#named));
  }
}
