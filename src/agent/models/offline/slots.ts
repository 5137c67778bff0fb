/** Slots: what a task needs to know, read from what callers say and said back to them. */
import type { AgentProfile, Slot } from '../../profile.ts';
import { dayIn, readDay, sayDay } from './day.ts';
import { readTime, sayTime } from './time-of-day.ts';
import { matchesAt, sayNumber, wordsOf, type Found } from './words.ts';

export interface SlotContext {
  readonly profile: AgentProfile;
  readonly now: () => Date;
}

const YES = new Set(
  'yes yeah yep sure correct right okay ok exactly perfect absolutely definitely fine'.split(' '),
);
const NO = new Set('no nope not wrong incorrect'.split(' '));
/** Digits kept of one number. */
const DIGITS_MAX = 32;
const DIGIT_WORDS = 'zero one two three four five six seven eight nine'.split(' ');

/** A clear yes or no; null when neither or both were said. "no problem" is a yes. */
export function readYesNo(words: readonly string[]): boolean | null {
  const noProblem = words.some((_, at) => matchesAt(words, at, ['no', 'problem']));
  if (noProblem) return true;
  const no = words.some((word) => NO.has(word));
  if (no) return false;
  return words.some((word) => YES.has(word)) ? true : null;
}

function readPerson(words: readonly string[], profile: AgentProfile): Found<string> | null {
  const firstNames = new Set(profile.vocabulary.first_names.map((name) => name.toLowerCase()));
  const lastNames = new Set(profile.vocabulary.last_names.map((name) => name.toLowerCase()));
  let found: Found<string> | null = null;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const next = words[at + 1] ?? '';
    const whole = firstNames.has(word) && lastNames.has(next);
    if (!whole && !firstNames.has(word) && !lastNames.has(word)) continue;
    const to = whole ? at + 2 : at + 1;
    // A whole name wins over a bare one, whichever comes last.
    const better = found === null || whole || found.to - found.from === 1;
    if (better) found = { value: words.slice(at, to).map(nameCase).join(' '), from: at, to };
    at = to - 1;
  }
  return found;
}

function nameCase(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function readChoice(words: readonly string[], slot: Slot): Found<string> | null {
  let best: Found<string> | null = null;
  for (const choice of slot.choices) {
    for (const say of choice.say) {
      const pattern = wordsOf(say);
      const at = words.findIndex((_, index) => matchesAt(words, index, pattern));
      const longer = best === null || pattern.length > best.to - best.from;
      if (at >= 0 && longer) best = { value: choice.value, from: at, to: at + pattern.length };
    }
  }
  return best;
}

function readDigits(words: readonly string[]): Found<string> | null {
  let digits = '';
  let from = -1;
  let to = -1;
  for (let at = 0; at < words.length; at += 1) {
    const repeat = words[at] === 'double' ? 2 : 1;
    const word = words[repeat === 2 ? at + 1 : at] ?? '';
    const index = DIGIT_WORDS.indexOf(word === 'oh' ? 'zero' : word);
    const digit = index >= 0 ? String(index) : /^\d+$/.test(word) ? word : '';
    if (digit === '') continue;
    if (from < 0) from = at;
    digits += digit.repeat(repeat);
    at += repeat - 1;
    to = at + 1;
  }
  return digits === '' ? null : { value: digits.slice(0, DIGITS_MAX), from, to };
}

function readSlot(
  words: readonly string[],
  slot: Slot,
  options: SlotContext & { asked: boolean },
): Found<string> | null {
  switch (slot.kind) {
    case 'day':
      return readDay(words, dayIn(options.profile.time_zone, options.now()));
    case 'time':
      return readTime(words, options.asked);
    case 'person':
      return readPerson(words, options.profile);
    case 'choice':
      return readChoice(words, slot);
    case 'yes_no': {
      const answer = options.asked ? readYesNo(words) : null;
      return answer === null ? null : { value: answer ? 'yes' : 'no', from: 0, to: 0 };
    }
    case 'digits':
      return options.asked ? readDigits(words) : null;
  }
}

/** Days are read before times, so that the "ten" of "November ten" is not taken for a time. */
const READING_ORDER: readonly Slot['kind'][] = ['day', 'time', 'person', 'choice', 'digits', 'yes_no'];

/**
 * Every slot that the words fill, by name. `asked` names the slot that was asked for last: only there
 * does a bare number, a digit string or a yes count.
 */
export function readSlots(
  words: readonly string[],
  slots: readonly Slot[],
  options: SlotContext & { asked: string | null },
): Map<string, string> {
  const rest = [...words];
  const values = new Map<string, string>();
  const ordered = [...slots].sort((a, b) => {
    const asked = Number(b.name === options.asked) - Number(a.name === options.asked);
    const kind = READING_ORDER.indexOf(a.kind) - READING_ORDER.indexOf(b.kind);
    return a.kind === b.kind ? asked : kind;
  });
  for (const slot of ordered) {
    const found = readSlot(rest, slot, { ...options, asked: slot.name === options.asked });
    if (!found) continue;
    values.set(slot.name, found.value);
    // Used words are blanked, not removed: what stands beside them keeps its neighbours.
    rest.fill('', found.from, found.to);
  }
  return values;
}

/** A slot's value as the agent says it. */
export function saySlot(slot: Slot, value: string): string {
  switch (slot.kind) {
    case 'day':
      return sayDay(value);
    case 'time':
      return sayTime(value);
    case 'digits':
      if (slot.keys?.secret === true) return `${sayNumber(value.length)} digits`;
      return value.replace(/\d/g, (digit) => `${DIGIT_WORDS[Number(digit)] ?? digit} `).trim();
    case 'choice':
      return slot.choices.find((choice) => choice.value === value)?.say[0] ?? value;
    case 'person':
    case 'yes_no':
      return value;
  }
}
