/** What a caller without a person says next. */

export interface Script {
  /**
   * Answers what the agent has just said; empty when it could not be made out. An empty answer: the caller
   * waits for what comes next.
   */
  answer(agentSaid: string): string;
}

/** The agent did not understand, and asks again. */
const asksAgain = /\b(sorry|pardon|did not (get|catch)|say (that|it) again)\b/i;

/** It is the caller's turn: not every reply leaves something to be answered, and some come in pieces. */
export function wantsAnswer(agentSaid: string): boolean {
  return agentSaid.trim().endsWith('?') || asksAgain.test(agentSaid);
}

/** One sentence after the other. Asked again, or at the end of the list, it repeats the last. */
export class ListScript implements Script {
  readonly #sentences: readonly string[];
  #next = 0;

  constructor(sentences: readonly [string, ...string[]]) {
    this.#sentences = sentences;
  }

  answer(agentSaid: string): string {
    const repeats = this.#next > 0 && asksAgain.test(agentSaid);
    if (!repeats && this.#next < this.#sentences.length) this.#next += 1;
    return this.#sentences[this.#next - 1] ?? '';
  }
}

/** A day on which the clinic is open, as one says it today: it is closed at weekends. */
export function nextOpenDay(today = new Date()): string {
  return today.getDay() === 5 || today.getDay() === 6 ? 'on Monday' : 'tomorrow';
}

export interface Wishes {
  /** As one says it. */
  readonly time?: string | undefined;
  /** What else is wanted once the booking is made, one thing each time that is asked. */
  readonly afterwards?: readonly string[];
}

/** A caller who wants an appointment, and listens: a question gets its answer, a full day another time. */
export class BookingScript implements Script {
  #times = [
    ...['at two in the afternoon', 'at three in the afternoon', 'at four in the afternoon', 'at noon'],
    ...['at nine in the morning', 'half past two in the afternoon', 'half past nine in the morning'],
  ];
  readonly #day: string;
  readonly #time: string;
  readonly #afterwards: string[];
  #timesAsked = 0;
  #last = '';

  constructor(day = nextOpenDay(), { time = 'at ten in the morning', afterwards = [] }: Wishes = {}) {
    this.#day = day;
    this.#time = time;
    this.#afterwards = [...afterwards];
  }

  answer(agentSaid: string): string {
    // A goodbye that is answered is no goodbye: the agent would have to say it again.
    if (agentSaid.trim().endsWith('Goodbye.')) return '';
    this.#last = this.#reply(agentSaid.toLowerCase()) ?? this.#last;
    return this.#last;
  }

  #reply(heard: string): string | undefined {
    if (this.#last === '') return `I would like an appointment ${this.#day} ${this.#time}`;
    if (heard.includes('is that right')) return 'yes that is right';
    if (heard.includes('anything else')) return this.#afterwards.shift() ?? 'no thank you';
    if (heard.includes('what time')) return this.#anotherTime(heard);
    if (heard.includes('which day')) return this.#day;
    if (heard.includes('name')) return 'My name is Emily Wilson';
    return undefined;
  }

  /** The next time when the one before is taken; the same again when it was only misheard. */
  #anotherTime(heard: string): string | undefined {
    if (heard.includes('taken') && this.#timesAsked > 0) this.#times = this.#times.slice(1);
    this.#timesAsked += 1;
    return this.#times[0];
  }
}
