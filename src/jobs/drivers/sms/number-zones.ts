/** Which time zones a telephone number may be in, by its country and, of +1, its area code. */
import { readFileSync } from 'node:fs';

const prefix_digits_max = 4;

/** Of the file: each group has its zones, then the prefixes; lines that begin with a space go on. */
function readTable(text: string): ReadonlyMap<string, readonly string[]> {
  const table = new Map<string, readonly string[]>();
  const lines = text.replace(/^#.*\n/gm, '').replace(/\n +/g, ' ');
  for (const words of lines.split('\n').map((line) => line.split(' '))) {
    const zones = words.filter((word) => word.includes('/'));
    for (const word of words) if (/^\d+$/.test(word)) table.set(word, zones);
  }
  return table;
}

const TABLE = readTable(readFileSync(new URL('number-zones.txt', import.meta.url), 'utf8'));

/**
 * IANA names of the zones that a number in E.164 may be in, those of equal clocks named once; empty: unknown.
 * A mobile phone may be anywhere: it counts where its number is from.
 */
export function zonesOf(e164: string): readonly string[] {
  const digits = e164.replace(/^\+/, '');
  for (let length = prefix_digits_max; length > 0; length -= 1) {
    const found = TABLE.get(digits.slice(0, length));
    if (found !== undefined) return found;
  }
  return [];
}
