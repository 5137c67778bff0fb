/** The caller waits in silence: when to say something about it, and how long the model has been silent. */
import { FRAME_MS } from '../media/frame.ts';
import type { AgentProfile } from './profile.ts';

/** What the caller waits for. */
export type Wait =
  /** Nothing: it is the caller's turn, or somebody speaks. */
  | 'nothing'
  /** The call was answered before the greeting was there. */
  | 'greeting'
  /** The model owes an answer. */
  | 'reply'
  /** A tool works. */
  | 'tool'
  /** The model was lost. */
  | 'trouble';

export class Waiting {
  readonly #profile: AgentProfile;
  #wait: Wait = 'nothing';
  /** Silence on the line, from both sides. */
  #quietMs = 0;
  /** Since this wait began, or since something was said about it. */
  #waitedMs = 0;
  #said = 0;
  /** Phrases of each kind are said in turn over the whole call. */
  readonly #next = { reply: 0, tool: 0, trouble: 0 };
  #unheardMs = 0;

  constructor(profile: AgentProfile) {
    this.#profile = profile;
  }

  get quietMs(): number {
    return this.#quietMs;
  }

  /** How long the model has told nothing, in ms. */
  get unheardMs(): number {
    return this.#unheardMs;
  }

  /** The model told something, whatever it was. */
  modelStirred(): void {
    this.#unheardMs = 0;
  }

  /** Somebody is heard on the line. */
  sound(): void {
    this.#quietMs = 0;
  }

  /** 20 ms; what to say now, if anything. An empty text is a tone. null: the agent speaks. */
  tick(wait: Wait | null): string | null {
    this.#quietMs += FRAME_MS;
    if (wait === null) return null;
    this.#unheardMs = wait === 'reply' || wait === 'greeting' ? this.#unheardMs + FRAME_MS : 0;
    if (wait !== this.#wait) {
      this.#wait = wait;
      this.#waitedMs = 0;
      this.#said = 0;
    }
    if (wait === 'nothing') return null;
    this.#waitedMs += FRAME_MS;
    const afterMs = this.#afterMs(wait);
    if (afterMs === 0 || this.#quietMs < afterMs) return null;
    // The first filler about trouble counts from when it began, not from when the caller fell silent.
    if (wait === 'trouble' && this.#said === 0 && this.#waitedMs < afterMs) return null;
    this.#quietMs = 0;
    this.#said += 1;
    // Nothing was asked yet: whoever waits for the greeting is told no more than that somebody is there.
    const kind = wait === 'greeting' ? 'trouble' : wait;
    const phrases = this.#profile.fillers[kind];
    const text = phrases[this.#next[kind] % Math.max(1, phrases.length)] ?? '';
    this.#next[kind] += 1;
    return text;
  }

  /** Silence after which something is said; 0: nothing is. */
  #afterMs(wait: Exclude<Wait, 'nothing'>): number {
    const { fillers } = this.#profile;
    const first = this.#said === 0;
    switch (wait) {
      case 'greeting':
        return first || fillers.greeting_after_ms === 0
          ? fillers.greeting_after_ms
          : fillers.trouble_again_ms;
      case 'reply':
        return fillers.reply_after_ms;
      case 'tool':
        return first || fillers.tool_after_ms === 0 ? fillers.tool_after_ms : fillers.tool_again_ms;
      case 'trouble':
        return Math.max(FRAME_MS, first ? fillers.trouble_after_ms : fillers.trouble_again_ms);
    }
  }
}
