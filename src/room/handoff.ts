/**
 * One call on its way to a human and back: moves its state, and arranges the room as the state wants it.
 * Who is rung, and for how long, is the queue's affair (handoff-queue.ts).
 */
import { messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import { callerHears, canMove, isOpen, next, type HandoffEvent, type HandoffState } from './handoff-state.ts';
import type { Manner } from './hears.ts';
import { HoldMusic } from './hold-music.ts';
import type { BackPhrases, HandoffOutcome, HandoffWish } from './human-desk.ts';
import type { LiveCall } from './live-calls.ts';

const PHRASES: BackPhrases = {
  'handed-back': 'I am back with you. Is there anything else I can do for you?',
  'human-left': 'My colleague has left the call. I am here again. What else can I do for you?',
  unanswered: 'I am sorry, nobody is free at the moment. I am here again. What else can I do for you?',
};

export interface HandoffParts {
  readonly musicPath: string;
  readonly log: Log;
  /** A move was made; told after it. */
  readonly moved: (event: HandoffEvent) => void;
}

export class Handoff {
  readonly handoffId = newId('handoff');
  readonly call: LiveCall;
  readonly wish: HandoffWish & { readonly briefing: string };
  readonly #parts: HandoffParts;
  readonly #queue = new SerialQueue();
  readonly #stopWatching: () => void;
  #state: HandoffState = 'announcing';
  #music: HoldMusic | undefined;
  #agentIsOut = false;
  #arranging = false;

  constructor(call: LiveCall, wish: HandoffWish & { briefing: string }, parts: HandoffParts) {
    this.call = call;
    this.wish = wish;
    this.#parts = parts;
    // Somebody who comes in meanwhile hears what everybody else hears.
    this.#stopWatching = call.room.events.on('hearingChanged', () => this.#arrangeSoon());
  }

  get state(): HandoffState {
    return this.#state;
  }

  get isOpen(): boolean {
    return isOpen(this.#state);
  }

  can(event: HandoffEvent): boolean {
    return canMove(this.#state, event);
  }

  /** Throws on a move that the table does not hold. */
  move(event: HandoffEvent): void {
    this.#state = next(this.#state, event);
    if (!this.isOpen) this.#stopWatching();
    this.#arrangeSoon();
    if (this.#state === 'returned') this.#comeBack(event);
    this.#parts.moved(event);
  }

  /** Resolves when the room is arranged as the last move wants it. Never rejects. */
  settled(): Promise<void> {
    return this.#queue.idle();
  }

  #arrangeSoon(): void {
    if (this.#arranging) return;
    this.#arranging = true;
    void this.#queue.run(async () => {
      this.#arranging = false;
      try {
        await this.#arrange();
      } catch (error) {
        const { callId } = this.call;
        this.#parts.log.warn({ callId, detail: messageOf(error) }, 'the room is not as the handoff wants it');
      }
    });
  }

  /** The agent goes out before the caller is put on hold, and comes back before it can be heard. */
  async #arrange(): Promise<void> {
    const { room, agent } = this.call;
    const hears = callerHears(this.#state);
    if (hears === 'nothing') return this.#stopMusic();
    if (hears === 'music') await this.#startMusic();
    this.#sendAgent(hears === 'agent' ? 'back' : 'out');
    const callers = room.standings.filter(({ role }) => role === 'phone' || role === 'visitor');
    const manner: Manner = hears === 'music' ? 'held' : 'open';
    await room.setManners([
      [agent.portId, hears === 'agent' ? 'open' : 'away'],
      ...callers.map(({ participantId }) => [participantId, manner] as const),
    ]);
    if (hears !== 'music') await this.#stopMusic();
  }

  #sendAgent(where: 'out' | 'back'): void {
    const out = where === 'out';
    if (out === this.#agentIsOut) return;
    this.#agentIsOut = out;
    if (out) this.call.agent.hold();
    else this.call.agent.resume();
  }

  #comeBack(event: HandoffEvent): void {
    const outcome = OUTCOME_OF[event] ?? 'human-left';
    const { back, say = PHRASES } = this.wish;
    void this.#queue.run(() => {
      if (back !== undefined) back(outcome);
      else this.call.agent.say(say[outcome]);
      return Promise.resolve();
    });
  }

  async #startMusic(): Promise<void> {
    if (this.#music !== undefined) return;
    const { room, thread, codec } = this.call;
    const { musicPath: path, log } = this.#parts;
    this.#music = await HoldMusic.start({ room, thread, codec, path, log });
  }

  async #stopMusic(): Promise<void> {
    const music = this.#music;
    this.#music = undefined;
    await music?.close();
  }
}

const OUTCOME_OF: Partial<Record<HandoffEvent, HandoffOutcome>> = {
  handed_back: 'handed-back',
  left: 'human-left',
  gave_up: 'unanswered',
};
