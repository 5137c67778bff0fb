/** Follows a call in the gateway's operator API while it goes on. */
import { askCalls, type CallRecord, type TimelineEntry } from '../../test/support/operator.ts';

const ask_every_ms = 250;
/** How long the ending may take to be written down after the call is over, in ms. */
const ending_patience_ms = 3000;

export class CallFollower {
  readonly #operatorUrl: string;
  readonly #sipCallId: string;
  readonly #told: (entry: TimelineEntry) => void;
  #seen = 0;
  #latest: CallRecord | undefined;
  #failure: unknown;
  #timer: NodeJS.Timeout | undefined;

  constructor(operatorUrl: string, sipCallId: string, told: (entry: TimelineEntry) => void) {
    this.#operatorUrl = operatorUrl;
    this.#sipCallId = sipCallId;
    this.#told = told;
    this.#askLater();
  }

  /** Why the operator API could not be asked, if it could not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The whole record, once the gateway has written the ending; what there is when it does not. */
  async finish(): Promise<CallRecord | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const deadline = performance.now() + ending_patience_ms;
    do {
      await this.#ask();
      if (this.#latest?.ending !== undefined || this.#failure !== undefined) break;
      await new Promise((resolve) => setTimeout(resolve, ask_every_ms));
    } while (performance.now() < deadline);
    return this.#latest;
  }

  #askLater(): void {
    this.#timer = setTimeout(() => {
      void this.#ask().then(() => {
        if (this.#timer !== undefined) this.#askLater();
      });
    }, ask_every_ms);
  }

  async #ask(): Promise<void> {
    try {
      const [record] = await askCalls(this.#operatorUrl, this.#sipCallId);
      this.#failure = undefined;
      if (record === undefined) return;
      this.#latest = record;
      for (const entry of record.timeline.slice(this.#seen)) this.#told(entry);
      this.#seen = Math.max(this.#seen, record.timeline.length);
    } catch (error) {
      this.#failure = error;
    }
  }
}
