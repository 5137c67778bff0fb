/**
 * How many messages a text becomes: GSM 03.38 (3GPP TS 23.038 §6.2.1) in 7 bits where every character is in
 * its tables, UCS-2 in 16 bits otherwise. Long texts are cut into parts that a User Data Header joins again
 * (TS 23.040 §9.2.3.24.1), which costs each part 6 octets.
 */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';

/** Each takes two septets: an escape and one of these. */
const EXTENSION: Readonly<Record<string, number>> = {
  '\f': 0x0a,
  '^': 0x14,
  '{': 0x28,
  '}': 0x29,
  '\\': 0x2f,
  '[': 0x3c,
  '~': 0x3d,
  ']': 0x3e,
  '|': 0x40,
  '€': 0x65,
};

const ESCAPE = 0x1b;
const SEPTETS = { single: 160, part: 153 };
const UCS2_UNITS = { single: 70, part: 67 };

export type TextEncoding = 'gsm7' | 'ucs2';

export interface Segments {
  readonly encoding: TextEncoding;
  /** Septets (gsm7) or 16-bit units (ucs2). */
  readonly units: number;
  /** The parts, in order; one when the text fits. Each is whole characters. */
  readonly parts: readonly string[];
}

/** The septets of a character, or undefined when GSM 03.38 does not have it. */
function septetsOf(character: string): readonly number[] | undefined {
  const extension = EXTENSION[character];
  if (extension !== undefined) return [ESCAPE, extension];
  const index = character === '\x1b' ? -1 : BASIC.indexOf(character);
  return index < 0 ? undefined : [index];
}

/** The text in unpacked septets, one per octet, as SMPP carries it. @throws RangeError if it has others */
export function encodeGsm7(text: string): Buffer {
  const septets = Array.from(text).flatMap((character) => {
    const found = septetsOf(character);
    if (found === undefined) throw new RangeError('a character is not in GSM 03.38');
    return found;
  });
  return Buffer.from(septets);
}

/** Unpacked septets as text; an unknown escape reads as its basic character (TS 23.038 §6.2.1.1). */
export function decodeGsm7(septets: Uint8Array): string {
  const extension = new Map(Object.entries(EXTENSION).map(([character, code]) => [code, character]));
  let text = '';
  for (let index = 0; index < septets.length; index += 1) {
    const septet = (septets[index] ?? 0) & 0x7f;
    if (septet !== ESCAPE) {
      text += BASIC[septet] ?? ' ';
      continue;
    }
    index += 1;
    const code = (septets.at(index) ?? 0x20) & 0x7f;
    text += extension.get(code) ?? BASIC[code] ?? ' ';
  }
  return text;
}

/** UCS-2 as SMPP and the air interface carry it: big-endian UTF-16. */
export function encodeUcs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

export function decodeUcs2(octets: Uint8Array): string {
  const even = Buffer.from(octets.subarray(0, octets.length - (octets.length % 2)));
  return even.swap16().toString('utf16le');
}

/** How a text is sent. No part ends within a character: not after an escape, nor between two surrogates. */
export function segmentsOf(text: string): Segments {
  const characters = Array.from(text);
  const septets = characters.map((character) => septetsOf(character)?.length);
  const isGsm = !septets.includes(undefined);
  const costs = characters.map((each, index) => (isGsm ? (septets[index] ?? 0) : each.length));
  const limits = isGsm ? SEPTETS : UCS2_UNITS;
  const units = costs.reduce((sum, cost) => sum + cost, 0);
  const encoding = isGsm ? 'gsm7' : 'ucs2';
  if (units <= limits.single) return { encoding, units, parts: [text] };
  const parts: string[] = [];
  let [part, used] = ['', 0];
  characters.forEach((character, index) => {
    const cost = costs[index] ?? 0;
    if (used + cost > limits.part) {
      parts.push(part);
      [part, used] = ['', 0];
    }
    part += character;
    used += cost;
  });
  return { encoding, units, parts: [...parts, part] };
}
