/**
 * Everything between a voice and its model: the line, what the model tells and owes, and what a model that
 * takes over has to know.
 */
import type { Codec } from '../media/frame.ts';
import type { Farewell } from './farewell.ts';
import type { HandOver } from './failover-settings.ts';
import { History } from './history.ts';
import { ModelLine, type LineStep, type Models } from './model-line.ts';
import type { Mouth } from './mouth.ts';
import { ToolsUnderWay } from './tools-under-way.ts';
import type { VoiceEvent, VoiceSpec } from './voice-control.ts';
import { HANG_UP, type SessionEvents, type VoiceSession } from './voice-model.ts';
import type { Wait } from './waiting.ts';

/** Shorter speech may have been a noise that no model answers, in ms. */
const ANSWERABLE_MS = 200;

export interface ModelSideEvents {
  report(event: VoiceEvent): void;
  /** Anything at all came from the model. */
  stirred(name: keyof SessionEvents): void;
  /** The model's own ears noticed the caller. */
  speechStarted(): void;
  /** false: it was nothing, and need not be remembered. */
  heard(heard: SessionEvents['heard']): boolean;
  /** The model took a reply back. */
  withdrawn(): void;
  handOver(to: HandOver): void;
  /** Whether the agent is in: a reply that begins is wanted. */
  isIn(): boolean;
  callerSpeaks(): boolean;
}

export interface ModelSideOptions {
  readonly spec: VoiceSpec;
  readonly codec: Codec;
  readonly models: Models;
  readonly now: () => Date;
  readonly mouth: Mouth;
  readonly farewell: Farewell;
  readonly on: ModelSideEvents;
}

export class ModelSide {
  readonly #options: ModelSideOptions;
  readonly #history = new History();
  readonly #tools = new ToolsUnderWay();
  readonly #line: ModelLine;
  /** What the model owes. */
  #due: 'greeting' | 'reply' | null = null;
  /** What it owed when the caller began to speak, and still does if that was nothing. */
  #owed: 'greeting' | 'reply' | null = null;
  #agentSpeaks = false;
  /** A greeting was asked for, and its first sound has come. */
  #greetingHere = false;
  #readyTold = false;
  #renewing = false;
  /** The session was lost while the caller spoke: nobody heard the whole of it. */
  #missed = false;

  constructor(options: ModelSideOptions) {
    this.#options = options;
    const { spec, codec, models, now } = options;
    this.#line = new ModelLine({
      ...{ models, codec, now, profile: spec.profile, callId: spec.callId },
      ...(spec.tools === undefined ? {} : { tools: spec.tools }),
      history: () => this.#history.turns,
      on: {
        told: (name, payload) => this.#told(name, payload),
        up: (session) => this.#up(session),
        step: (step) => this.#step(step),
        handOver: (to) => {
          this.#tellReady();
          options.on.handOver(to);
        },
        down: (code, detail) => options.on.report({ type: 'failed', code, detail, retryable: false }),
      },
    });
  }

  get session(): VoiceSession | null {
    return this.#line.session;
  }

  get remote(): boolean {
    return this.#line.remote;
  }

  /** What the caller waits for, when nobody speaks. */
  get wait(): Wait {
    // "One moment, please" would disturb whoever is keying a number in.
    if (this.#tools.waitForCaller) return 'nothing';
    if (this.#line.broken) return 'trouble';
    // Whoever has the caller speaks.
    if (this.#line.state === 'handed_over') return 'nothing';
    // The offline voice answers at once, or has died; but it may still have to learn its profile's words.
    if (this.#due === 'greeting' && (this.#line.remote || this.session === null)) return 'greeting';
    if (!this.#line.remote) return this.#tools.size > 0 ? 'tool' : 'nothing';
    if (this.#tools.size > 0) return 'tool';
    return this.#due === null ? 'nothing' : 'reply';
  }

  get toolsUnderWay(): number {
    return this.#tools.size;
  }

  tick(): void {
    this.#line.tick();
  }

  /** The caller can hear us: the first word is due now. */
  greet(): void {
    if (!this.#greetingHere) this.#due = 'greeting';
  }

  callerStarted(): void {
    this.#owed = this.#due;
    this.#due = null;
    this.session?.callerSpeaking(true);
  }

  /** The caller hears the agent, or no more; told as often as one likes. */
  agentSpeaking(speaking: boolean): void {
    if (speaking === this.#agentSpeaks) return;
    this.#agentSpeaks = speaking;
    this.session?.agentSpeaking?.(speaking);
  }

  /** The caller's last sound was no turn. */
  nothingWasSaid(): void {
    this.#due = this.#owed;
  }

  callerStopped(spokenMs: number): void {
    if (spokenMs >= ANSWERABLE_MS) this.#due = 'reply';
    this.session?.callerSpeaking(false);
    if (this.#missed && this.session) this.session.say(this.#options.spec.profile.trouble);
    this.#missed = false;
  }

  /** The agent goes out: nothing is owed. */
  release(): void {
    this.#due = this.#owed = null;
  }

  /** Nothing has come for `silentMs` although something is due. */
  silentFor(silentMs: number): void {
    if (silentMs >= this.#options.spec.profile.failover.stall_ms) this.#line.stalled(silentMs);
  }

  /** Nobody speaks and nothing is due: time to replace a session that will expire. */
  quiet(): void {
    if (!this.#renewing) return;
    this.#renewing = false;
    this.#line.renew();
  }

  said(said: { text: string; heardMs: number; totalMs: number }): void {
    this.#history.said(said);
  }

  toolResult(callId: string, result: unknown): void {
    const asker = this.#tools.end(callId);
    if (asker === 'nobody') return;
    const gave = this.#history.toolGave(callId, result);
    this.#due = this.#owed = 'reply';
    if (asker === 'session') this.session?.toolResult(callId, result);
    else this.session?.notice(gave);
  }

  /** Whoever the call was handed over to did not take it. */
  handOverFailed(detail: string): void {
    this.#line.handOverFailed(detail);
  }

  close(): void {
    this.#line.close();
  }

  #tellReady(): void {
    if (this.#readyTold) return;
    this.#readyTold = true;
    this.#options.on.report({ type: 'ready' });
  }

  /** A session is up, perhaps in the place of another. */
  #up(session: VoiceSession): void {
    const { on } = this.#options;
    if (!on.isIn()) return;
    if (this.#agentSpeaks) session.agentSpeaking?.(true);
    if (on.callerSpeaks()) session.callerSpeaking(true);
    if (!this.#greetingHere) {
      session.greet();
      return;
    }
    if (this.#due !== null) session.resume();
  }

  #step(step: LineStep): void {
    this.#options.on.report({ type: 'line', ...step });
    if (step.step !== 'lost') return;
    this.#tools.orphan();
    this.#missed = this.#options.on.callerSpeaks();
    // What is here of a reply is said; what is missing of it is owed.
    if (this.#options.mouth.endAll()) this.#due ??= 'reply';
  }

  #told<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    this.#options.on.stirred(name);
    const handler: (payload: SessionEvents[K]) => void = this.#handlers[name];
    handler(payload);
  }

  readonly #handlers: { [K in keyof SessionEvents]: (payload: SessionEvents[K]) => void } = {
    ready: () => undefined,
    speechStarted: () => this.#options.on.speechStarted(),
    speechStopped: () => undefined,
    heard: (heard) => {
      const counts = this.#options.on.heard(heard);
      if (heard.final && counts) this.#history.heard(heard.text);
    },
    replyStarted: ({ itemId, uninterruptible = false }) => this.#replyStarted(itemId, uninterruptible),
    audio: ({ itemId, bytes }) => {
      this.#greetingHere = true;
      if (this.#options.on.isIn()) this.#options.mouth.audio(itemId, bytes);
      this.#tellReady();
    },
    said: ({ itemId, text }) => this.#options.mouth.text(itemId, text),
    replyDone: ({ itemId, interrupted }) => {
      this.#tellReady();
      if (!interrupted) {
        this.#options.mouth.end(itemId);
        return;
      }
      this.#options.mouth.withdraw(itemId);
      this.#options.on.withdrawn();
    },
    toolCall: (call) => this.#toolCall(call),
    usage: ({ usage }) => this.#options.on.report({ type: 'usage', usage }),
    rateLimits: () => undefined,
    expiring: () => {
      this.#renewing = true;
    },
    failed: ({ code, detail, retryable }) =>
      this.#options.on.report({ type: 'failed', code, detail, retryable }),
    closed: () => undefined,
  };

  #replyStarted(itemId: string, uninterruptible: boolean): void {
    const { mouth, on, spec } = this.#options;
    const greeting = !this.#greetingHere;
    this.#due = this.#owed = null;
    if (on.isIn()) {
      const whole = uninterruptible || (greeting && spec.profile.turns.greeting_uninterruptible);
      mouth.begin(itemId, { uninterruptible: whole });
      return;
    }
    mouth.refuse(itemId);
    this.session?.interrupt(itemId, 0);
  }

  #toolCall(call: SessionEvents['toolCall']): void {
    const { farewell, on } = this.#options;
    this.#due = this.#owed = null;
    if (call.name === HANG_UP) {
      farewell.byModel(call.callId, call.arguments);
      return;
    }
    if (!this.#tools.begin(call.callId, call.name)) {
      this.session?.toolResult(call.callId, { ok: false, reason: 'too many tools at once' });
      return;
    }
    this.#history.toolCalled(call.callId, call.name, call.arguments);
    on.report({ type: 'tool.call', callId: call.callId, name: call.name, arguments: call.arguments });
  }
}
