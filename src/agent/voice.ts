/**
 * An AI agent on the patchbay: ears, mouth and turns around a model's session. It counts time in the
 * thread's ticks only, so that a simulated pacer gives the same call at any speed.
 */
import { messageOf, TrunklineError } from '../base/errors.ts';
import { emit, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ } from '../media/frame.ts';
import type { Frame, Source } from '../media/frame.ts';
import type { VoiceHost, VoicePort } from '../media/voice-port.ts';
import { CallerSpeech } from './caller-speech.ts';
import { Ears } from './ears.ts';
import { Playout, type Played } from './playout.ts';
import { Replies } from './replies.ts';
import { next, type TurnEvent, type TurnState } from './turns.ts';
import { voiceCommandSchema, type VoiceCommand, type VoiceEvent, type VoiceSpec } from './voice-control.ts';
import type { SessionEvents, VoiceModel, VoiceSession } from './voice-model.ts';

/** Voiced sound that makes a turn of the caller while the agent is silent, in ms. */
const START_OF_SPEECH_MS = 80;
/** A reply waits this long for a caller who will not stop speaking, then begins over the caller's words. */
const HOLD_MS_MAX = 4000;
/** A reply that sends no sound for so long counts as finished. */
const STARVED_MS_MAX = 5000;
/** Tools that may be under way at once; more is a model gone wild. */
const TOOL_CALLS_MAX = 16;

const HANG_UP = 'hang_up';
/** How long a goodbye that was ordered may take to begin. */
const GOODBYE_MS_MAX = 5000;

interface HangUp {
  /** The model's tool call, to be answered when the caller speaks in time; null when the voice decided. */
  readonly callId: string | null;
  readonly reason: string;
  /** How much longer the goodbye may take to begin, in ms; 0 once it has. */
  goodbyeMs: number;
}

export class Voice implements VoicePort {
  readonly id: string;
  readonly paced = true;
  sinks: VoicePort['sinks'] = [];
  readonly #host: VoiceHost;
  readonly #spec: VoiceSpec;
  readonly #ears: Ears;
  readonly #playout: Playout;
  readonly #replies = new Replies();
  readonly #caller: CallerSpeech;
  readonly #frame: Frame;
  readonly #toolCalls = new Set<string>();
  #session: VoiceSession | null = null;
  #state: TurnState = 'listening';
  #nowMs = 0;
  #silent = true;
  #greetWhenReady = false;
  #heldMs = 0;
  #starvedMs = 0;
  #idleMs = 0;
  #idlePrompts = 0;
  #speechStartedMs = 0;
  #speechEndedMs: number | null = null;
  #hangUp: HangUp | null = null;
  /** The caller can hear us: before that nobody is asked whether they are still there. */
  #begun = false;

  constructor(options: { spec: VoiceSpec; host: VoiceHost; model: VoiceModel; now: () => Date }) {
    const { spec, host } = options;
    this.id = host.voiceId;
    this.#host = host;
    this.#spec = spec;
    this.#caller = new CallerSpeech({ endOfSpeechMs: spec.profile.turns.end_of_speech_ms });
    this.#playout = new Playout({ codec: host.codec, finished: (played) => this.#played(played) });
    this.#ears = new Ears({
      codec: host.codec,
      on: {
        frame: (bytes, gapMs) => this.#session?.hear(bytes, gapMs),
        voiced: (voiced) => this.#voiced(voiced),
      },
    });
    this.#frame = {
      codec: host.codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: new Uint8Array(FRAME_SAMPLES),
      rtpTimestamp: 0,
      marker: true,
      gapMs: 0,
    };
    void this.#connect(options.model, options.now);
  }

  async #connect(model: VoiceModel, now: () => Date): Promise<void> {
    const { profile, callId } = this.#spec;
    try {
      const session = await model.connect({
        profile,
        codec: this.#host.codec,
        callId,
        now,
        on: (name, payload) => this.#told(name, payload),
      });
      if (this.#state === 'closed') {
        session.close();
        return;
      }
      this.#session = session;
      this.#report({ type: 'ready' });
      if (this.#caller.speaking) session.callerSpeaking(true);
      if (this.#greetWhenReady) session.greet();
    } catch (failure) {
      if (this.#state === 'closed') return;
      const code = failure instanceof TrunklineError ? failure.code : 'MODEL_UNAVAILABLE';
      const detail = failure instanceof TrunklineError ? failure.detail : messageOf(failure);
      this.#report({ type: 'failed', code, detail, retryable: false });
    }
  }

  #report(event: VoiceEvent): void {
    this.#host.report(event);
  }

  #turn(event: TurnEvent): void {
    this.#state = next(this.#state, event);
    this.#idleMs = 0;
  }

  // Sound from the caller.

  sourceAdded(source: Source): void {
    this.#ears.sourceAdded(source);
  }

  sourceRemoved(source: Source): void {
    this.#ears.sourceRemoved(source);
  }

  take(frame: Frame, from: Source): void {
    if (this.#state !== 'closed') this.#ears.take(frame, from);
  }

  #voiced(voiced: boolean): void {
    const speaking = this.#state === 'speaking';
    const confirmMs = speaking ? this.#spec.profile.turns.barge_in_ms : START_OF_SPEECH_MS;
    switch (this.#caller.frame(voiced, confirmMs)) {
      case 'onset':
        if (speaking) this.#playout.duck();
        return;
      case 'cleared':
        this.#playout.restore();
        return;
      case 'started':
        this.#speechStartedMs = Math.max(0, this.#nowMs - confirmMs);
        this.#callerStarted();
        return;
      case 'stopped':
        this.#speechEndedMs = Math.max(0, this.#nowMs - this.#caller.silentMs);
        this.#turn('caller_stopped');
        this.#session?.callerSpeaking(false);
        return;
      case null:
        return;
    }
  }

  #callerStarted(): void {
    this.#begun = true;
    this.#idlePrompts = 0;
    this.#takeHangUpBack();
    if (this.#state === 'speaking') this.#cutOff();
    this.#turn('caller_started');
    this.#session?.callerSpeaking(true);
  }

  /** The caller has interrupted: nothing more of what waits is said, and the model learns how far we got. */
  #cutOff(): void {
    for (const played of this.#playout.flush()) {
      const reply = this.#replies.cut(played.itemId);
      this.#session?.interrupt(played.itemId, played.heardMs);
      if (played.heardMs > 0) this.#reportSaid(played, reply, true);
    }
  }

  /** The caller spoke before the line was cut: the conversation goes on. */
  #takeHangUpBack(): void {
    const hangUp = this.#hangUp;
    this.#hangUp = null;
    const callId = hangUp?.callId ?? null;
    if (callId === null) return;
    this.#session?.toolResult(callId, { ok: false, reason: 'the caller spoke' });
  }

  // What the session tells.

  #told<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    if (this.#state === 'closed') return;
    const handler: (payload: SessionEvents[K]) => void = this.#handlers[name];
    handler(payload);
  }

  readonly #handlers: { [K in keyof SessionEvents]: (payload: SessionEvents[K]) => void } = {
    ready: () => undefined,
    speechStarted: () => {
      if (this.#state !== 'speaking' || this.#caller.speaking) return;
      // The model's own ears are sure sooner than ours.
      this.#cutOff();
      this.#turn('reply_finished');
    },
    speechStopped: () => undefined,
    heard: ({ utteranceId, text, final }) => {
      const startedMs = Math.round(this.#speechStartedMs);
      const endedMs = Math.round(Math.max(startedMs, this.#speechEndedMs ?? this.#nowMs));
      this.#report({ type: 'heard', utteranceId, text, final, startedMs, endedMs });
    },
    replyStarted: ({ itemId }) => {
      if (!this.#replies.isCut(itemId)) this.#playout.begin(itemId);
    },
    audio: ({ itemId, bytes }) => {
      if (!this.#replies.isCut(itemId)) this.#playout.append(itemId, bytes);
    },
    said: ({ itemId, text }) => this.#replies.text(itemId, text),
    replyDone: ({ itemId, interrupted }) => {
      if (interrupted) this.#withdraw(itemId);
      else this.#playout.end(itemId);
    },
    toolCall: (call) => this.#toolCall(call),
    usage: ({ usage }) => this.#report({ type: 'usage', usage }),
    rateLimits: () => undefined,
    expiring: () => undefined,
    failed: ({ code, detail, retryable }) => this.#report({ type: 'failed', code, detail, retryable }),
    closed: () => undefined,
  };

  /** The model took a reply back: what was not yet said of it is not said. */
  #withdraw(itemId: string): void {
    const played = this.#playout.drop(itemId);
    const reply = this.#replies.cut(itemId);
    if (!played) return;
    if (played.heardMs > 0) this.#reportSaid(played, reply, true);
    if (!this.#playout.busy && this.#state === 'speaking') this.#fallSilent();
  }

  #toolCall(call: SessionEvents['toolCall']): void {
    if (call.name === HANG_UP) {
      const given = call.arguments as { reason?: unknown } | null;
      const reason = typeof given?.reason === 'string' ? given.reason : 'goodbye';
      this.#hangUp = { callId: call.callId, reason, goodbyeMs: 0 };
      return;
    }
    if (this.#toolCalls.size >= TOOL_CALLS_MAX) {
      this.#session?.toolResult(call.callId, { ok: false, reason: 'too many tools at once' });
      return;
    }
    this.#toolCalls.add(call.callId);
    this.#report({ type: 'tool.call', callId: call.callId, name: call.name, arguments: call.arguments });
  }

  // Sound to the caller.

  tick(_tick: number, _lateMs: number): void {
    if (this.#state === 'closed') return;
    this.#nowMs += FRAME_MS;
    this.#ears.tick();
    this.#speak();
    if (this.#playout.busy) return;
    if (this.#hangUp) this.#finishCall(this.#hangUp);
    else this.#wait();
  }

  #speak(): void {
    const held = this.#caller.speaking && this.#state !== 'speaking' && this.#playout.busy;
    this.#heldMs = held ? this.#heldMs + FRAME_MS : 0;
    if (held && this.#heldMs < HOLD_MS_MAX) return;
    const read = this.#playout.read(this.#frame.payload);
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    switch (read.kind) {
      case 'frame':
        this.#starvedMs = 0;
        if (read.begins !== null) this.#replyStarts(read.begins);
        this.#frame.marker = this.#silent;
        this.#silent = false;
        emit(this, this.#frame);
        return;
      case 'starved':
        this.#silent = true;
        this.#starvedMs += FRAME_MS;
        if (this.#starvedMs >= STARVED_MS_MAX) this.#giveUpReply();
        return;
      case 'empty':
        this.#silent = true;
        if (this.#state === 'speaking') this.#fallSilent();
        return;
    }
  }

  #giveUpReply(): void {
    this.#starvedMs = 0;
    for (const played of this.#playout.flush()) this.#played(played);
    if (this.#state === 'speaking') this.#fallSilent();
  }

  #replyStarts(itemId: string): void {
    if (this.#state !== 'speaking') this.#turn('reply_started');
    const responseMs = this.#speechEndedMs === null ? null : this.#nowMs - this.#speechEndedMs;
    this.#speechEndedMs = null;
    if (this.#hangUp) this.#hangUp.goodbyeMs = 0;
    this.#replies.started(itemId, { startedMs: this.#nowMs, responseMs });
  }

  #fallSilent(): void {
    this.#playout.restore();
    this.#turn('reply_finished');
  }

  #played(played: Played): void {
    this.#reportSaid(played, this.#replies.finished(played.itemId), false);
  }

  #reportSaid(played: Played, reply: ReturnType<Replies['finished']>, interrupted: boolean): void {
    this.#report({
      type: 'said',
      itemId: played.itemId,
      text: reply.text,
      heardMs: played.heardMs,
      totalMs: played.totalMs,
      interrupted,
      startedMs: reply.startedMs,
      responseMs: reply.responseMs,
    });
  }

  /** Nobody speaks: ask whether the caller is still there, and at last say goodbye. */
  #wait(): void {
    if (!this.#session || !this.#begun || this.#caller.speaking || this.#toolCalls.size > 0) return;
    this.#idleMs += FRAME_MS;
    if (this.#idleMs < this.#spec.profile.turns.idle_ms) return;
    this.#idleMs = 0;
    const { still_there: prompts, goodbye } = this.#spec.profile;
    const prompt = prompts[this.#idlePrompts];
    this.#idlePrompts += 1;
    this.#session.say(prompt ?? goodbye);
    if (prompt === undefined) this.#hangUp = { callId: null, reason: 'idle', goodbyeMs: GOODBYE_MS_MAX };
  }

  #finishCall(hangUp: HangUp): void {
    hangUp.goodbyeMs = Math.max(0, hangUp.goodbyeMs - FRAME_MS);
    if (hangUp.goodbyeMs > 0) return;
    this.#hangUp = null;
    this.#begun = false;
    this.#report({ type: 'hang_up', reason: hangUp.reason });
  }

  // What the main thread tells.

  /** Throws VOICE_COMMAND_INVALID on a shape it does not know. */
  command(command: unknown): void {
    const parsed = voiceCommandSchema.safeParse(command);
    if (!parsed.success) throw new TrunklineError('VOICE_COMMAND_INVALID', parsed.error.message);
    if (this.#state !== 'closed') this.#obey(parsed.data);
  }

  #obey(command: VoiceCommand): void {
    switch (command.type) {
      case 'greet':
        this.#begun = true;
        if (this.#session) this.#session.greet();
        else this.#greetWhenReady = true;
        return;
      case 'say':
        this.#session?.say(command.text);
        return;
      case 'digit':
        this.#idleMs = 0;
        this.#session?.digit(command.digit);
        return;
      case 'tool.result':
        if (this.#toolCalls.delete(command.callId)) this.#session?.toolResult(command.callId, command.result);
        return;
    }
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#turn('close');
    this.#session?.close();
    this.#session = null;
    // What the caller still heard belongs into the call's record.
    for (const played of this.#playout.flush())
      if (played.heardMs > 0) this.#reportSaid(played, this.#replies.cut(played.itemId), true);
    this.#ears.close();
  }
}
