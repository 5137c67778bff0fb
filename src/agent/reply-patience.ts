/** How long a reply waits: for a caller who will not stop speaking, and for sound of its own. */
import { FRAME_MS } from '../media/frame.ts';
import type { Spoken } from './mouth.ts';

/** A reply waits this long for the caller to stop, then begins over the caller's words. */
const HOLD_MS_MAX = 4000;
/** A reply that sends no sound for so long counts as finished. */
const STARVED_MS_MAX = 5000;

export class ReplyPatience {
  #heldMs = 0;
  #starvedMs = 0;

  /** A reply has begun, and its sound does not come. */
  get starved(): boolean {
    return this.#starvedMs > 0;
  }

  /** 20 ms; `wanted`: the caller speaks, and a reply should wait. true: it does. */
  holds(wanted: boolean): boolean {
    this.#heldMs = wanted ? this.#heldMs + FRAME_MS : 0;
    return wanted && this.#heldMs < HOLD_MS_MAX;
  }

  /** What became of 20 ms. true: no more sound of this reply is waited for. */
  isOver(spoken: Spoken, { ownPhrase }: { ownPhrase: boolean }): boolean {
    // A filler in between does not end the wait for the reply.
    if (spoken === 'starved') this.#starvedMs += FRAME_MS;
    else if (!ownPhrase) this.#starvedMs = 0;
    if (this.#starvedMs < STARVED_MS_MAX) return false;
    this.#starvedMs = 0;
    return true;
  }
}
