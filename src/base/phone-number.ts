/** Telephone numbers in one form, so that one person is one contact: E.164, such as +442079460123. */
import { parsePhoneNumberFromString, isSupportedCountry } from 'libphonenumber-js';

/** E.164 has at most 15 digits; fewer than 5 are no number that can be written to from outside. */
const INTERNATIONAL = /^\+[1-9]\d{4,14}$/;

/** What people and carriers put between digits. */
const PUNCTUATION = /[\s().\-/]/g;

/**
 * The number in E.164, or undefined when the text is none (`anonymous`, an extension, a SIP user name).
 * `country` (ISO 3166, two letters) reads numbers that are written without their country code.
 * A number of a private plan that libphonenumber does not know stays as it is, if it begins with `+`.
 */
export function toE164(text: string, country?: string): string | undefined {
  const bare = text.trim().replace(/^(tel|sip|sips):/i, '');
  const user = bare.split(/[;@]/, 1)[0] ?? '';
  const known = country !== undefined && isSupportedCountry(country) ? country : undefined;
  const parsed = parsePhoneNumberFromString(user, known);
  if (parsed?.isPossible() === true && parsed.ext === undefined) return parsed.number;
  const digits = user.replace(PUNCTUATION, '');
  return INTERNATIONAL.test(digits) ? digits : undefined;
}
