/** Texts with places to fill: `Your appointment is on {day} at {time}.` */
import { TrunklineError } from '../../../base/errors.ts';

const PLACE = /\{([a-z][a-z0-9_]*)\}/g;

/** The places of a template, each once. */
export function placesOf(template: string): string[] {
  return [...new Set([...template.matchAll(PLACE)].map((match) => match[1] ?? ''))];
}

/**
 * The text with every place filled. Values are text as it stands: no place in a value is filled again.
 * @throws TrunklineError SMS_TEXT_INVALID when a place has no value: half a sentence is worse than none
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const missing = placesOf(template).filter((place) => !Object.hasOwn(values, place));
  if (missing.length > 0) throw new TrunklineError('SMS_TEXT_INVALID', `no value for ${missing.join(', ')}`);
  return template.replace(PLACE, (_whole, place: string) => values[place] ?? '');
}
