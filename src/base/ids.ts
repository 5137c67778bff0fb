import { randomBytes, randomInt } from 'node:crypto';

/** A short unguessable name with a prefix that says what it names: `call_x3f…` (72 random bits). */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(9).toString('base64url')}`;
}

/** A random 32-bit number above zero: RTP SSRC, first timestamp (RFC 3550 §8, §5.1). */
export function random32(): number {
  return randomInt(1, 0xffffffff);
}

/** A random 16-bit number: the first RTP sequence number (RFC 3550 §5.1). */
export function random16(): number {
  return randomInt(0, 0xffff);
}
