/** One utterance on its way through a light decoder, and once more through a careful one when in doubt. */
import type { CallerMeans } from './caller-means.ts';
import type { Decoders, DomainDecoder } from './decoders.ts';
import type { Hypothesis } from './pocketsphinx.ts';
import type { Hearing } from './speech-messages.ts';

/** A light decoder whose words fit worse than this, per frame, is in doubt. */
const DOUBT_BELOW = -38;
/** A careful one's must not fit worse: what was said has nothing to do with the profile. */
const REFUSE_BELOW = -46.5;
/** A light one's, of an utterance that is too long to be heard twice. */
const REFUSE_LIGHT_BELOW = -52;
/** The caller waits while an utterance is heard once more: longest that is, in samples of 16 kHz. */
const AGAIN_SAMPLES_MAX = 8 * 16_000;

export class Utterance {
  readonly #decoders: Decoders;
  readonly #decoder: DomainDecoder;
  readonly #caller: CallerMeans;
  readonly #expecting: string;
  #pieces: Int16Array[] | null = [];
  #samples = 0;

  /** Null when too many callers speak at once. */
  static begin(decoders: Decoders, caller: CallerMeans, expecting: string): Utterance | null {
    const decoder = decoders.take();
    return decoder && new Utterance(decoders, decoder, caller, expecting);
  }

  private constructor(decoders: Decoders, decoder: DomainDecoder, caller: CallerMeans, expecting: string) {
    this.#decoders = decoders;
    this.#decoder = decoder;
    this.#caller = caller;
    this.#expecting = expecting;
    decoder.start({ expecting, means: caller.expected });
  }

  /** 16 kHz linear samples; the memory is the caller's again afterwards. */
  hear(samples: Int16Array): void {
    this.#decoder.process(samples);
    this.#samples += samples.length;
    if (this.#samples > AGAIN_SAMPLES_MAX) this.#pieces = null;
    this.#pieces?.push(samples.slice());
  }

  /** What was said, and what is known of the caller's voice from now on. */
  end(): { hearing: Hearing; caller: CallerMeans } {
    const { means, ...light } = this.#decoder.end();
    this.#decoders.giveBack(this.#decoder);
    const learnt = this.#caller.with(means, light.frames);
    const hearing = this.#judge(light, learnt);
    return { hearing, caller: hearing.text === '' ? this.#caller : learnt };
  }

  #judge(light: Hypothesis, { expected }: CallerMeans): Hearing {
    if (light.text === '' || fitOf(light) >= DOUBT_BELOW) return judged(light, -Infinity);
    if (this.#pieces === null) return judged(light, REFUSE_LIGHT_BELOW);
    const circumstances = { expecting: this.#expecting, means: expected };
    return judged(this.#decoders.carefully(this.#pieces, circumstances), REFUSE_BELOW);
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
