/**
 * A caller who wants an appointment and knows which: what it says to each of the agent's sentences. It
 * listens to what is read back, and corrects it.
 */
import { WEEKDAYS } from '../src/agent/models/offline/day.ts';
import { sayTime } from '../src/agent/models/offline/time-of-day.ts';
import { sayNumber } from '../src/agent/models/offline/words.ts';

/** How often a caller corrects one thing; then what was read back must do. */
const corrections_max = 2;

export interface Wish {
  readonly voice: string;
  readonly name: string;
  /** As one says it, and the weekday that the agent must read back. */
  readonly day: string;
  readonly weekday: string;
  /** As one says it, as the agent reads it back, and as it is booked: 24-hour HH:MM. */
  readonly time: string;
  readonly timeRead: string;
  readonly clock: string;
  /** The first sentence. */
  readonly opening: string;
}

const voices = ['slt', 'rms', 'awb'];
const names = [
  ...['Anna Miller', 'Robert Taylor', 'Emily Wilson', 'George Baker', 'Susan Cooper', 'Thomas Clark'],
  ...['Laura Smith', 'Michael Brown', 'Jennifer Lewis', 'Peter Harris', 'Linda Moore'],
];
/** Times of a day: every half hour from eight to half past five. */
const slots = 20;
const workdays = [1, 2, 3, 4, 5];
export const wishes_max = slots * workdays.length;

/** The wish of dialogue `index`: no two below `wishes_max` are of one time. */
export function wishOf(index: number): Wish {
  const weekday = capital(WEEKDAYS[workdays[index % workdays.length] ?? 1] ?? '');
  const minutes = 8 * 60 + 30 * (Math.floor(index / workdays.length) % slots);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  const day = `on ${weekday}`;
  const time = spoken(minutes, index % 2 === 0);
  const openings = [
    `I would like an appointment ${day} ${time}`,
    'I would like to book an appointment please',
    `hello I need to see a doctor ${day}`,
    `could you book me in for ${weekday} ${time}`,
  ];
  return {
    ...{ voice: voices[index % voices.length] ?? '', name: names[index % names.length] ?? '' },
    ...{ day, weekday, time, timeRead: sayTime(clock), clock },
    opening: openings[index % openings.length] ?? '',
  };
}

function spoken(minutes: number, long: boolean): string {
  const hour = sayNumber(((Math.floor(minutes / 60) + 11) % 12) + 1);
  if (minutes % 60 === 30) return long ? `at half past ${hour}` : `at ${hour} thirty`;
  const part = minutes < 12 * 60 ? 'morning' : 'afternoon';
  return long ? `at ${hour} in the ${part}` : `at ${hour} o'clock`;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Everything that a caller with this wish may say. */
export function sentencesOf(wish: Wish): string[] {
  const asked = [wish.day, wish.time, named(wish)];
  const corrections = asked.map((one) => `no ${one}`);
  return [wish.opening, ...asked, ...corrections, agreement, farewell];
}

const agreement = 'yes that is right';
const farewell = 'no thank you';
const named = (wish: Wish): string => `my name is ${wish.name}`;

export class BookingCaller {
  readonly #wish: Wish;
  #last = '';
  readonly #corrected: string[] = [];

  constructor(wish: Wish) {
    this.#wish = wish;
  }

  get corrections(): number {
    return this.#corrected.length;
  }

  /** One of `sentencesOf`; null: the agent has said goodbye. */
  answer(agentSaid: string): string | null {
    if (agentSaid.trim().endsWith('Goodbye.')) return null;
    const said = agentSaid.toLowerCase();
    const next = this.#last === '' ? this.#wish.opening : this.#reply(said, agentSaid);
    this.#last = next ?? this.#last;
    return this.#last;
  }

  #reply(said: string, agentSaid: string): string | undefined {
    if (said.includes('is that right')) return this.#readBack(agentSaid);
    if (said.includes('anything else')) return farewell;
    if (said.includes('what time')) return this.#wish.time;
    if (said.includes('which day')) return this.#wish.day;
    if (said.includes('name')) return named(this.#wish);
    return undefined;
  }

  #readBack(agentSaid: string): string {
    const { name, weekday, timeRead, day, time } = this.#wish;
    const wrong = [
      { read: weekday, right: day },
      { read: ` at ${timeRead},`, right: time },
      { read: ` ${name}.`, right: named(this.#wish) },
    ].find(({ read, right }) => !agentSaid.includes(read) && this.#correctedTimes(right) < corrections_max);
    if (wrong === undefined) return agreement;
    this.#corrected.push(wrong.right);
    return `no ${wrong.right}`;
  }

  #correctedTimes(right: string): number {
    return this.#corrected.filter((one) => one === right).length;
  }
}
