/**
 * An AI agent on the patchbay: ears, mouth and turns around a model's session. It counts time in the
 * thread's ticks only, so that a simulated pacer gives the same call at any speed.
 */
import { TrunklineError } from '../base/errors.ts';
import { emit, FRAME_MS, type Frame, type Source } from '../media/frame.ts';
import type { VoiceHost, VoicePort } from '../media/voice-port.ts';
import { CallerSpeech } from './caller-speech.ts';
import { Ears } from './ears.ts';
import { Farewell } from './farewell.ts';
import { IdleWatch } from './idle-watch.ts';
import { Interruptions } from './interruptions.ts';
import { ModelLine } from './model-line.ts';
import { Mouth } from './mouth.ts';
import type { ReplyTimes } from './replies.ts';
import { ToolsUnderWay } from './tools-under-way.ts';
import { next, type TurnEvent, type TurnState } from './turns.ts';
import {
  voiceCommandSchema,
  type ParsedVoiceCommand,
  type VoiceEvent,
  type VoiceSpec,
} from './voice-control.ts';
import type { SessionEvents, VoiceModel, VoiceSession } from './voice-model.ts';

/** Voiced sound that makes a turn of the caller while the agent is silent, in ms. */
const START_OF_SPEECH_MS = 80;
/** A reply waits this long for a caller who will not stop speaking, then begins over the caller's words. */
const HOLD_MS_MAX = 4000;
/** A reply that sends no sound for so long counts as finished. */
const STARVED_MS_MAX = 5000;

const HANG_UP = 'hang_up';

export class Voice implements VoicePort {
  readonly id: string;
  readonly paced = true;
  sinks: VoicePort['sinks'] = [];
  readonly #host: VoiceHost;
  readonly #spec: VoiceSpec;
  readonly #ears: Ears;
  readonly #mouth: Mouth;
  readonly #caller: CallerSpeech;
  readonly #interruptions: Interruptions;
  readonly #tools = new ToolsUnderWay();
  readonly #farewell = new Farewell();
  readonly #idle: IdleWatch;
  readonly #line: ModelLine;
  #state: TurnState = 'listening';
  #nowMs = 0;
  #greetWhenReady = false;
  #heldMs = 0;
  #starvedMs = 0;
  #speechStartedMs = 0;
  #speechEndedMs: number | null = null;
  /** The caller can hear us: before that nobody is asked whether they are still there. */
  #begun = false;

  constructor(options: { spec: VoiceSpec; host: VoiceHost; model: VoiceModel; now: () => Date }) {
    const { spec, host } = options;
    const { turns } = spec.profile;
    this.id = host.voiceId;
    this.#host = host;
    this.#spec = spec;
    this.#caller = new CallerSpeech({ endOfSpeechMs: turns.end_of_speech_ms });
    this.#idle = new IdleWatch(spec.profile);
    this.#mouth = new Mouth({
      codec: host.codec,
      on: {
        frame: (frame) => emit(this, frame),
        begins: (itemId) => this.#replyStarts(itemId),
        saying: (words) => this.#report({ type: 'saying', ...words }),
        said: (said) => this.#report({ type: 'said', ...said }),
      },
    });
    this.#interruptions = new Interruptions({
      turns,
      mouth: this.#mouth,
      farewell: this.#farewell,
      session: () => this.#session,
    });
    this.#ears = new Ears({
      codec: host.codec,
      on: {
        frame: (bytes, gapMs) => this.#session?.hear(bytes, gapMs),
        voiced: (voiced) => this.#voiced(voiced),
      },
    });
    this.#line = new ModelLine({
      model: options.model,
      call: {
        profile: spec.profile,
        ...(spec.tools === undefined ? {} : { tools: spec.tools }),
        codec: host.codec,
        callId: spec.callId,
        now: options.now,
        on: (name, payload) => this.#told(name, payload),
      },
      on: {
        up: (session) => this.#up(session),
        down: (code, detail) => this.#report({ type: 'failed', code, detail, retryable: false }),
      },
    });
  }

  #up(session: VoiceSession): void {
    this.#report({ type: 'ready' });
    if (this.#caller.speaking) session.callerSpeaking(true);
    if (this.#greetWhenReady) session.greet();
  }

  get #session(): VoiceSession | null {
    return this.#line.session;
  }

  #report(event: VoiceEvent): void {
    this.#host.report(event);
  }

  #turn(event: TurnEvent): void {
    this.#state = next(this.#state, event);
    this.#idle.stir();
  }

  /** Nothing is heard or said: the agent is out, or gone. */
  get #out(): boolean {
    return this.#state === 'holding' || this.#state === 'closed';
  }

  // Sound from the caller.

  sourceAdded(source: Source): void {
    this.#ears.sourceAdded(source);
  }

  sourceRemoved(source: Source): void {
    this.#ears.sourceRemoved(source);
  }

  take(frame: Frame, from: Source): void {
    if (!this.#out) this.#ears.take(frame, from);
  }

  #voiced(voiced: boolean): void {
    const speaking = this.#state === 'speaking';
    const interruptible = speaking && !this.#mouth.protected;
    const confirmMs = speaking ? this.#spec.profile.turns.barge_in_ms : START_OF_SPEECH_MS;
    switch (this.#caller.frame(voiced, confirmMs)) {
      case 'onset':
        if (interruptible) this.#mouth.duck();
        return;
      case 'likely':
        if (interruptible) this.#mouth.pause();
        return;
      case 'cleared':
        this.#mouth.restore();
        return;
      case 'started':
        this.#speechStartedMs = Math.max(0, this.#nowMs - confirmMs);
        this.#callerStarted(confirmMs);
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

  #callerStarted(spokenMs: number): void {
    this.#begun = true;
    this.#idle.callerSpoke();
    if (this.#state === 'speaking') {
      // What may not be interrupted goes on; the model hears what the caller says meanwhile.
      if (!this.#mouth.protected) {
        this.#interruptions.confirmed(spokenMs);
        this.#turn('caller_started');
      }
    } else {
      this.#interruptions.takeHangUpBack();
      this.#turn('caller_started');
    }
    this.#session?.callerSpeaking(true);
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
      if (this.#state !== 'speaking' || this.#caller.speaking || this.#mouth.protected) return;
      // The model's own ears are sure sooner than ours.
      this.#interruptions.cutAll();
      this.#turn('reply_finished');
    },
    speechStopped: () => undefined,
    heard: (heard) => this.#heard(heard),
    replyStarted: ({ itemId, uninterruptible = false }) => {
      if (this.#state === 'holding') {
        this.#mouth.refuse(itemId);
        this.#session?.interrupt(itemId, 0);
        return;
      }
      this.#mouth.begin(itemId, { uninterruptible });
    },
    audio: ({ itemId, bytes }) => {
      if (this.#state !== 'holding') this.#mouth.audio(itemId, bytes);
    },
    said: ({ itemId, text }) => this.#mouth.text(itemId, text),
    replyDone: ({ itemId, interrupted }) => {
      if (interrupted) this.#withdraw(itemId);
      else this.#mouth.end(itemId);
    },
    toolCall: (call) => this.#toolCall(call),
    usage: ({ usage }) => this.#report({ type: 'usage', usage }),
    rateLimits: () => undefined,
    expiring: () => undefined,
    failed: ({ code, detail, retryable }) => this.#report({ type: 'failed', code, detail, retryable }),
    closed: () => undefined,
  };

  #heard({ utteranceId, text, final }: SessionEvents['heard']): void {
    const startedMs = Math.round(this.#speechStartedMs);
    const endedMs = Math.round(Math.max(startedMs, this.#speechEndedMs ?? this.#nowMs));
    this.#report({ type: 'heard', utteranceId, text, final, startedMs, endedMs });
    if (final && !this.#out && this.#interruptions.heard(utteranceId, text)) this.#turn('reply_resumed');
  }

  /** The model took a reply back: what was not yet said of it is not said. */
  #withdraw(itemId: string): void {
    this.#mouth.withdraw(itemId);
    if (!this.#mouth.busy && this.#state === 'speaking') this.#fallSilent();
  }

  #toolCall(call: SessionEvents['toolCall']): void {
    if (call.name === HANG_UP) this.#farewell.byModel(call.callId, call.arguments);
    else if (this.#tools.begin(call.callId))
      this.#report({ type: 'tool.call', callId: call.callId, name: call.name, arguments: call.arguments });
    else this.#session?.toolResult(call.callId, { ok: false, reason: 'too many tools at once' });
  }

  // Sound to the caller.

  tick(_tick: number, _lateMs: number): void {
    if (this.#state === 'closed') return;
    this.#nowMs += FRAME_MS;
    if (this.#state === 'holding') {
      this.#mouth.rest();
      return;
    }
    this.#ears.tick();
    this.#interruptions.tick(this.#caller);
    this.#speak();
    if (this.#mouth.busy) return;
    if (this.#farewell.ordered) this.#finishCall();
    else this.#wait();
  }

  #speak(): void {
    const held =
      this.#caller.speaking &&
      this.#state !== 'speaking' &&
      this.#mouth.busy &&
      !this.#interruptions.undecided;
    this.#heldMs = held ? this.#heldMs + FRAME_MS : 0;
    if (held && this.#heldMs < HOLD_MS_MAX) {
      this.#mouth.rest();
      return;
    }
    switch (this.#mouth.speak()) {
      case 'frame':
      case 'paused':
        this.#starvedMs = 0;
        return;
      case 'starved':
        this.#starvedMs += FRAME_MS;
        if (this.#starvedMs >= STARVED_MS_MAX) this.#giveUpReply();
        return;
      case 'empty':
        if (this.#state === 'speaking') this.#fallSilent();
        return;
    }
  }

  #giveUpReply(): void {
    this.#starvedMs = 0;
    this.#mouth.giveUp();
    if (this.#state === 'speaking') this.#fallSilent();
  }

  #replyStarts(_itemId: string): ReplyTimes {
    if (this.#state !== 'speaking') this.#turn('reply_started');
    const responseMs = this.#speechEndedMs === null ? null : this.#nowMs - this.#speechEndedMs;
    this.#speechEndedMs = null;
    this.#farewell.begun();
    return { startedMs: this.#nowMs, responseMs };
  }

  #fallSilent(): void {
    this.#mouth.restore();
    this.#turn('reply_finished');
  }

  #wait(): void {
    if (!this.#session || !this.#begun || this.#caller.speaking || this.#tools.size > 0) return;
    const prompt = this.#idle.tick();
    if (!prompt) return;
    this.#session.say(prompt.text);
    if (prompt.last) this.#farewell.afterGoodbye('idle');
  }

  #finishCall(): void {
    const reason = this.#farewell.tick();
    if (reason === null) return;
    this.#begun = false;
    this.#report({ type: 'hang_up', reason });
  }

  // What the main thread tells.

  /** Throws VOICE_COMMAND_INVALID on a shape it does not know. */
  command(command: unknown): void {
    const parsed = voiceCommandSchema.safeParse(command);
    if (!parsed.success) throw new TrunklineError('VOICE_COMMAND_INVALID', parsed.error.message);
    if (this.#state !== 'closed') this.#obey(parsed.data);
  }

  #obey(command: ParsedVoiceCommand): void {
    switch (command.type) {
      case 'greet':
        this.#begun = true;
        if (this.#session) this.#session.greet();
        else this.#greetWhenReady = true;
        return;
      case 'say':
        if (this.#state === 'holding') return;
        this.#session?.say(command.text, { uninterruptible: command.uninterruptible ?? false });
        return;
      case 'digit':
        this.#idle.stir();
        if (this.#state !== 'holding') this.#session?.digit(command.digit);
        return;
      case 'hold':
        if (this.#state !== 'holding') this.#goOut();
        return;
      case 'resume':
        if (this.#state === 'holding') this.#comeBack(command.notice);
        return;
      case 'tool.result':
        if (this.#tools.end(command.callId)) this.#session?.toolResult(command.callId, command.result);
        return;
    }
  }

  #goOut(): void {
    this.#interruptions.cutAll();
    if (this.#caller.speaking) this.#session?.callerSpeaking(false);
    this.#caller.reset();
    this.#speechEndedMs = null;
    this.#turn('hold');
  }

  #comeBack(notice: string): void {
    this.#begun = true;
    this.#idle.callerSpoke();
    this.#turn('resume');
    if (notice !== '') this.#session?.notice?.(notice);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#turn('close');
    this.#line.close();
    // What the caller still heard belongs into the call's record.
    this.#mouth.cut(this.#mouth.waiting);
    this.#ears.close();
  }
}
