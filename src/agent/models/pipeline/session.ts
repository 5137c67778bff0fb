/** One call of the pipeline: what the caller says is written down, answered, and the answer spoken. */
import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import type { Clock } from '../../../base/clock.ts';
import { newId } from '../../../base/ids.ts';
import { SAMPLE_RATE_HZ } from '../../../media/frame.ts';
import { HANG_UP, type ConnectOptions, type SessionEvents, type VoiceSession } from '../../voice-model.ts';
import { Digits } from '../digits.ts';
import { Answering } from './answering.ts';
import type { Chat } from './chat.ts';
import { Cancelled, stageError, type Stage, type StageError } from './failure.ts';
import type { History } from './history.ts';
import { cough_ms_max, failures_in_a_row_max, replies_max, utterances_max } from './limits.ts';
import { Mouth } from './mouth.ts';
import { piecesOf, type Phrases } from './phrases.ts';
import type { Speech, Spoken } from './speech.ts';
import type { SpokenReply } from './spoken-reply.ts';
import type { Transcriber, Transcript } from './transcriber.ts';
import { chatUsage, heardUsage, spokenUsage } from './usage.ts';
import { UtteranceRecorder, wavOf, type Utterance } from './utterance.ts';

export interface PipelineSessionOptions {
  readonly call: ConnectOptions;
  readonly transcriber: Transcriber;
  readonly chat: Chat;
  readonly speech: Speech;
  readonly phrases: Phrases;
  readonly history: History;
  readonly tools: readonly ChatCompletionFunctionTool[];
  /** Overrides of the profile; empty: the servers' own. */
  readonly model: string;
  readonly voice: string;
  readonly toolRoundsMax: number;
  readonly clock: Clock;
  readonly onClosed: () => void;
}

/** What the agent was saying is in the conversation as far as it was heard. */
const BROKE_OFF = 'The line broke off while you spoke. Go on from where you stopped.';

interface Overheard extends Utterance {
  /** It was begun into the agent's words. */
  readonly overAgent: boolean;
}

interface ToolCall {
  readonly callId: string;
  readonly name: string;
  readonly arguments: unknown;
}

export class PipelineSession implements VoiceSession {
  readonly #call: ConnectOptions;
  readonly #options: PipelineSessionOptions;
  readonly #history: History;
  readonly #recorder: UtteranceRecorder;
  readonly #mouth: Mouth;
  readonly #answering: Answering;
  readonly #digits: Digits;
  readonly #abort = new AbortController();
  readonly #replies = new Map<string, SpokenReply>();
  readonly #waiting = new Set<() => void>();
  /** Utterances are written down side by side, and dealt with in the order in which they were said. */
  #hearing: Promise<void> = Promise.resolve();
  #recording = false;
  #transcribing = 0;
  #agentSpeaks = false;
  /** What the caller says now was begun into the agent's words, and may be a mere "mhm". */
  #undecided = false;
  #ignored = '';
  /** The caller has said something that no round with the model has read. */
  #unanswered = false;
  #misses = 0;
  /** In a row, stage by stage. */
  readonly #failures: Record<Stage, number> = { transcription: 0, chat: 0, speech: 0 };
  #apology: SpokenReply | null = null;
  /** A hang-up that waits for the goodbye to be on its way. */
  #goodbye: ToolCall | null = null;
  #closed = false;

  constructor(options: PipelineSessionOptions) {
    const { call, speech, phrases, history } = options;
    const { profile, codec } = call;
    this.#call = call;
    this.#options = options;
    this.#history = history;
    const { end_of_speech_ms: endOfSpeechMs, barge_in_ms: noticeMs } = profile.turns;
    this.#recorder = new UtteranceRecorder({ codec, endOfSpeechMs, noticeMs });
    this.#mouth = new Mouth({
      ...{ speech, phrases, codec, voice: options.voice },
      fixed: new Set(this.#fixedTexts().flatMap(piecesOf)),
      on: (name, payload) => this.#tell(name, payload),
      onSpoken: (spoken) => this.#spoken(spoken),
      onFailure: (reply, failure) => this.#unspoken(reply, failure),
    });
    this.#answering = this.#createAnswering(options);
    this.#digits = new Digits(options.clock, (digits) => {
      this.#history.heard(`[The caller pressed the keys ${digits}]`);
      this.#owe();
    });
  }

  #createAnswering({ chat, history, tools, model, toolRoundsMax }: PipelineSessionOptions): Answering {
    return new Answering({
      ...{ chat, history, tools, model, mouth: this.#mouth, roundsMax: toolRoundsMax },
      ourTurn: (signal) => this.#ourTurn(signal),
      onRound: () => (this.#unanswered = false),
      onReply: (reply) => this.#remember(reply),
      onCall: (call) => (call.name === HANG_UP ? this.#hangUp(call) : this.#tell('toolCall', call)),
      onAnswer: (answer) => this.#tell('usage', { usage: chatUsage(answer) }),
      onDone: (failure) => this.#answered(failure),
    });
  }

  #fixedTexts(): string[] {
    const {
      greeting,
      trouble,
      not_understood: again,
      still_there: there,
      give_up: up,
      goodbye,
    } = this.#call.profile;
    return [greeting, trouble, ...again, ...there, up, goodbye];
  }

  /** The first sentence of the greeting is in hand when it resolves; the rest follows. @throws StageError */
  async prepare(): Promise<void> {
    const { phrases, voice } = this.#options;
    const [first, ...others] = this.#fixedTexts().flatMap(piecesOf);
    const prepare = async (text: string): Promise<void> => {
      const spoken = await phrases.prepare({ text, voice, codec: this.#call.codec });
      if (spoken !== null) this.#spoken(spoken);
    };
    if (first !== undefined) await prepare(first);
    this.#tell('ready', {});
    void (async () => {
      for (const text of others) if (!this.#closed) await prepare(text);
    })().catch(() => {
      // Each is tried once more when it is to be said, and a failure is told then.
    });
  }

  // The caller's sound.

  hear(bytes: Uint8Array, gapMs: number): void {
    if (!this.#closed) this.#recorder.hear(bytes, gapMs);
  }

  callerSpeaking(speaking: boolean): void {
    if (this.#closed || speaking === this.#recording) return;
    this.#recording = speaking;
    if (!speaking) {
      this.#transcribe({ ...this.#recorder.end(), overAgent: this.#undecided });
      return;
    }
    this.#recorder.start();
    this.#undecided = this.#agentSpeaks;
    if (!this.#undecided) this.#callerTakesTheWord();
  }

  agentSpeaking(speaking: boolean): void {
    this.#agentSpeaks = speaking;
    if (!speaking && this.#undecided) this.#callerTakesTheWord();
  }

  ignore(utteranceId: string): void {
    this.#ignored = utteranceId;
    this.#undecided = false;
  }

  /**
   * The caller goes on while we think: the answer would miss what they say now. Nothing of it was heard: the
   * voice would have told of an interruption first.
   */
  #callerTakesTheWord(): void {
    this.#undecided = false;
    this.#takeHangUpBack();
    const cancelled = this.#answering.cancel();
    if (cancelled === null) return;
    this.#unanswered = true;
    if (cancelled.reply === null) return;
    this.#mouth.cancel(cancelled.reply);
    this.#history.said(cancelled.reply.itemId, '');
  }

  #transcribe(utterance: Overheard): void {
    if (this.#transcribing >= utterances_max) return;
    const utteranceId = newId('utterance');
    this.#transcribing += 1;
    const writing = this.#options.transcriber.transcribe({
      wav: wavOf(utterance.samples),
      language: this.#call.profile.language,
      signal: this.#abort.signal,
      onText: (text) => this.#tell('heard', { utteranceId, text, final: false }),
    });
    // Dealt with in its turn; until then a failure is not one that nobody handles.
    writing.catch(() => undefined);
    this.#hearing = this.#hearing.then(async () => {
      try {
        this.#heard(utteranceId, utterance, await writing);
      } catch (thrown) {
        if (!(thrown instanceof Cancelled))
          this.#failed(stageError('transcription', 'the server', thrown), true);
      } finally {
        this.#transcribing -= 1;
        this.#answer();
        this.#wake();
      }
    });
  }

  #heard(utteranceId: string, utterance: Overheard, transcript: Transcript): void {
    const { samples, spokenMs, overAgent } = utterance;
    const { text } = transcript;
    this.#failures.transcription = 0;
    this.#tell('heard', { utteranceId, text, final: true, earlier: this.#agentSpeaks && !overAgent });
    this.#tell('usage', { usage: heardUsage(transcript, samples.length / SAMPLE_RATE_HZ) });
    if (this.#ignored === utteranceId) return;
    if (this.#undecided && overAgent) this.#callerTakesTheWord();
    if (/[\p{L}\p{N}]/u.test(text)) {
      this.#misses = 0;
      this.#history.heard(text);
      this.#unanswered = true;
    } else if (!this.#unanswered && spokenMs > cough_ms_max) {
      this.#misunderstood();
    }
  }

  #misunderstood(): void {
    const { not_understood: phrases, give_up: giveUp, turns } = this.#call.profile;
    this.#misses += 1;
    if (this.#misses <= turns.misunderstood_max) {
      this.say(phrases[(this.#misses - 1) % phrases.length] ?? '');
      return;
    }
    this.say(giveUp);
    this.#hangUp({ callId: newId('call'), name: HANG_UP, arguments: { reason: 'not-understood' } });
  }

  /** The voice cuts the line when it has nothing left to say: it must have the goodbye first. */
  #hangUp(call: ToolCall): void {
    this.#goodbye = call;
    this.#mouth.whenQuiet(() => {
      if (this.#goodbye !== call) return;
      this.#goodbye = null;
      this.#tell('toolCall', call);
    });
  }

  /** The caller spoke before the voice was told. */
  #takeHangUpBack(): void {
    if (this.#goodbye === null) return;
    this.#history.answered(this.#goodbye.callId, { ok: false, reason: 'the caller spoke' });
    this.#goodbye = null;
  }

  // Answers.

  /** Answers what is unanswered, unless the caller has the word, or an answer is under way. */
  #answer(): void {
    if (this.#closed || !this.#unanswered || this.#callerHasTheWord || this.#answering.busy) return;
    this.#answering.answer();
  }

  get #callerHasTheWord(): boolean {
    return this.#recording || this.#transcribing > 0;
  }

  #ourTurn(signal: AbortSignal): Promise<void> {
    if (!this.#callerHasTheWord || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#callerHasTheWord && !signal.aborted && !this.#closed) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look, { once: true });
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  #answered(failure: StageError | null): void {
    if (failure === null) this.#failures.chat = 0;
    else this.#failed(failure, true);
    this.#answer();
  }

  toolResult(callId: string, result: unknown): void {
    if (this.#closed) return;
    this.#history.answered(callId, result);
    this.#answering.toolResult(callId);
  }

  digit(digit: string): void {
    if (!this.#closed) this.#digits.press(digit);
  }

  // The agent's sound.

  greet(): void {
    const { greeting, turns } = this.#call.profile;
    this.say(greeting, { uninterruptible: turns.greeting_uninterruptible });
  }

  say(text: string, options: { uninterruptible?: boolean } = {}): void {
    this.#say(text, options);
  }

  resume(): void {
    if (this.#history.owesAnswer) this.#owe();
    else this.notice(BROKE_OFF);
  }

  notice(text: string): void {
    if (this.#closed) return;
    this.#history.heard(`[${text}]`);
    this.#owe();
  }

  #owe(): void {
    this.#unanswered = true;
    this.#answer();
  }

  #say(text: string, options: { uninterruptible?: boolean } = {}): SpokenReply | null {
    const pieces = piecesOf(text);
    if (this.#closed || pieces.length === 0) return null;
    const reply = this.#mouth.begin(options);
    this.#remember(reply);
    for (const piece of pieces) this.#mouth.add(reply, piece);
    this.#mouth.end(reply);
    this.#history.said(reply.itemId, reply.text);
    return reply;
  }

  #remember(reply: SpokenReply): void {
    this.#replies.set(reply.itemId, reply);
    for (const oldest of this.#replies.keys()) {
      if (this.#replies.size <= replies_max) return;
      this.#replies.delete(oldest);
    }
  }

  /** What waits behind the reply is not said either: the caller has taken the word. */
  interrupt(itemId: string, heardMs: number): void {
    const reply = this.#replies.get(itemId);
    if (this.#closed || reply === undefined) return;
    this.#takeHangUpBack();
    const cancelled = this.#answering.cancel();
    if (cancelled !== null && (cancelled.reply !== reply || heardMs <= 0)) this.#unanswered = true;
    const heard = reply.heardText(heardMs);
    for (const [otherId, other] of this.#replies)
      if (!other.over && !other.begun) this.#history.said(otherId, '');
    this.#mouth.cancelAll();
    this.#history.said(itemId, heard);
  }

  #spoken(spoken: Spoken): void {
    this.#failures.speech = 0;
    this.#tell('usage', { usage: spokenUsage(spoken) });
  }

  #unspoken(reply: SpokenReply, failure: StageError): void {
    if (this.#answering.isWriting(reply)) this.#answering.cancel();
    this.#history.said(reply.itemId, reply.text);
    this.#failed(failure, reply !== this.#apology);
  }

  // Trouble, and the end.

  /** Tells of it, and goes on with an apology, unless there is no hope left. */
  #failed(failure: StageError, apologise: boolean): void {
    if (this.#closed) return;
    this.#failures[failure.stage] += 1;
    const { code, detail, retryable } = failure;
    this.#tell('failed', { code, detail, retryable });
    if (!retryable || this.#failures[failure.stage] >= failures_in_a_row_max) this.close();
    else if (apologise) this.#apology = this.#say(this.#call.profile.trouble);
  }

  #tell<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    if (!this.#closed) this.#call.on(name, payload);
  }

  close(): void {
    if (this.#closed) return;
    this.#tell('closed', {});
    this.#closed = true;
    this.#abort.abort();
    this.#answering.close();
    this.#mouth.cancelAll();
    this.#digits.close();
    this.#wake();
    this.#options.onClosed();
  }
}
