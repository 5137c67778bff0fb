/** The tool `collect_digits`: waits for a number that the caller keys in or says. */
import { z } from 'zod';
import { systemClock, type Clock } from '../../base/clock.ts';
import { COLLECT_DIGITS } from '../keypad.ts';
import { digitsSaid, isMostlyDigits } from '../spoken-secrets.ts';
import type { Tool, ToolResult } from './tool.ts';

const DIGITS_MAX = 32;
const WAIT_S_MAX = 60;
const BETWEEN_S_MAX = 20;
/** Longest run: the first key, and then each after the longest pause, is less in any real call. */
const TIMEOUT_MS = 120_000;
/** Masking fewer would mask every number of the call. */
const SECRET_DIGITS_MIN = 3;

const digitsArguments = z
  .strictObject({
    min_digits: z.int().min(1).max(DIGITS_MAX).default(1).describe('Fewest digits that make a number'),
    max_digits: z.int().min(1).max(DIGITS_MAX).default(DIGITS_MAX).describe('It is complete with so many'),
    terminator: z.enum(['#', '*', '']).default('#').describe('Key that ends it; empty: none'),
    wait_s: z.number().min(1).max(WAIT_S_MAX).default(15).describe('Patience for the first digit, in s'),
    between_s: z.number().min(0.5).max(BETWEEN_S_MAX).default(4).describe('Pause that ends the number, in s'),
    secret: z
      .boolean()
      .default(false)
      .describe('true for PINs, card numbers and the like: never written down'),
  })
  .refine((given) => given.min_digits <= given.max_digits, 'min_digits is above max_digits');
export type DigitsArguments = z.infer<typeof digitsArguments>;

const READ_BACK = 'Read the digits back one by one and let the caller confirm them before you use them.';
const READ_BACK_SECRET = 'Do not say the digits aloud. Tell the caller how many there were.';

type End =
  | { readonly why: 'complete' | 'terminator' | 'pause'; readonly digits: string }
  | { readonly why: 'nothing' | 'call over' | 'time up'; readonly digits: string };

/** One number as it comes in: keys and words go to the same place. */
class Collection {
  readonly secret: boolean;
  readonly done: Promise<End>;
  readonly #given: DigitsArguments;
  readonly #clock: Clock;
  readonly #settle: (end: End) => void;
  #digits = '';
  #cancel: () => void;

  constructor(given: DigitsArguments, clock: Clock) {
    this.secret = given.secret;
    this.#given = given;
    this.#clock = clock;
    const { promise, resolve } = Promise.withResolvers<End>();
    this.done = promise;
    this.#settle = resolve;
    this.#cancel = clock.after(given.wait_s * 1000, () => this.end('nothing'));
  }

  pressed(key: string): void {
    if (key === this.#given.terminator) this.end('terminator');
    // The other of the two keys that are no digits starts anew, as it does everywhere.
    else if (key === '*' || key === '#') this.#digits = '';
    else if (/^\d$/.test(key)) this.#take(key);
  }

  heard(text: string): void {
    if (!isMostlyDigits(text)) return;
    for (const digit of digitsSaid(text)) this.#take(digit);
  }

  ended(): void {
    this.end('call over');
  }

  #take(digit: string): void {
    if (this.#digits.length >= this.#given.max_digits) return;
    this.#digits += digit;
    this.#cancel();
    if (this.#digits.length >= this.#given.max_digits) this.end('complete');
    else this.#cancel = this.#clock.after(this.#given.between_s * 1000, () => this.end('pause'));
  }

  end(why: End['why']): void {
    this.#cancel();
    this.#settle({ why, digits: this.#digits });
  }
}

/** Nobody hears the call's other parts while it waits: the keys go to this tool alone. */
export function collectDigits(clock: Clock = systemClock): Tool<DigitsArguments> {
  return {
    name: COLLECT_DIGITS,
    description:
      'Waits for digits that the caller keys in or says. Ask for them first. ' +
      'Read them back before you use them, unless they are secret.',
    arguments: digitsArguments,
    timeoutMs: TIMEOUT_MS,
    repeatable: true,
    async run(given, context) {
      const collection = new Collection(given, clock);
      const stop = context.keypad?.listen(collection) ?? null;
      if (stop === null) {
        collection.ended();
        return { ok: false, reason: 'I cannot take digits at the moment.' };
      }
      const timeUp = (): void => collection.end('time up');
      context.signal.addEventListener('abort', timeUp, { once: true });
      const end = await collection.done;
      context.signal.removeEventListener('abort', timeUp);
      if (given.secret && end.digits.length >= Math.min(SECRET_DIGITS_MIN, given.min_digits))
        context.keypad?.secrets.keep(end.digits);
      stop();
      return answer(end, given);
    },
  };
}

function answer({ why, digits }: End, given: DigitsArguments): ToolResult {
  if (why === 'call over') return { ok: false, reason: 'The call is over.' };
  if (digits === '') return { ok: false, reason: 'I did not get any digits.', ask: 'digits' };
  if (digits.length < given.min_digits)
    return {
      ok: false,
      reason: `That was only ${digits.length === 1 ? 'one digit' : `${digits.length} digits`}.`,
      ask: 'digits',
    };
  return { ok: true, digits, next: given.secret ? READ_BACK_SECRET : READ_BACK };
}
