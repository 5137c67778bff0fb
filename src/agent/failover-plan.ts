/** What to try next when the model failed: the same again, then the profile's fallbacks in their order. */
import { FRAME_MS } from '../media/frame.ts';
import type { HandOver } from './failover-settings.ts';
import type { AgentProfile } from './profile.ts';

/** Delay before the second and each further try of the same model, in ms: a server that is starting again. */
const RETRY_MS = 500;
/** A session that was up for so long has proved itself: the tries are counted anew, in ms. */
const PROVED_MS = 30_000;

export type FailoverStep =
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** `profile` is the call's own, with another model in it. */
  | { readonly kind: 'voice'; readonly name: string; readonly profile: AgentProfile }
  | { readonly kind: 'hand_over'; readonly to: HandOver }
  | { readonly kind: 'nothing' };

export class FailoverPlan {
  readonly #profile: AgentProfile;
  #tries = 0;
  #nextFallback = 0;
  #adapter: string;
  #upMs = 0;

  constructor(profile: AgentProfile) {
    this.#profile = profile;
    this.#adapter = profile.model.adapter;
  }

  /** 20 ms with a session. */
  tick(): void {
    this.#upMs += FRAME_MS;
    if (this.#upMs >= PROVED_MS) this.#tries = 0;
  }

  /** `retryable: false`: this model will not do it whatever we try. */
  next(failure: { readonly retryable: boolean }): FailoverStep {
    this.#upMs = 0;
    if (failure.retryable && this.#tries < this.#profile.failover.reconnects_max) {
      this.#tries += 1;
      return { kind: 'retry', delayMs: this.#tries === 1 ? 0 : RETRY_MS };
    }
    return this.fallBack();
  }

  /** The next fallback that makes sense. */
  fallBack(): FailoverStep {
    const fallback = this.#profile.fallbacks[this.#nextFallback];
    if (fallback === undefined) return { kind: 'nothing' };
    this.#nextFallback += 1;
    switch (fallback.type) {
      case 'model': {
        const { adapter, name, voice } = fallback;
        return this.#voice(adapter, { adapter, name, voice });
      }
      case 'offline':
        // It has just failed itself.
        if (this.#adapter === 'offline') return this.fallBack();
        return this.#voice('offline', {
          adapter: 'offline',
          name: '',
          voice: this.#profile.failover.voice,
        });
      case 'human':
      case 'number':
      case 'voicemail':
        return { kind: 'hand_over', to: fallback };
    }
  }

  #voice(name: string, model: { adapter: string; name: string; voice: string }): FailoverStep {
    this.#adapter = model.adapter;
    this.#tries = this.#profile.failover.reconnects_max;
    const adapter = model.adapter as AgentProfile['model']['adapter'];
    // Sessions are kept open for the profile's own model only.
    const profile = { ...this.#profile, model: { ...this.#profile.model, ...model, adapter, spares: 0 } };
    return { kind: 'voice', name, profile };
  }
}
