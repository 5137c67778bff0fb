/** What a human agent or supervisor in a room can do with its call, and what the queue learns of it. */
import { ending } from '../base/ending.ts';
import type { HandoffQueue } from '../room/handoff-queue.ts';
import type { Supervision } from '../room/hears.ts';
import type { Journal } from '../room/journal.ts';
import type { LiveCalls } from '../room/live-calls.ts';
import type { DeskControls, Guest } from './guest.ts';
import type { Grant } from './tokens.ts';

export interface ControlParts {
  readonly queue: HandoffQueue;
  readonly calls: LiveCalls;
  readonly journal: Journal;
}

export class CallControls implements DeskControls {
  readonly #parts: ControlParts;
  readonly #grant: Grant;
  readonly #callId: string;
  /** The human wants the caller to wait: a page that comes back does not end that. */
  #heldByHand = false;

  constructor(grant: Grant, callId: string, parts: ControlParts) {
    this.#grant = grant;
    this.#callId = callId;
    this.#parts = parts;
  }

  /** Tells the queue when the guest can be talked to, is away, is back, and has left. */
  watch(guest: Guest): void {
    if (this.#grant.role === 'supervisor') {
      this.supervised('listen');
      guest.events.once('left', () => this.#supervised('left'));
    }
    guest.events.on('speaks', () => this.#tell('joined'));
    guest.events.on('away', () => this.#tell('held'));
    guest.events.on('back', () => {
      if (!this.#heldByHand) this.#tell('resumed');
    });
    guest.events.once('left', () => this.#tell('left'));
  }

  hold(held: boolean): boolean {
    const done = this.#tell(held ? 'held' : 'resumed');
    if (done) this.#heldByHand = held;
    return done;
  }

  handBack(): boolean {
    return this.#tell('handed_back');
  }

  endCall(): boolean {
    const call = this.#parts.calls.get(this.#callId);
    call?.end(ending('human-hung-up', this.#grant.name));
    return call !== undefined;
  }

  supervised(mode: Supervision): void {
    this.#supervised(mode);
  }

  #supervised(mode: Supervision | 'left'): void {
    const by = this.#grant.name ?? 'supervisor';
    this.#parts.journal.add(this.#callId, { type: 'supervised', by, mode });
  }

  #tell(event: Parameters<HandoffQueue['tell']>[1]): boolean {
    const { handoffId } = this.#grant;
    return handoffId !== undefined && this.#parts.queue.tell(handoffId, event);
  }
}
