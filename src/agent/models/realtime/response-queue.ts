/**
 * One response at a time: a conversation refuses a second `response.create` while one is running.
 *
 *   idle --ask--> asked --created--> running --done--> idle, and the next in line is asked
 *   idle --created--> running                 the server answers a turn by itself
 *   asked --busy--> waiting                   it did so at the very moment when we asked
 */
import { responseCreate, type ClientEvent, type ResponseRequest } from './client-events.ts';
import { waiting_responses_max } from './limits.ts';

export interface RunningResponse {
  readonly id: string;
  /** null: the server began it, as the answer to a turn. */
  readonly request: ResponseRequest | null;
}

export class ResponseQueue {
  readonly #send: (event: ClientEvent) => void;
  readonly #waiting: ResponseRequest[] = [];
  #asked: { readonly request: ResponseRequest; readonly eventId: string } | null = null;
  #askedCount = 0;
  #running: RunningResponse | null = null;
  #dropped = 0;

  constructor(send: (event: ClientEvent) => void) {
    this.#send = send;
  }

  get running(): RunningResponse | null {
    return this.#running;
  }

  /** Something is asked for or running: the server owes us events. */
  get busy(): boolean {
    return this.#running !== null || this.#asked !== null;
  }

  /** Requests that found no place in the line. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Asks for a response now, or as soon as the running one is done. One without words waits only once. */
  ask(request: ResponseRequest): void {
    if (!this.busy) {
      this.#start(request);
      return;
    }
    const wordless = request.instructions === undefined;
    if (wordless && this.#waiting.some((one) => one.purpose === request.purpose)) return;
    if (this.#waiting.length >= waiting_responses_max) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#waiting.push(request);
  }

  /** Takes back what waits for one of these purposes. */
  forget(...purposes: ResponseRequest['purpose'][]): void {
    const kept = this.#waiting.filter((one) => !purposes.includes(one.purpose));
    this.#waiting.splice(0, this.#waiting.length, ...kept);
  }

  /**
   * `purpose` is what the server gave back of our metadata; absent when it began the response by itself.
   * true: that it surely did, because we asked for nothing.
   */
  created(id: string, purpose: string | undefined): boolean {
    const ours = purpose !== undefined && purpose === this.#asked?.request.purpose;
    this.#running = { id, request: ours ? (this.#asked?.request ?? null) : null };
    if (ours) this.#asked = null;
    // A turn that the server answers by itself needs no second answer.
    else this.forget('turn');
    return !ours && this.#asked === null;
  }

  /** true when it was the running one; the next in line is then asked for. */
  done(id: string): boolean {
    if (this.#running?.id !== id) return false;
    // A server that does not give metadata back: had it been another response than ours, it would have
    // refused ours.
    this.#asked = null;
    this.#running = null;
    this.#next();
    return true;
  }

  /** A response was running when ours was asked for: ours goes back to the head of the line. */
  refusedAsBusy(): void {
    if (this.#asked === null) return;
    this.#waiting.unshift(this.#asked.request);
    this.#asked = null;
    this.#next();
  }

  /** The server will not do what `eventId` asked; true when that was ours. */
  refused(eventId: string): boolean {
    if (this.#asked?.eventId !== eventId) return false;
    this.#asked = null;
    this.#next();
    return true;
  }

  #next(): void {
    if (this.busy) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
  }

  #start(request: ResponseRequest): void {
    this.#askedCount += 1;
    this.#asked = { request, eventId: `create_${this.#askedCount}` };
    this.#send(responseCreate(request, this.#asked.eventId));
  }
}
