/** Nobody speaks: ask whether the caller is still there, and at last say goodbye. */
import { FRAME_MS } from '../media/frame.ts';
import type { AgentProfile } from './profile.ts';

export interface IdlePrompt {
  readonly text: string;
  /** It is the goodbye. */
  readonly last: boolean;
}

export class IdleWatch {
  readonly #profile: AgentProfile;
  #idleMs = 0;
  #prompts = 0;

  constructor(profile: AgentProfile) {
    this.#profile = profile;
  }

  /** Something happened: the silence is measured anew. */
  stir(): void {
    this.#idleMs = 0;
  }

  /** The caller is there: the prompts begin from the first. */
  callerSpoke(): void {
    this.#idleMs = 0;
    this.#prompts = 0;
  }

  /** 20 ms of silence; what to say about it, now and then. */
  tick(): IdlePrompt | null {
    this.#idleMs += FRAME_MS;
    if (this.#idleMs < this.#profile.turns.idle_ms) return null;
    this.#idleMs = 0;
    const { still_there: prompts, goodbye } = this.#profile;
    const text = prompts[this.#prompts];
    this.#prompts += 1;
    return { text: text ?? goodbye, last: text === undefined };
  }
}
