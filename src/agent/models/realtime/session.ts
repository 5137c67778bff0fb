/** One call's conversation with a Realtime server. */
import { isDeepStrictEqual } from 'node:util';
import type { SessionUpdateEvent } from 'openai/resources/realtime/realtime';
import type { WebSocket } from 'ws';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { ModelUsage } from '../../usage.ts';
import type { ConnectOptions, SessionEvents, VoiceSession } from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';
import { Digits } from '../digits.ts';
import { CallerLine } from '../voice-socket/caller-line.ts';
import { Expiry } from '../voice-socket/expiry.ts';
import { errors_max } from '../voice-socket/limits.ts';
import { ToolCalls } from '../voice-socket/tool-calls.ts';
import { Wire, type WireCounts } from '../voice-socket/wire.ts';
import { CallerTurns } from './caller-turns.ts';
import { CallerWords } from './caller-words.ts';
import { itemTruncate, note, replayOf, responseCancel, toolOutput } from './client-events.ts';
import { speakExactly } from './instructions.ts';
import { reply_ms_max, response_retries_max } from './limits.ts';
import { receivedMs } from './replies.ts';
import { ResponseQueue } from './response-queue.ts';
import {
  causeOf,
  FATAL_ERRORS,
  parseServerEvent,
  refusalOf,
  type ServerEvent,
  type ServerEventOf,
} from './server-events.ts';
import { ToldReplies } from './told-replies.ts';
import { rateLimitsOf, responseUsage } from './usage.ts';

export interface SessionCounts extends WireCounts {
  /** `error` events: most leave the session open. */
  errors: number;
  /** Deltas that came for a reply already cut. */
  lateDeltas: number;
}

export interface RealtimeSessionOptions {
  readonly socket: WebSocket;
  readonly clock: Clock;
  readonly counts: SessionCounts;
  readonly appendMs: number;
  /** Whose it is, until `attach` gives it to another. */
  readonly call: ConnectOptions;
  /** Who is paid for what. */
  readonly models: { readonly response: string; readonly transcription: string };
  /** Host and port of the server. */
  readonly provider: string;
  readonly log?: Log;
  readonly onClosed: () => void;
}

/** Marks the settings that `attach` tells: refused, they leave a session that nobody can use. */
const SETTLE = 'settle';

export class RealtimeSession implements VoiceSession {
  #call: ConnectOptions;
  readonly #counts: SessionCounts;
  readonly #log: Log | undefined;
  readonly #wire: Wire<ServerEvent>;
  #line: CallerLine;
  readonly #responses: ResponseQueue;
  readonly #replies: ToldReplies;
  readonly #turns: CallerTurns;
  readonly #words: CallerWords;
  readonly #tools: ToolCalls;
  readonly #digits: Digits;
  readonly #clock: Clock;
  readonly #options: Pick<RealtimeSessionOptions, 'models' | 'provider' | 'appendMs'>;
  readonly #expiry: Expiry;
  readonly #gone = Promise.withResolvers<undefined>();
  #settings: SessionUpdateEvent | null = null;
  #starting: { resolve: () => void; reject: (error: ConnectError) => void } | null = null;
  #errors = 0;
  #retries = 0;
  #closed = false;

  constructor(options: RealtimeSessionOptions) {
    this.#call = options.call;
    this.#counts = options.counts;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#options = options;
    this.#expiry = new Expiry({
      ...{ clock: options.clock, now: options.call.now },
      soon: (leftMs) => this.#tell('expiring', { leftMs }),
    });
    this.#responses = new ResponseQueue((event) => this.#wire.send(event));
    this.#replies = new ToldReplies({
      tell: (name, payload) => this.#tell(name, payload),
      late: () => (options.counts.lateDeltas += 1),
      tooLong: ({ itemId }) => this.interrupt(itemId, reply_ms_max),
    });
    this.#turns = new CallerTurns({
      send: (event) => this.#wire.send(event),
      answer: () => this.#responses.ask({ purpose: 'turn', tools: true }),
      busy: () => this.#responses.busy,
    });
    this.#words = new CallerWords({
      ...{ turns: this.#turns, model: options.models.transcription, log: options.log },
      heard: (heard) => this.#tell('heard', heard),
      used: (usage) => this.#used(usage),
    });
    this.#tools = new ToolCalls({
      answer: (callId, result) => this.#wire.send(toolOutput(callId, result)),
      call: (call) => this.#tell('toolCall', call),
      reply: () => this.#responses.ask({ purpose: 'tool', tools: true }),
    });
    this.#digits = new Digits(options.clock, (digits) => {
      this.#wire.send(note(`[The caller pressed the keys ${digits}]`));
      this.#responses.ask({ purpose: 'digits', tools: true });
    });
    this.#wire = new Wire({
      socket: options.socket,
      clock: options.clock,
      counts: options.counts,
      appendMs: options.appendMs,
      parse: parseServerEvent,
      onEvent: (event) => this.#take(event),
      onDead: (detail) => this.#fail(detail, true),
      onGone: () => {
        options.onClosed();
        this.#gone.resolve(undefined);
      },
      expecting: () => this.#responses.busy,
    });
    this.#line = this.#lineFor(options.call);
  }

  /** Resolves when the server has taken the settings. @throws ConnectError */
  async start(settings: SessionUpdateEvent, timeoutMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const cancelTimer = this.#clock.after(timeoutMs, () =>
      this.#fail(`the session was not ready within ${Math.round(timeoutMs)} ms`, true),
    );
    this.#settings = settings;
    this.#turns.settled(settings);
    this.#starting = { resolve: () => resolve(undefined), reject };
    try {
      await promise;
    } finally {
      cancelTimer();
    }
  }

  /**
   * It is this call's from now on, with these settings; they are told when it was started with others.
   * @throws ConnectError when it is closed
   */
  attach(call: ConnectOptions, settings: SessionUpdateEvent): void {
    if (this.#closed) throw new ConnectError('the session ended before the call had it', true);
    this.#call = call;
    this.#line.close();
    this.#line = this.#lineFor(call);
    if (!isDeepStrictEqual(settings, this.#settings)) {
      this.#wire.send({ ...settings, event_id: SETTLE });
      this.#turns.settled(settings, SETTLE);
    }
    this.#begin();
  }

  #lineFor({ codec }: ConnectOptions): CallerLine {
    return new CallerLine({
      type: 'input_audio_buffer.append',
      ...{ clock: this.#clock, codec, appendMs: this.#options.appendMs },
      send: (message) => this.#wire.append(message),
    });
  }

  hear(bytes: Uint8Array, gapMs: number): void {
    if (!this.#closed) this.#line.hear(bytes, gapMs);
  }

  /** The server hears for itself, coughs too: what counts is the voice's VAD, which calls `interrupt`. */
  callerSpeaking(speaking: boolean): void {
    if (!this.#closed) this.#turns.callerSpeaking(speaking);
  }

  agentSpeaking(speaking: boolean): void {
    if (!this.#closed) this.#turns.agentSpeaking(speaking);
  }

  /** Absent where nothing is written down. */
  get ignore(): ((utteranceId: string) => void) | undefined {
    return this.#turns.haveWords ? (utteranceId) => this.#turns.ignore(utteranceId) : undefined;
  }

  greet(): void {
    const instructions = speakExactly(this.#call.profile.greeting);
    this.#responses.ask({ purpose: 'greeting', instructions, tools: false });
  }

  say(text: string): void {
    this.#responses.ask({ purpose: 'say', instructions: speakExactly(text), tools: false });
  }

  resume(): void {
    this.#responses.ask({ purpose: 'turn', tools: true });
  }

  notice(text: string): void {
    if (this.#closed) return;
    this.#wire.send(note(text));
    this.#responses.ask({ purpose: 'turn', tools: true });
  }

  digit(digit: string): void {
    if (!this.#closed) this.#digits.press(digit);
  }

  /**
   * Cuts the reply and truncates its item. A response that still runs is cancelled when it is the
   * reply's own, or one that we asked for; the answer to a newer turn is left alone. Tells `replyDone`
   * before it returns.
   */
  interrupt(itemId: string, heardMs: number): void {
    const reply = this.#replies.get(itemId);
    if (this.#closed || reply === undefined) return;
    const running = this.#responses.running;
    const newer = (running?.request?.purpose ?? 'turn') === 'turn';
    if (running !== null && (running.id === reply.responseId || !newer)) {
      this.#wire.send(responseCancel(running.id));
      this.#replies.endAllOf(running.id, true);
    }
    this.#replies.end(reply, true);
    this.#responses.forget('greeting', 'say', 'tool');
    if (reply.bytes === 0) return;
    // The server refuses to truncate beyond the sound that it sent.
    this.#wire.send(itemTruncate(itemId, reply.contentIndex, Math.min(heardMs, receivedMs(reply))));
  }

  toolResult(callId: string, result: unknown): void {
    if (!this.#closed) this.#tools.answer(callId, result);
  }

  close(): void {
    if (this.#closed) return;
    this.#tell('closed', {});
    this.#closed = true;
    this.#expiry.cancel();
    this.#line.close();
    this.#digits.close();
    this.#wire.close();
    this.#starting?.reject(new ConnectError('closed while connecting', true));
    this.#starting = null;
  }

  /** Resolves when the socket is gone. */
  async closeAndWait(): Promise<void> {
    this.close();
    await this.#gone.promise;
  }

  #tell<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    if (!this.#closed) this.#call.on(name, payload);
  }

  #used(usage: ModelUsage): void {
    this.#tell('usage', { usage: { ...usage, provider: this.#options.provider } });
  }

  #fail(detail: string, retryable: boolean): void {
    if (this.#closed) return;
    this.#log?.warn({ callId: this.#call.callId, detail, retryable }, 'the realtime session failed');
    const starting = this.#starting;
    this.#starting = null;
    if (starting !== null) starting.reject(new ConnectError(detail, retryable));
    else this.#tell('failed', { code: 'MODEL_UNAVAILABLE', detail, retryable });
    this.close();
  }

  #take(event: ServerEvent): void {
    switch (event.type) {
      case 'response.output_audio.delta':
        this.#replies.audio(event);
        break;
      case 'session.created':
        if (this.#starting !== null && this.#settings !== null) this.#wire.send(this.#settings);
        this.#expiry.set(event.session.expires_at);
        break;
      case 'session.updated':
        this.#updated();
        break;
      case 'error':
        this.#error(event.error);
        break;
      case 'input_audio_buffer.speech_started':
        this.#turns.started(event.item_id);
        break;
      case 'input_audio_buffer.committed':
        this.#turns.committed(event.item_id);
        break;
      case 'conversation.item.input_audio_transcription.delta':
      case 'conversation.item.input_audio_transcription.completed':
      case 'conversation.item.input_audio_transcription.failed':
        this.#words.take(event);
        break;
      case 'response.created':
        if (this.#responses.created(event.response.id, event.response.metadata?.['purpose']))
          this.#turns.serverAnswered();
        break;
      case 'response.output_item.added':
        if (event.item.type === 'message' && event.item.id !== undefined)
          this.#replies.begin(event.item.id, event.response_id);
        break;
      case 'response.output_item.done':
        this.#itemDone(event.item);
        break;
      case 'response.output_audio_transcript.delta':
      case 'response.output_audio_transcript.done':
        this.#replies.said(event);
        break;
      case 'response.done':
        this.#done(event.response);
        break;
      case 'rate_limits.updated':
        this.#tell('rateLimits', { limits: rateLimitsOf(event) });
        break;
    }
  }

  #updated(): void {
    if (this.#starting === null) {
      this.#turns.updated();
      return;
    }
    this.#begin();
    this.#starting.resolve();
    this.#starting = null;
  }

  /** The settings are told: the conversation so far is next, then whatever is asked for. */
  #begin(): void {
    for (const event of replayOf(this.#call.history ?? [])) this.#wire.send(event);
    this.#tell('ready', {});
  }

  #itemDone(item: ServerEventOf<'response.output_item.done'>['item']): void {
    if (item.type === 'function_call') this.#tools.called(item);
    const reply = item.id === undefined ? undefined : this.#replies.get(item.id);
    if (reply !== undefined) this.#replies.end(reply, false);
  }

  #done(response: ServerEventOf<'response.done'>['response']): void {
    const interrupted = response.status !== 'completed';
    this.#replies.endAllOf(response.id, interrupted);
    if (response.usage) this.#used(responseUsage(this.#options.models.response, response.usage));
    const running = this.#responses.running;
    if (!this.#responses.done(response.id)) return;
    if (response.status === 'failed') {
      const code = causeOf(response);
      if (FATAL_ERRORS[code] === false || this.#retries >= response_retries_max) {
        this.#fail(`a response failed: ${code}`, FATAL_ERRORS[code] ?? true);
        return;
      }
      this.#retries += 1;
      this.#responses.ask(running?.request ?? { purpose: 'turn', tools: true });
    } else {
      this.#retries = 0;
    }
    this.#tools.responseDone();
  }

  #error(error: ServerEventOf<'error'>['error']): void {
    this.#counts.errors += 1;
    if (this.#turns.refusedEvent(error.event_id ?? '')) return;
    this.#errors += 1;
    const { code, detail, fatal } = refusalOf(error);
    const unsettled = this.#starting !== null || error.event_id === SETTLE;
    if (unsettled || fatal !== undefined || this.#errors > errors_max) {
      this.#fail(detail, fatal ?? this.#starting === null);
      return;
    }
    if (code === 'conversation_already_has_active_response') {
      this.#responses.refusedAsBusy();
      return;
    }
    // It was done before our cancel arrived.
    if (code === 'response_cancel_not_active') return;
    this.#log?.warn({ callId: this.#call.callId, detail }, 'the realtime server refused an event');
    if (error.event_id) this.#responses.refused(error.event_id);
  }
}
