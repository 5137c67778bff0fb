/**
 * The voice's line to its model. A session that dies is replaced: by another of the same model, by one of
 * the profile's fallbacks, at last by somebody who is no model. The voice sees one line.
 */
import { messageOf, TrunklineError } from '../base/errors.ts';
import { FRAME_MS, type Codec } from '../media/frame.ts';
import { next, type FailoverEvent, type FailoverState } from './failover.ts';
import { FailoverPlan, type FailoverStep } from './failover-plan.ts';
import type { HandOver } from './failover-settings.ts';
import type { AgentProfile } from './profile.ts';
import type {
  ConnectOptions,
  HistoryTurn,
  SessionEvents,
  VoiceModel,
  VoiceSession,
  WarmSession,
} from './voice-model.ts';

export interface Models {
  /** @throws TrunklineError MODEL_UNAVAILABLE for an adapter that is not set up */
  get(adapter: string): VoiceModel;
  /** A session that was opened ahead for this very profile; null: none is there. */
  spare?(profile: AgentProfile): WarmSession | null;
}

/** One step on the way from a dead session to whatever holds the call up. */
export type LineStep =
  | { readonly step: 'lost'; readonly code: string; readonly detail: string }
  | { readonly step: 'reconnecting' }
  | { readonly step: 'falling_back' | 'handing_over'; readonly to: string }
  | { readonly step: 'restored'; readonly to: string };

export interface ModelLineEvents {
  told<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void;
  /** A session is there and can be talked to. */
  up(session: VoiceSession): void;
  step(step: LineStep): void;
  /** No voice is left to be tried before this one. */
  handOver(to: HandOver): void;
  /** There is no session, and there will be none. */
  down(code: string, detail: string): void;
}

export interface ModelLineOptions {
  readonly models: Models;
  readonly profile: AgentProfile;
  readonly codec: Codec;
  readonly callId: string;
  readonly tools?: ConnectOptions['tools'];
  readonly now: () => Date;
  readonly history: () => readonly HistoryTurn[];
  readonly on: ModelLineEvents;
}

interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

const CLOSED: Failure = { code: 'MODEL_UNAVAILABLE', detail: 'the session ended', retryable: true };

export class ModelLine {
  readonly #options: ModelLineOptions;
  readonly #plan: FailoverPlan;
  #profile: AgentProfile;
  #state: FailoverState = 'opening';
  #session: VoiceSession | null = null;
  /** Sessions of before say nothing that counts any more. */
  #generation = 0;
  #failure: Failure | null = null;
  #openingMs = 0;
  /** Before the next try; null: none is due. */
  #delayMs: number | null = null;

  constructor(options: ModelLineOptions) {
    this.#options = options;
    this.#profile = options.profile;
    this.#plan = new FailoverPlan(options.profile);
    void this.#open();
  }

  get state(): FailoverState {
    return this.#state;
  }

  /** null while there is none. */
  get session(): VoiceSession | null {
    return this.#session;
  }

  /** The model is not on this machine: between us and it is a network. */
  get remote(): boolean {
    return this.#profile.model.adapter !== 'offline';
  }

  /** A session was lost, and none has taken its place yet. */
  get broken(): boolean {
    return this.#state === 'reopening' || this.#state === 'falling_back';
  }

  /** Once per 20 ms. */
  tick(): void {
    if (this.#state === 'up') {
      this.#plan.tick();
      return;
    }
    if (this.#delayMs !== null) {
      this.#delayMs -= FRAME_MS;
      if (this.#delayMs > 0) return;
      this.#delayMs = null;
      void this.#open();
      return;
    }
    if (this.#state !== 'opening' && !this.broken) return;
    // What is made on this machine takes as long as it takes, the first time, and tells when it fails.
    if (!this.remote && this.#state !== 'falling_back') return;
    this.#openingMs += FRAME_MS;
    const { connect_ms_max: longestMs } = this.#options.profile.failover;
    if (this.#openingMs < longestMs) return;
    this.#fail({
      code: 'MODEL_UNAVAILABLE',
      detail: `no session within ${longestMs} ms`,
      retryable: this.#state === 'opening',
    });
  }

  /** The model owes an answer and has gone silent. */
  stalled(silentMs: number): void {
    if (this.#state !== 'up' || !this.remote) return;
    this.#fail({
      code: 'MODEL_UNAVAILABLE',
      detail: `the model said nothing for ${silentMs} ms although an answer was due`,
      retryable: true,
    });
  }

  /** The session will expire: another of the same model takes its place, while nobody misses it. */
  renew(): void {
    if (this.#state !== 'up') return;
    this.#drop();
    this.#move('retry');
    this.#delayMs = 0;
    this.#options.on.step({ step: 'reconnecting' });
  }

  /** Whoever the call was handed over to did not take it: on to the next fallback. */
  handOverFailed(detail: string): void {
    if (this.#state !== 'handed_over') return;
    this.#failure = { code: 'MODEL_UNAVAILABLE', detail, retryable: false };
    this.#options.on.step({ step: 'lost', code: 'MODEL_UNAVAILABLE', detail });
    this.#take(this.#plan.fallBack());
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#move('close');
    this.#drop();
  }

  #move(event: FailoverEvent): void {
    this.#state = next(this.#state, event);
  }

  async #open(): Promise<void> {
    this.#generation += 1;
    this.#openingMs = 0;
    const generation = this.#generation;
    const current = (): boolean => generation === this.#generation && this.#state !== 'closed';
    const { models, codec, callId, now, history, tools } = this.#options;
    const call: ConnectOptions = {
      ...{ codec, callId, now, profile: this.#profile, history: history() },
      ...(tools === undefined ? {} : { tools }),
      on: (name, payload) => {
        if (current()) this.#told(name, payload);
      },
    };
    // Whatever ended a session may have ended the spare ones, too: only the first may be one of them.
    const spare = this.#state === 'opening' ? models.spare?.(this.#profile) : null;
    try {
      const session = await (spare?.attach(call) ?? models.get(this.#profile.model.adapter).connect(call));
      if (current()) this.#connected(session);
      else session.close();
    } catch (failure) {
      if (current()) this.#fail(failureOf(failure));
    }
  }

  #connected(session: VoiceSession): void {
    this.#session = session;
    const was = this.#state;
    this.#move('connected');
    if (was !== 'opening') this.#options.on.step({ step: 'restored', to: this.#profile.model.adapter });
    this.#options.on.up(session);
  }

  #told<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    const { on } = this.#options;
    if (name === 'failed') {
      const failure = payload as SessionEvents['failed'];
      if (this.#state === 'up' && !failure.retryable) this.#fail(failure);
      else {
        // Most sessions go on; one that does not says `closed` next.
        this.#failure = failure;
        on.told(name, payload);
      }
      return;
    }
    if (name !== 'closed') on.told(name, payload);
    else if (this.#state === 'up') this.#fail(this.#failure ?? CLOSED);
  }

  #fail(failure: Failure): void {
    this.#drop();
    this.#failure = failure;
    this.#options.on.step({ step: 'lost', code: failure.code, detail: failure.detail });
    // A fallback gets one try.
    const retryable = failure.retryable && this.#state !== 'falling_back';
    this.#take(this.#plan.next({ retryable }));
  }

  #take(step: FailoverStep): void {
    const { on } = this.#options;
    switch (step.kind) {
      case 'retry':
        this.#move('retry');
        this.#delayMs = step.delayMs;
        on.step({ step: 'reconnecting' });
        break;
      case 'voice':
        this.#move('fall_back');
        this.#profile = step.profile;
        this.#delayMs = 0;
        on.step({ step: 'falling_back', to: step.name });
        break;
      case 'hand_over':
        this.#move('hand_over');
        on.step({ step: 'handing_over', to: step.to.type });
        on.handOver(step.to);
        break;
      case 'nothing': {
        this.#move('give_up');
        const { code, detail } = this.#failure ?? CLOSED;
        on.down(code, detail);
        break;
      }
    }
  }

  /** Forgets the session; whatever it or its opening still tells is not heard. */
  #drop(): void {
    this.#generation += 1;
    this.#delayMs = null;
    this.#session?.close();
    this.#session = null;
    this.#failure = null;
  }
}

function failureOf(thrown: unknown): Failure {
  const known = thrown instanceof TrunklineError;
  const retryable = known && 'retryable' in thrown && thrown.retryable === true;
  const code = known ? thrown.code : 'MODEL_UNAVAILABLE';
  return { code, detail: known ? thrown.detail : messageOf(thrown), retryable };
}
