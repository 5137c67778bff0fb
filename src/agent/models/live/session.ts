/**
 * One call's conversation with a Live server. It is full duplex: no turns, no responses, nothing to cancel.
 * What the voice needs of these (replies, utterances, interruptions) is made here, out of sound and time.
 */
import type { SessionStartEvent } from 'openai/resources/live/live';
import type { WebSocket } from 'ws';
import type { Clock } from '../../../base/clock.ts';
import { newId } from '../../../base/ids.ts';
import type { Log } from '../../../base/log.ts';
import type { ModelUsage } from '../../usage.ts';
import { HANG_UP, type ConnectOptions, type SessionEvents, type VoiceSession } from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';
import { text_chars_max } from '../limits.ts';
import { CallerLine } from '../voice-socket/caller-line.ts';
import { decodedSound } from '../voice-socket/decoded-sound.ts';
import { Expiry } from '../voice-socket/expiry.ts';
import { errors_max } from '../voice-socket/limits.ts';
import { Wire, type WireCounts } from '../voice-socket/wire.ts';
import type { BackendHands, LiveBackend } from './backend.ts';
import { commentary, sessionClose, thinking, type ClientEvent } from './client-events.ts';
import { Farewell } from './farewell.ts';
import { HeardWords, type Utterance } from './heard-words.ts';
import { farewell_ms_max } from './limits.ts';
import { parseServerEvent, type ServerEvent, type ServerEventOf } from './server-events.ts';
import { SpeechGate } from './speech-gate.ts';
import { backendUsage, SessionSeconds } from './usage.ts';

export interface LiveCounts extends WireCounts {
  /** `error` events: most leave the session open. */
  errors: number;
  /** Replies that the caller interrupted: the rest of them was not told. */
  mutedReplies: number;
}

export interface LiveSessionOptions {
  readonly socket: WebSocket;
  readonly clock: Clock;
  readonly counts: LiveCounts;
  readonly appendMs: number;
  readonly call: ConnectOptions;
  /** Who is paid for what. */
  readonly models: { readonly voice: string; readonly backend: string };
  /** Host and port of the server. */
  readonly provider: string;
  readonly backend: (hands: BackendHands, send: (event: ClientEvent) => void) => LiveBackend;
  readonly log?: Log;
  readonly onClosed: () => void;
}

/** Endings and errors after which the session is of no use; the value says whether a new one may be. */
const FATAL: Readonly<Record<string, boolean>> = {
  expired: true,
  remote_hangup: true,
  connection_lost: true,
  content: false,
  session_expired: true,
  rate_limit_exceeded: true,
  insufficient_quota: false,
  credit_balance_exhausted: false,
  invalid_api_key: false,
  model_not_found: false,
};

export class LiveSession implements VoiceSession {
  readonly #options: LiveSessionOptions;
  readonly #call: ConnectOptions;
  readonly #clock: Clock;
  readonly #wire: Wire<ServerEvent>;
  readonly #line: CallerLine;
  readonly #gate: SpeechGate;
  readonly #heard: HeardWords;
  readonly #farewell: Farewell;
  readonly #backend: LiveBackend;
  readonly #seconds = new SessionSeconds();
  readonly #expiry: Expiry;
  readonly #gone = Promise.withResolvers<undefined>();
  #starting: { resolve: () => void; reject: (error: ConnectError) => void } | null = null;
  /** The reply that sounds, or sounded last. */
  #itemId = '';
  /** Its words; and words that came ahead of their sound. */
  #said = '';
  #cancelFarewell: () => void = () => undefined;
  #agentSpeaks = false;
  /** The caller has spoken into the agent's words, and nobody knows yet what it was. */
  #undecided = false;
  #heardLast = '';
  /** Delegations that may be about that. */
  #delegations: string[] = [];
  #errors = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(options: LiveSessionOptions) {
    const { clock, call } = options;
    this.#options = options;
    this.#call = call;
    this.#clock = clock;
    this.#expiry = new Expiry({ clock, now: call.now, soon: (leftMs) => this.#tell('expiring', { leftMs }) });
    this.#gate = new SpeechGate({
      codec: call.codec,
      began: () => this.#replyBegan(),
      sound: (bytes) => this.#tell('audio', { itemId: this.#itemId, bytes }),
      ended: () => this.#replyEnded(),
    });
    this.#heard = new HeardWords(clock, (utterance) => this.#callerSaid(utterance));
    this.#farewell = new Farewell(clock, (callId, reason) =>
      this.#tell('toolCall', { callId, name: HANG_UP, arguments: { reason } }),
    );
    this.#backend = options.backend(this.#hands, (event) => this.#wire.send(event));
    this.#wire = new Wire({
      socket: options.socket,
      clock,
      counts: options.counts,
      appendMs: options.appendMs,
      parse: parseServerEvent,
      onEvent: (event) => this.#take(event),
      onDead: (detail) => this.#fail(detail, true),
      onGone: () => {
        options.onClosed();
        this.#gone.resolve(undefined);
      },
      // The line is never quiet for long, but nothing promises that: pings alone tell whether it lives.
      expecting: () => false,
    });
    this.#line = new CallerLine({
      type: 'session.input_audio.append',
      ...{ clock, codec: call.codec, appendMs: options.appendMs },
      send: (message) => this.#wire.append(message),
    });
    this.#line.begin();
  }

  readonly #hands: BackendHands = {
    say: (text, delegationId) => this.#speak(text, delegationId),
    think: (text, delegationId) => this.#append(thinking(text, delegationId)),
    call: (call) => {
      if (call.name === HANG_UP) this.#farewell.ask(call.callId, reasonOf(call.arguments));
      else this.#tell('toolCall', call);
    },
    used: (usage) => this.#billed(backendUsage(this.#options.models.backend, usage)),
    failed: (detail) => this.#warn(detail, 'the backend of a live session failed'),
  };

  /** Resolves when the server has taken the settings. @throws ConnectError */
  async start(event: SessionStartEvent, timeoutMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const cancelTimer = this.#clock.after(timeoutMs, () =>
      this.#fail(`the session was not started within ${Math.round(timeoutMs)} ms`, true),
    );
    this.#starting = { resolve: () => resolve(undefined), reject };
    this.#wire.send(event);
    try {
      await promise;
    } finally {
      cancelTimer();
    }
  }

  hear(bytes: Uint8Array, gapMs: number): void {
    if (this.#state === 'open') this.#line.hear(bytes, gapMs);
  }

  /** The model hears for itself, and answers; what is decided here is whether the backend does. */
  callerSpeaking(speaking: boolean): void {
    if (this.#state !== 'open') return;
    if (speaking) this.#undecided = this.#agentSpeaks;
    if (this.#undecided && !speaking) this.#heard.callerStopped();
    if (speaking && !this.#undecided) this.#callerTakesTheWord();
  }

  agentSpeaking(speaking: boolean): void {
    this.#agentSpeaks = speaking;
    if (!speaking && this.#undecided) this.#callerTakesTheWord();
  }

  ignore(_utteranceId: string): void {
    this.#backend.forget(this.#heardLast);
    this.#decided();
  }

  #callerSaid(utterance: Utterance): void {
    if (utterance.final) this.#heardLast = utterance.text;
    this.#tell('heard', utterance);
    if (utterance.final && this.#undecided) this.#callerTakesTheWord();
  }

  /** A caller who speaks does not want to be hung up on. */
  #callerTakesTheWord(): void {
    this.#decided();
    const callId = this.#farewell.takeBack();
    if (callId !== null) this.#backend.toolResult(callId, { ok: false, reason: 'the caller spoke' });
  }

  #decided(): void {
    this.#undecided = false;
    for (const id of this.#delegations.splice(0)) this.#backend.delegated(id);
  }

  greet(): void {
    this.#speak(this.#call.profile.greeting, null);
  }

  say(text: string): void {
    this.#speak(text, null);
  }

  resume(): void {
    if (this.#state === 'open') this.#backend.resume(this.#call.history ?? []);
  }

  notice(text: string): void {
    if (this.#state === 'open') this.#backend.notice(text);
  }

  digit(digit: string): void {
    if (this.#state === 'open') this.#backend.digit(digit);
  }

  /**
   * There is nothing to cancel or to truncate: the model has heard the caller too, and stops by itself. Until
   * it does, what it still says of this reply is kept from the caller.
   */
  interrupt(itemId: string, _heardMs: number): void {
    if (itemId !== this.#itemId || this.#gate.state !== 'speaking') return;
    this.#options.counts.mutedReplies += 1;
    this.#gate.mute();
    this.#said = '';
    this.#tell('replyDone', { itemId, interrupted: true });
  }

  toolResult(callId: string, result: unknown): void {
    if (this.#state === 'open') this.#backend.toolResult(callId, result);
  }

  /** Asks for the last usage, tells it and `closed`; at the latest after `farewell_ms_max`. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#stopParts();
    if (this.#starting !== null) {
      this.#finish();
      return;
    }
    this.#wire.send(sessionClose());
    this.#cancelFarewell = this.#clock.after(farewell_ms_max, () => this.#finish());
  }

  /** Resolves when the socket is gone. */
  async closeAndWait(): Promise<void> {
    this.close();
    await this.#gone.promise;
  }

  #stopParts(): void {
    this.#expiry.cancel();
    this.#cancelFarewell();
    this.#line.close();
    this.#heard.close();
    this.#farewell.close();
    this.#backend.close();
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.#stopParts();
    this.#tell('closed', {});
    this.#state = 'closed';
    this.#wire.close();
    this.#starting?.reject(new ConnectError('closed while connecting', true));
    this.#starting = null;
  }

  #tell<K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void {
    if (this.#state !== 'closed') this.#call.on(name, payload);
  }

  #warn(detail: string, message: string): void {
    this.#options.log?.warn({ callId: this.#call.callId, detail }, message);
  }

  #fail(detail: string, retryable: boolean): void {
    if (this.#state === 'closed') return;
    this.#warn(detail, 'the live session failed');
    const starting = this.#starting;
    this.#starting = null;
    if (starting !== null) starting.reject(new ConnectError(detail, retryable));
    else if (this.#state === 'open') {
      this.#gate.finish();
      this.#heard.finish();
      this.#tell('failed', { code: 'MODEL_UNAVAILABLE', detail, retryable });
    }
    this.#finish();
  }

  #speak(text: string, delegationId: string | null): void {
    this.#append(commentary(text, delegationId));
  }

  #append(events: readonly ClientEvent[]): void {
    if (this.#state !== 'open') return;
    for (const event of events) this.#wire.send(event);
  }

  #take(event: ServerEvent): void {
    switch (event.type) {
      case 'session.output_audio.delta':
        if (this.#state === 'open') this.#gate.take(decodedSound(event.delta));
        break;
      case 'session.started':
        this.#expiry.set(event.session.expires_at);
        this.#started();
        break;
      case 'session.input_transcript.delta':
        if (this.#state !== 'open') break;
        this.#heard.add(event);
        this.#backend.heard(event.delta);
        break;
      case 'session.output_transcript.delta':
        this.#words(event.delta);
        break;
      case 'session.delegation.created':
        if (this.#undecided) this.#delegations.push(event.delegation.id);
        else if (this.#state === 'open') this.#backend.delegated(event.delegation.id);
        break;
      case 'response.event':
        if (this.#state === 'open') this.#backend.event(event.event);
        break;
      case 'session.usage.updated':
        this.#used(event.usage.seconds);
        break;
      case 'session.closed':
        this.#used(event.usage.seconds);
        if (this.#state === 'closing') this.#finish();
        else this.#fail(`the server ended the session: ${event.reason}`, FATAL[event.reason] ?? true);
        break;
      case 'error':
        this.#error(event.error);
        break;
    }
  }

  #started(): void {
    if (this.#starting === null) return;
    this.#starting.resolve();
    this.#starting = null;
    this.#tell('ready', {});
  }

  #billed(usage: ModelUsage): void {
    this.#tell('usage', { usage: { ...usage, provider: this.#options.provider } });
  }

  #used(seconds: number): void {
    const usage = this.#seconds.upTo(this.#options.models.voice, seconds);
    if (usage !== undefined) this.#billed(usage);
  }

  #replyBegan(): void {
    this.#itemId = newId('reply');
    this.#tell('replyStarted', { itemId: this.#itemId });
    if (this.#said !== '')
      this.#tell('said', { itemId: this.#itemId, text: this.#said.trim(), final: false });
    this.#farewell.replyBegan();
  }

  #replyEnded(): void {
    if (this.#said !== '') this.#tell('said', { itemId: this.#itemId, text: this.#said.trim(), final: true });
    this.#said = '';
    this.#tell('replyDone', { itemId: this.#itemId, interrupted: false });
    this.#farewell.replyEnded();
  }

  /** Words come with their sound or ahead of it; those of a muted reply are not wanted. */
  #words(delta: string): void {
    if (this.#state !== 'open' || this.#gate.state === 'muted') return;
    this.#said = (this.#said + delta).slice(0, text_chars_max);
    if (this.#gate.state === 'speaking')
      this.#tell('said', { itemId: this.#itemId, text: this.#said.trim(), final: false });
  }

  #error(error: ServerEventOf<'error'>['error']): void {
    this.#options.counts.errors += 1;
    this.#errors += 1;
    const code = error.code || error.type;
    const detail = `the server refused: ${code} ${error.message}`.slice(0, 500);
    const fatal = FATAL[code];
    if (this.#starting !== null || fatal !== undefined || this.#errors > errors_max)
      this.#fail(detail, fatal ?? this.#starting === null);
    else this.#warn(detail, 'the live server refused an event');
  }
}

function reasonOf(given: unknown): string {
  const reason = (given as { reason?: unknown } | null)?.reason;
  return typeof reason === 'string' ? reason : 'goodbye';
}
