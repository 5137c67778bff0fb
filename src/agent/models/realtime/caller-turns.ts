/**
 * Which of the caller's utterances the model answers. While the agent is silent every one of them is a turn,
 * and the server answers it by itself, which saves a round trip. While the agent is heard the server only
 * hears (`create_response: false`), and what it took for a turn is decided here:
 *
 *   committed --the voice never called it speech--> deleted: a cough, a click
 *   committed --speech--> undecided --`ignore`--> deleted: a mere "mhm"
 *                             |--its words were told--> answered
 *                             |--the agent is heard no more--> answered
 *
 * The server's events are in order, so that the latest `session.updated` tells which of the two held when an
 * utterance was committed.
 */
import type { SessionUpdateEvent } from 'openai/resources/realtime/realtime';
import { answersTurns, itemDelete, type ClientEvent } from './client-events.ts';
import { items_max } from './limits.ts';

export interface CallerTurnsOptions {
  readonly send: (event: ClientEvent) => void;
  /** Asks for an answer to what the caller said. */
  readonly answer: () => void;
  /** A response is asked for or running: the server then answers no turn by itself. */
  readonly busy: () => boolean;
}

/** Begins the ids of our events: refused, they cost a "mhm" an answer and nothing else. */
const ID = 'turns';

export class CallerTurns {
  readonly #options: CallerTurnsOptions;
  #settings: SessionUpdateEvent['session'] | null = null;
  /** As of the latest `session.updated`. */
  #serverAnswers = true;
  /** Settings on their way, oldest first: whether the server answers with them. */
  #onTheirWay: { readonly eventId: string; readonly serverAnswers: boolean }[] = [];
  #eventCount = 0;
  /** The server will not be told who answers. */
  #refused = false;
  #agentSpeaks = false;
  #callerSpeaks = false;
  /** What the server hears now: its item, and whether the voice called any of it speech. */
  #hearing = '';
  #isSpeech = false;
  readonly #undecided = new Set<string>();
  readonly #noises = new Set<string>();

  constructor(options: CallerTurnsOptions) {
    this.#options = options;
  }

  /** What the session was told, or is being told by the event with this id. */
  settled(settings: SessionUpdateEvent, eventId?: string): void {
    this.#settings = settings.session;
    if (eventId !== undefined) this.#onTheirWay.push({ eventId, serverAnswers: true });
  }

  /** An utterance's words come in time to decide about it. */
  get haveWords(): boolean {
    const { type, audio } = this.#settings ?? {};
    return type === 'realtime' && audio?.input?.transcription !== undefined && !this.#refused;
  }

  agentSpeaking(speaking: boolean): void {
    this.#agentSpeaks = speaking;
    this.#tellWhoAnswers();
    if (!speaking && this.#undecided.size > 0) this.#answer();
  }

  callerSpeaking(speaking: boolean): void {
    this.#callerSpeaks = speaking;
    if (speaking) this.#isSpeech = true;
  }

  /** The server hears an utterance begin. */
  started(itemId: string): void {
    this.#hearing = itemId;
    this.#isSpeech = this.#callerSpeaks;
  }

  /** The server heard it end. */
  committed(itemId: string): void {
    const isSpeech = this.#isSpeech || this.#callerSpeaks;
    this.#isSpeech = false;
    this.#hearing = '';
    if (this.#serverAnswers) {
      if (this.#options.busy()) this.#answer();
    } else if (!isSpeech) {
      remember(this.#noises, itemId);
      this.#delete(itemId);
    } else if (this.#agentSpeaks && this.haveWords) {
      remember(this.#undecided, itemId);
    } else {
      this.#answer();
    }
  }

  /** It was no speech, whatever a transcription makes of it. */
  isNoise(itemId: string): boolean {
    return this.#noises.has(itemId);
  }

  /** It was said into the agent's words, and nobody knows yet what it is. */
  isUndecided(itemId: string): boolean {
    return this.#undecided.has(itemId);
  }

  /** The agent is heard, and this was said before. */
  isEarlier(itemId: string): boolean {
    return this.#agentSpeaks && itemId !== this.#hearing && !this.#undecided.has(itemId);
  }

  /** Its words are known, and nobody called them nothing. */
  heard(itemId: string): void {
    if (this.#undecided.has(itemId)) this.#answer();
  }

  /** The voice goes on with what the agent was saying. */
  ignore(itemId: string): void {
    this.#undecided.delete(itemId);
    this.#delete(itemId);
  }

  /** The server answers after all, whatever it was told. */
  serverAnswered(): void {
    this.#undecided.clear();
  }

  /** The server took the settings that were told first. */
  updated(): void {
    const taken = this.#onTheirWay.shift();
    if (taken !== undefined) this.#serverAnswers = taken.serverAnswers;
  }

  /** true: the event was ours, and the session is none the worse for it. */
  refusedEvent(eventId: string): boolean {
    if (!eventId.startsWith(ID)) return false;
    const left = this.#onTheirWay.filter((one) => one.eventId !== eventId);
    if (left.length < this.#onTheirWay.length) this.#refused = true;
    this.#onTheirWay = left;
    return true;
  }

  #answer(): void {
    this.#undecided.clear();
    this.#options.answer();
  }

  #delete(itemId: string): void {
    this.#options.send(itemDelete(itemId, this.#nextId()));
  }

  #tellWhoAnswers(): void {
    const { type, audio } = this.#settings ?? {};
    const detection = type === 'realtime' ? audio?.input?.turn_detection : null;
    if (!detection || this.#refused) return;
    const eventId = this.#nextId();
    const serverAnswers = !this.#agentSpeaks;
    this.#onTheirWay.push({ eventId, serverAnswers });
    this.#options.send(answersTurns({ detection, serverAnswers, eventId }));
  }

  #nextId(): string {
    this.#eventCount += 1;
    return `${ID}_${this.#eventCount}`;
  }
}

function remember(items: Set<string>, itemId: string): void {
  items.add(itemId);
  for (const oldest of items) {
    if (items.size <= items_max) return;
    items.delete(oldest);
  }
}
