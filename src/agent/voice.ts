/**
 * An AI agent on the patchbay: ears, mouth and turns around a model's session. It counts time in the
 * thread's ticks only, so that a simulated pacer gives the same call at any speed.
 */
import { emit, FRAME_MS, type Frame, type Source } from '../media/frame.ts';
import type { VoiceHost, VoicePort } from '../media/voice-port.ts';
import { CallerSpeech, ONSET_MS } from './caller-speech.ts';
import { Ears } from './ears.ts';
import { Farewell } from './farewell.ts';
import { HandingOver } from './handing-over.ts';
import { Interruptions } from './interruptions.ts';
import type { Models } from './model-line.ts';
import { ModelSide } from './model-side.ts';
import { Mouth, type Said } from './mouth.ts';
import type { Phrases } from './phrases.ts';
import type { ReplyTimes } from './replies.ts';
import { ReplyPatience } from './reply-patience.ts';
import { isOwnPhrase, Silence } from './silence.ts';
import { TurnTimes } from './turn-times.ts';
import { next, type TurnEvent, type TurnState } from './turns.ts';
import { parseVoiceCommand, type ParsedCommand, type VoiceEvent, type VoiceSpec } from './voice-control.ts';
import type { SessionEvents } from './voice-model.ts';

/** Voiced sound that makes a turn of the caller while the agent is silent, in ms. */
const START_OF_SPEECH_MS = 80;

export interface VoiceOptions {
  readonly spec: VoiceSpec;
  readonly host: VoiceHost;
  readonly models: Models;
  readonly phrases: Phrases;
  /** Where callers' messages are written; it exists. null: no message can be left. */
  readonly voicemailFolder: string | null;
  readonly now: () => Date;
}

export class Voice implements VoicePort {
  readonly id: string;
  readonly paced = true;
  sinks: VoicePort['sinks'] = [];
  readonly #host: VoiceHost;
  readonly #spec: VoiceSpec;
  readonly #ears: Ears;
  readonly #mouth: Mouth;
  readonly #caller: CallerSpeech;
  readonly #model: ModelSide;
  readonly #interruptions: Interruptions;
  readonly #farewell = new Farewell();
  readonly #handing: HandingOver;
  readonly #silence: Silence;
  readonly #times = new TurnTimes();
  readonly #patience = new ReplyPatience();
  #state: TurnState = 'listening';
  #nowMs = 0;
  #speechStartedMs = 0;
  #speechEndedMs = 0;
  /** The caller can hear us: before that nothing is said. */
  #begun = false;

  constructor(options: VoiceOptions) {
    const { spec, host, phrases } = options;
    const { profile } = spec;
    this.id = host.voiceId;
    this.#host = host;
    this.#spec = spec;
    this.#caller = new CallerSpeech({ endOfSpeechMs: profile.turns.end_of_speech_ms });
    this.#mouth = new Mouth({
      codec: host.codec,
      on: {
        frame: (frame) => emit(this, frame),
        begins: (itemId) => this.#replyStarts(itemId),
        saying: (words) => this.#report({ type: 'saying', ...words }),
        said: (said) => this.#said(said),
      },
    });
    this.#silence = new Silence({
      ...{ spec, codec: host.codec, phrases, mouth: this.#mouth, farewell: this.#farewell },
      model: () => this.#model,
      handing: () => this.#handing,
    });
    this.#model = this.#createModelSide(options);
    this.#interruptions = new Interruptions({
      turns: profile.turns,
      mouth: this.#mouth,
      farewell: this.#farewell,
      session: () => this.#model.session,
    });
    this.#handing = new HandingOver({
      ...{ callId: spec.callId, codec: host.codec, folder: options.voicemailFolder },
      farewell: this.#farewell,
      say: (text) => this.#silence.say(text),
      tone: () => this.#silence.say(''),
      report: (event) => this.#report(event),
      refused: (detail) => this.#model.handOverFailed(detail),
    });
    this.#ears = new Ears({
      codec: host.codec,
      on: {
        frame: (bytes, gapMs) => {
          if (this.#handing.recording) this.#handing.hear(bytes, gapMs);
          else this.#model.session?.hear(bytes, gapMs);
        },
        voiced: (voiced) => this.#voiced(voiced),
      },
    });
  }

  #createModelSide(options: VoiceOptions): ModelSide {
    return new ModelSide({
      ...{ spec: options.spec, codec: options.host.codec, models: options.models, now: options.now },
      ...{ mouth: this.#mouth, farewell: this.#farewell },
      on: {
        report: (event) => this.#report(event),
        stirred: (name) => this.#stirred(name),
        speechStarted: () => this.#speechNoticed(),
        heard: (heard) => this.#heard(heard),
        withdrawn: () => {
          if (!this.#mouth.busy && this.#state === 'speaking') this.#fallSilent();
        },
        handOver: (to) => this.#handing.begin(to),
        isIn: () => !this.#out,
        callerSpeaks: () => this.#caller.speaking,
      },
    });
  }

  #report(event: VoiceEvent): void {
    if (event.type === 'ready') this.#silence.prepare();
    this.#host.report(event);
  }

  #turn(event: TurnEvent): void {
    this.#state = next(this.#state, event);
    this.#silence.stir();
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
        this.#times.onset(this.#nowMs - ONSET_MS);
        if (interruptible) this.#mouth.duck();
        return;
      case 'likely':
        if (interruptible) this.#mouth.pause();
        return;
      case 'cleared':
        this.#times.cleared();
        this.#mouth.restore();
        return;
      case 'started':
        this.#speechStartedMs = Math.max(0, this.#nowMs - confirmMs);
        this.#callerStarted(confirmMs);
        return;
      case 'stopped':
        this.#speechEndedMs = Math.max(0, this.#nowMs - this.#caller.silentMs);
        this.#times.callerEnded(this.#speechEndedMs);
        this.#turn('caller_stopped');
        this.#model.callerStopped(this.#speechEndedMs - this.#speechStartedMs);
        return;
      case null:
        return;
    }
  }

  #callerStarted(spokenMs: number): void {
    this.#silence.callerSpoke();
    const agentSpeaks = this.#state === 'speaking';
    // What may not be interrupted goes on; the model hears what the caller says meanwhile.
    const goesOn = agentSpeaks && this.#mouth.protected;
    if (agentSpeaks) this.#interruptions.confirmed(spokenMs);
    else this.#interruptions.takeHangUpBack();
    if (!goesOn) this.#turn('caller_started');
    this.#times.forget();
    this.#tellWhoSpeaks();
    this.#model.callerStarted();
  }

  /** The agent has the word while it is heard, and while nobody knows whether it was interrupted. */
  #tellWhoSpeaks(): void {
    this.#model.agentSpeaking(this.#state === 'speaking' || this.#interruptions.undecided);
  }

  // What the model tells.

  #stirred(name: keyof SessionEvents): void {
    this.#silence.modelStirred();
    if (name === 'said' || name === 'replyStarted') this.#times.text(this.#nowMs);
    if (name === 'audio') this.#times.audio(this.#nowMs);
  }

  /** The model's own ears are sure sooner than ours. */
  #speechNoticed(): void {
    if (this.#state !== 'speaking' || this.#caller.speaking || this.#mouth.protected) return;
    this.#interruptions.cutAll();
    this.#turn('reply_finished');
  }

  /** false: it was a mere "mhm" into words that go on, and nobody has to know of it. */
  #heard(heard: SessionEvents['heard']): boolean {
    const { utteranceId, text, final } = heard;
    const startedMs = Math.round(this.#speechStartedMs);
    const endedMs = Math.round(this.#speechEndedMs > startedMs ? this.#speechEndedMs : this.#nowMs);
    this.#report({ type: 'heard', utteranceId, text, final, startedMs, endedMs });
    if (this.#out || !this.#interruptions.heard(heard)) return true;
    this.#nothingWasSaid();
    return false;
  }

  #nothingWasSaid(): void {
    if (this.#caller.speaking) {
      // The model's ears heard its end sooner than ours: whatever comes next is something else.
      this.#caller.reset();
      this.#model.callerStopped(0);
    }
    this.#times.forget();
    this.#model.nothingWasSaid();
    if (this.#state === 'thinking' || this.#state === 'interrupted')
      this.#turn(this.#mouth.busy ? 'reply_resumed' : 'reply_finished');
  }

  // Sound to the caller.

  tick(_tick: number, _lateMs: number): void {
    if (this.#state === 'closed') return;
    this.#nowMs += FRAME_MS;
    this.#model.tick();
    if (this.#state === 'holding') {
      this.#mouth.rest();
      return;
    }
    this.#ears.tick();
    this.#interruptions.tick(this.#caller);
    this.#tellWhoSpeaks();
    if (this.#handing.recording) this.#handing.tick(this.#caller.silentMs === 0);
    if (!this.#begun) {
      this.#mouth.rest();
      return;
    }
    this.#speak();
    this.#silence.fill({
      callerSpeaking: this.#caller.speaking,
      callerVoiced: this.#caller.silentMs === 0,
      starved: this.#patience.starved,
    });
    if (this.#mouth.busy) return;
    this.#handing.spoken();
    if (this.#farewell.ordered) this.#finishCall();
    else if (!this.#caller.speaking) this.#silence.wait();
  }

  #speak(): void {
    const held =
      this.#caller.speaking &&
      this.#state !== 'speaking' &&
      this.#mouth.busy &&
      !this.#interruptions.undecided;
    if (this.#patience.holds(held)) {
      this.#mouth.rest();
      return;
    }
    const spoken = this.#mouth.speak();
    if (spoken === 'frame') {
      this.#silence.sound();
      if (this.#mouth.ducked) this.#times.ducked(this.#nowMs);
    } else this.#times.silent(this.#nowMs);
    const over = this.#patience.isOver(spoken, { ownPhrase: isOwnPhrase(this.#mouth.sounding ?? '') });
    if (over) this.#mouth.giveUp();
    if ((over || spoken === 'empty') && this.#state === 'speaking') this.#fallSilent();
  }

  #replyStarts(itemId: string): ReplyTimes {
    if (this.#state !== 'speaking') this.#turn('reply_started');
    this.#farewell.begun();
    // What the voice says by itself is no answer.
    if (isOwnPhrase(itemId)) return { startedMs: this.#nowMs, responseMs: null, textMs: null, audioMs: null };
    return this.#times.begins(this.#nowMs);
  }

  #said(said: Said): void {
    const own = isOwnPhrase(said.itemId);
    if (own && said.text === '') return;
    if (!own) this.#model.said(said);
    const { duckMs, silenceMs } = this.#times.bargeIn;
    this.#report({ type: 'said', ...said, ...(said.interrupted ? { duckMs, silenceMs } : {}) });
  }

  #fallSilent(): void {
    this.#mouth.restore();
    this.#turn('reply_finished');
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
    const parsed = parseVoiceCommand(command);
    if (this.#state !== 'closed') this.#obey(parsed);
  }

  #obey(command: ParsedCommand): void {
    const { session } = this.#model;
    switch (command.type) {
      case 'greet':
        this.#begun = true;
        if (this.#state !== 'holding') this.#model.greet();
        return;
      case 'say':
        if (this.#state === 'holding') return;
        if (session) session.say(command.text, { uninterruptible: command.uninterruptible ?? false });
        else this.#silence.say(command.text);
        return;
      case 'digit':
        this.#silence.stir();
        if (this.#state !== 'holding') session?.digit(command.digit);
        return;
      case 'hold':
        if (this.#state !== 'holding') this.#goOut();
        return;
      case 'resume':
        if (this.#state === 'holding') this.#comeBack(command.notice);
        return;
      case 'handed_over':
        this.#handedOver(command);
        return;
      case 'tool.result':
        this.#model.toolResult(command.callId, command.result);
        return;
    }
  }

  #goOut(): void {
    this.#interruptions.cutAll();
    if (this.#caller.speaking) this.#model.callerStopped(0);
    this.#caller.reset();
    this.#times.forget();
    this.#model.release();
    this.#turn('hold');
    this.#tellWhoSpeaks();
  }

  #comeBack(notice: string): void {
    this.#begun = true;
    this.#silence.callerSpoke();
    this.#turn('resume');
    if (notice !== '') this.#model.session?.notice(notice);
  }

  /** Whoever was asked to take the call has taken it and is done, or did not take it. */
  #handedOver({ taken, detail }: { taken: boolean; detail: string }): void {
    if (!this.#handing.failed()) return;
    if (this.#state === 'holding') this.#comeBack('');
    if (!taken) {
      this.#model.handOverFailed(detail);
      return;
    }
    this.#silence.say(this.#spec.profile.goodbye);
    this.#farewell.afterGoodbye('handed-over');
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#handing.close();
    this.#turn('close');
    this.#model.close();
    // What the caller still heard belongs into the call's record.
    this.#mouth.cut(this.#mouth.waiting);
    this.#ears.close();
  }
}
