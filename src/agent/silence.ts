/**
 * What the voice says by itself when nobody speaks: fillers while the caller waits, and "are you still
 * there?" when the agent does.
 */
import { FRAME_MS, type Codec } from '../media/frame.ts';
import { newId } from '../base/ids.ts';
import type { Farewell } from './farewell.ts';
import type { HandingOver } from './handing-over.ts';
import { IdleWatch } from './idle-watch.ts';
import type { ModelSide } from './model-side.ts';
import type { Mouth } from './mouth.ts';
import type { Phrases } from './phrases.ts';
import type { VoiceSpec } from './voice-control.ts';
import { Waiting, type Wait } from './waiting.ts';

/** Replies of the voice itself: no model knows them. */
const OWN_PHRASE = 'phrase';

export function isOwnPhrase(itemId: string): boolean {
  return itemId.startsWith(OWN_PHRASE);
}

export interface SilenceOptions {
  readonly spec: VoiceSpec;
  readonly codec: Codec;
  readonly phrases: Phrases;
  readonly mouth: Mouth;
  readonly farewell: Farewell;
  readonly model: () => ModelSide;
  readonly handing: () => HandingOver;
}

/** What the line is like in this tick. */
export interface LineNow {
  readonly callerSpeaking: boolean;
  /** The caller's sound in this very tick is voiced. */
  readonly callerVoiced: boolean;
  /** A reply has begun, and its sound does not come. */
  readonly starved: boolean;
}

export class Silence {
  readonly #options: SilenceOptions;
  readonly #waiting: Waiting;
  readonly #idle: IdleWatch;
  #callMs = 0;
  #warned = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
    const { profile } = options.spec;
    this.#waiting = new Waiting(profile);
    this.#idle = new IdleWatch(profile);
    // The offline voice has its greeting to speak first.
    if (profile.model.adapter !== 'offline') this.prepare();
  }

  /** Gets ready what may have to be said without a model. */
  prepare(): void {
    this.#options.phrases.prepare(this.#options.spec.profile, this.#options.codec);
  }

  /** The agent is heard. */
  sound(): void {
    this.#waiting.sound();
  }

  modelStirred(): void {
    this.#waiting.modelStirred();
  }

  /** Something happened: how long nobody has spoken is measured anew. */
  stir(): void {
    this.#idle.stir();
  }

  callerSpoke(): void {
    this.#idle.callerSpoke();
  }

  /** Says something without a model, before whatever waits. An empty text is a tone. */
  say(text: string): void {
    const { spec, codec, phrases, mouth } = this.#options;
    const { voice } = spec.profile.failover;
    const bytes = text === '' ? phrases.tone(codec) : phrases.sound({ text, voice, codec });
    mouth.interject({ itemId: newId(OWN_PHRASE), text, bytes });
  }

  /** 20 ms of the call; the caller may be waiting. */
  fill(now: LineNow): void {
    this.#warnOfTheEnd();
    if (now.callerVoiced) this.#waiting.sound();
    const filler = this.#waiting.tick(this.#waitsFor(now));
    this.#options.model().silentFor(this.#waiting.unheardMs);
    if (filler !== null) this.say(filler);
  }

  /** The call may not last much longer. */
  #warnOfTheEnd(): void {
    const { spec, model } = this.#options;
    this.#callMs += FRAME_MS;
    if (this.#warned || this.#callMs < (spec.warnAfterMs ?? Infinity)) return;
    this.#warned = true;
    model().session?.say(spec.profile.time_is_nearly_up);
  }

  #waitsFor({ callerSpeaking, starved }: LineNow): Wait | null {
    const { farewell, mouth, handing, model } = this.#options;
    if (callerSpeaking || farewell.ordered) return 'nothing';
    if (mouth.busy) return starved && model().remote ? 'reply' : null;
    return handing().waiting ? 'trouble' : model().wait;
  }

  /** 20 ms in which the agent has nothing to say, and it is the caller's turn. */
  wait(): void {
    const { farewell } = this.#options;
    const { session, toolsUnderWay, wait } = this.#options.model();
    if (toolsUnderWay > 0 || this.#options.handing().recording) return;
    if (wait === 'nothing') this.#options.model().quiet();
    const prompt = session ? this.#idle.tick() : null;
    if (!prompt) return;
    session?.say(prompt.text);
    if (prompt.last) farewell.afterGoodbye('idle');
  }
}
