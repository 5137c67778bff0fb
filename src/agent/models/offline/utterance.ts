/** One utterance on its way through a light decoder, and once more through a careful one when in doubt. */
import { CallerMeans } from './caller-means.ts';
import type { Decoders, DomainDecoder } from './decoders.ts';
import type { Hypothesis } from './pocketsphinx.ts';
import type { Hearing } from './speech-messages.ts';
import { UsualFit } from './usual-fit.ts';

/** A light decoder whose words fit worse than this, per frame, is in doubt. */
const DOUBT_BELOW = -38;
/** How much worse words fit a light decoder than a careful one. */
const LIGHT_WORSE = 5.5;
/** The caller waits while an utterance is heard once more: longest that is, in samples of 16 kHz. */
const AGAIN_SAMPLES_MAX = 8 * 16_000;

/** What a call has taught of its caller; a new object for every utterance that is learnt. */
export interface KnownCaller {
  readonly means: CallerMeans;
  readonly fit: UsualFit;
}
export const unknownCaller: KnownCaller = { means: CallerMeans.unknown, fit: UsualFit.unknown };

export class Utterance {
  readonly #decoders: Decoders;
  readonly #decoder: DomainDecoder;
  readonly #caller: KnownCaller;
  readonly #expecting: string;
  #pieces: Int16Array[] | null = [];
  #samples = 0;

  /** Null when too many callers speak at once. */
  static begin(decoders: Decoders, caller: KnownCaller, expecting: string): Utterance | null {
    const decoder = decoders.take();
    return decoder && new Utterance(decoders, decoder, caller, expecting);
  }

  private constructor(decoders: Decoders, decoder: DomainDecoder, caller: KnownCaller, expecting: string) {
    this.#decoders = decoders;
    this.#decoder = decoder;
    this.#caller = caller;
    this.#expecting = expecting;
    decoder.start({ expecting, means: caller.means.expected });
  }

  /** 16 kHz linear samples; the memory is the caller's again afterwards. */
  hear(samples: Int16Array): void {
    this.#decoder.process(samples);
    this.#samples += samples.length;
    if (this.#samples > AGAIN_SAMPLES_MAX) this.#pieces = null;
    this.#pieces?.push(samples.slice());
  }

  /** What was said, and what is known of the caller's voice from now on. */
  end(): { hearing: Hearing; caller: KnownCaller } {
    const { means, ...light } = this.#decoder.end();
    this.#decoders.giveBack(this.#decoder);
    const learnt = this.#caller.means.with(means, light.frames);
    const hearing = this.#judge(light, learnt);
    if (hearing.text === '') return { hearing, caller: this.#caller };
    const fit = this.#caller.fit.with(hearing.fit, light.frames);
    return { hearing, caller: { means: learnt, fit } };
  }

  /** `learnt`: the caller's means with this utterance's. */
  #judge(light: Hypothesis, learnt: CallerMeans): Hearing {
    const { limit } = this.#caller.fit;
    if (light.text === '' || fitOf(light) >= DOUBT_BELOW) return judged(light, -Infinity);
    if (this.#pieces === null) return judged(light, limit - LIGHT_WORSE);
    const circumstances = { expecting: this.#expecting, means: learnt.expected };
    return judged(this.#decoders.carefully(this.#pieces, circumstances), limit);
  }

  /** It is of no interest any more. */
  drop(): void {
    this.#decoder.end();
    this.#decoders.giveBack(this.#decoder);
  }
}

/** How well words fit: log score per 10 ms, beside the best that any sound of the model could do there. */
function fitOf({ score, frames }: Hypothesis): number {
  return frames === 0 ? 0 : score / frames;
}

function judged(words: Hypothesis, refuseBelow: number): Hearing {
  const fit = fitOf(words);
  const rejected = words.text !== '' && fit < refuseBelow;
  return { text: rejected ? '' : words.text, fit, rejected };
}
