/** Telephone numbers that a tool may send to or call: what a model was talked into costs money. */

const NUMBER = /^\+?\d{2,15}$/;

/** The number without what people put between its digits; null when it is none. `00` stands for `+`. */
export function readNumber(text: string): string | null {
  const plain = text.replace(/[-.() /]/g, '').replace(/^00/, '+');
  return NUMBER.test(plain) ? plain : null;
}

const digitsOf = (number: string): string => number.replace(/^\+/, '');

/** The same number, with or without its `+`. */
export function sameNumber(one: string, other: string): boolean {
  return digitsOf(one) === digitsOf(other);
}

/** Is a number on a list? Entries are numbers, or beginnings that end with `*`: `+44*`. */
export function onList(list: readonly string[], number: string): boolean {
  return list.some((entry) =>
    entry.endsWith('*')
      ? digitsOf(number).startsWith(digitsOf(entry.slice(0, -1)))
      : sameNumber(entry, number),
  );
}
