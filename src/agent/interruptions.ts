/** What becomes of replies when the caller speaks into them: they wait, are cut, or go on. */
import { Backchannel } from './backchannel.ts';
import type { Farewell } from './farewell.ts';
import type { Mouth } from './mouth.ts';
import type { AgentProfile } from './profile.ts';
import { isOwnPhrase } from './silence.ts';
import type { SessionEvents, VoiceSession } from './voice-model.ts';

export interface InterruptionsOptions {
  readonly turns: AgentProfile['turns'];
  readonly mouth: Mouth;
  readonly farewell: Farewell;
  readonly session: () => VoiceSession | null;
}

export class Interruptions {
  readonly #options: InterruptionsOptions;
  readonly #backchannel: Backchannel;

  constructor(options: InterruptionsOptions) {
    this.#options = options;
    const { backchannels: words, backchannel_ms_max: longestMs } = options.turns;
    this.#backchannel = new Backchannel({ words, longestMs });
  }

  /** What the caller says may be a mere "mhm": only its words will tell, and a reply waits for them. */
  get undecided(): boolean {
    return this.#backchannel.held !== null;
  }

  /** It is speech, has lasted for `spokenMs`, and the agent is heard. */
  confirmed(spokenMs: number): void {
    const { mouth, session } = this.#options;
    const possible = session()?.ignore !== undefined && this.#backchannel.possible(spokenMs);
    if (mouth.protected) {
      // It goes on, whatever is said; but a "mhm" into it gets no answer either.
      if (possible) this.#backchannel.hold([], spokenMs);
      return;
    }
    // Whoever speaks into the last words of a question answers it: "right" is then no mere noise.
    if (!possible || mouth.endsAsking) {
      this.cutAll();
      return;
    }
    mouth.pause();
    this.#backchannel.hold(mouth.waiting, spokenMs);
  }

  /** Once per 20 ms. */
  tick(caller: { readonly speaking: boolean; readonly silentMs: number }): void {
    if (this.#backchannel.tick(caller)) this.#cut(this.#backchannel.release());
  }

  /** Words of the caller. true: they were a mere "mhm", which is forgotten, and a reply goes on. */
  heard({ utteranceId, text, final, earlier = false }: SessionEvents['heard']): boolean {
    if (!this.undecided || earlier) return false;
    const nothing = final ? this.#backchannel.isBackchannel(text) : this.#backchannel.mayBecomeOne(text);
    if (!nothing) this.#cut(this.#backchannel.release());
    if (!nothing || !final) return false;
    this.#backchannel.release();
    this.#options.session()?.ignore?.(utteranceId);
    this.#options.mouth.restore();
    return true;
  }

  /** Nothing of what sounds or waits is said. */
  cutAll(): void {
    this.#backchannel.release();
    this.takeHangUpBack();
    this.#cut(this.#options.mouth.waiting);
  }

  /** The caller spoke before the line was cut: the conversation goes on. */
  takeHangUpBack(): void {
    const { farewell, session } = this.#options;
    const callId = farewell.takeBack();
    if (callId !== null) session()?.toolResult(callId, { ok: false, reason: 'the caller spoke' });
  }

  /** Nothing more of these is said, and the model learns how far each got. */
  #cut(itemIds: readonly string[]): void {
    const { mouth, session } = this.#options;
    if (itemIds.length === 0) return;
    this.takeHangUpBack();
    for (const { itemId, heardMs } of mouth.cut(itemIds))
      if (!isOwnPhrase(itemId)) session()?.interrupt(itemId, heardMs);
    mouth.restore();
  }
}
