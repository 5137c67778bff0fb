/** IP networks: which one an address belongs to, and how specific it is. */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The bytes of an address: 4 or 16; IPv4 inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4. Undefined: no
 * address.
 */
export function addressBytes(address: string): readonly number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number);
  const bare = address.replace(/^\[|\]$/g, '').split('%', 1)[0] ?? '';
  if (!isIPv6(bare)) return undefined;
  const bytes = ipv6Bytes(bare);
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}

function ipv6Bytes(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = groupBytes(head);
  const right = tail === undefined ? [] : groupBytes(tail);
  return [...left, ...new Array<number>(16 - left.length - right.length).fill(0), ...right];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

export class Network {
  readonly #bytes: readonly number[];
  /** How many leading bits must agree: the more, the more specific. */
  readonly prefixBits: number;

  /** `text`: an address, or an address with a prefix length; the configuration's schema has checked it. */
  constructor(text: string) {
    const [address = '', prefix] = text.split('/');
    const bytes = addressBytes(address);
    if (bytes === undefined) throw new TypeError(`not a network: ${text}`);
    this.#bytes = bytes;
    const mapped = isIPv6(address) && bytes.length === 4 ? 96 : 0;
    this.prefixBits = prefix === undefined ? bytes.length * 8 : Math.max(0, Number(prefix) - mapped);
  }

  has(address: readonly number[]): boolean {
    if (address.length !== this.#bytes.length) return false;
    const wholeBytes = this.prefixBits >> 3;
    for (let index = 0; index < wholeBytes; index += 1)
      if (address[index] !== this.#bytes[index]) return false;
    const restBits = this.prefixBits & 7;
    if (restBits === 0) return true;
    const mask = 0xff & (0xff << (8 - restBits));
    return ((address[wholeBytes] ?? 0) & mask) === ((this.#bytes[wholeBytes] ?? 0) & mask);
  }
}
