/** What becomes of replies when the caller speaks into them: they wait, are cut, or go on. */
import { Backchannel } from './backchannel.ts';
import type { Farewell } from './farewell.ts';
import type { Mouth } from './mouth.ts';
import type { AgentProfile } from './profile.ts';
import { isOwnPhrase } from './silence.ts';
import type { VoiceSession } from './voice-model.ts';

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

  /** A reply waits for the words of a short utterance. */
  get undecided(): boolean {
    return this.#backchannel.held !== null;
  }

  /** It is speech, and has lasted for `spokenMs`. */
  confirmed(spokenMs: number): void {
    const { mouth, session } = this.#options;
    if (session()?.ignore === undefined || !this.#backchannel.possible(spokenMs)) {
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

  /** The words of an utterance are known. true: it was a mere "mhm", and the reply goes on. */
  heard(utteranceId: string, text: string): boolean {
    if (!this.undecided) return false;
    const held = this.#backchannel.release();
    if (!this.#backchannel.isBackchannel(text)) {
      this.#cut(held);
      return false;
    }
    const { mouth, session } = this.#options;
    session()?.ignore?.(utteranceId);
    mouth.restore();
    return mouth.busy;
  }

  /** Nothing of what sounds or waits is said. */
  cutAll(): void {
    this.#backchannel.release();
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
    this.takeHangUpBack();
    for (const { itemId, heardMs } of mouth.cut(itemIds))
      if (!isOwnPhrase(itemId)) session()?.interrupt(itemId, heardMs);
    mouth.restore();
  }
}
