/** What a caller without a person says next. */

export interface Script {
  /** Answers what the agent has just said; empty when it could not be made out. */
  answer(agentSaid: string): string;
}

/** The agent did not understand, and asks again. */
const asksAgain = /\b(sorry|pardon|did not (get|catch)|say (that|it) again)\b/i;

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

/** A caller who wants an appointment, and listens: a question gets its answer, a full day another time. */
export class BookingScript implements Script {
  #times = [
    ...['at two in the afternoon', 'at three in the afternoon', 'at four in the afternoon', 'at noon'],
    ...['at nine in the morning', 'half past two in the afternoon', 'half past nine in the morning'],
  ];
  readonly #day: string;
  readonly #afterwards: string[];
  #timesAsked = 0;
  #last = '';

  /** `afterwards`: what else is wanted once the booking is made, one thing each time that is asked. */
  constructor(day = nextOpenDay(), afterwards: readonly string[] = []) {
    this.#day = day;
    this.#afterwards = [...afterwards];
  }

  answer(agentSaid: string): string {
    this.#last = this.#reply(agentSaid.toLowerCase()) ?? this.#last;
    return this.#last;
  }

  #reply(heard: string): string | undefined {
    if (this.#last === '') return `I would like an appointment ${this.#day} at ten in the morning`;
    if (heard.includes('is that right')) return 'yes that is right';
    if (heard.includes('anything else')) return this.#afterwards.shift() ?? 'no thank you';
    if (heard.includes('what time')) return this.#time(heard);
    if (heard.includes('which day')) return this.#day;
    if (heard.includes('name')) return 'My name is Emily Wilson';
    return undefined;
  }

  /** The next time when the one before is taken; the same again when it was only misheard. */
  #time(heard: string): string | undefined {
    if (heard.includes('taken') && this.#timesAsked > 0) this.#times = this.#times.slice(1);
    this.#timesAsked += 1;
    return this.#times[0];
  }
}
