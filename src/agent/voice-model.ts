/**
 * The vendor stands behind this interface. It runs inside a media thread.
 * A voice (src/agent/voice.ts) owns playout, local VAD and turns; a session owns the model.
 */
import type { Codec } from '../media/frame.ts';
import type { AgentProfile } from './profile.ts';
import type { VoiceSpec } from './voice-control.ts';
import type { ModelUsage } from './usage.ts';

/** The tool that ends the call: the voice's own, whatever the profile lists. */
export const HANG_UP = 'hang_up';

/** One thing that was said or done before, for a session that takes a conversation over. */
export interface HistoryTurn {
  /** `note`: nobody said it; the model has to know it (what a tool gave, keys that were pressed). */
  readonly from: 'caller' | 'agent' | 'note';
  readonly text: string;
}

/** One of the vendor's rates: how much of it is left, and when it is whole again. */
export interface RateLimit {
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/** What a session tells its voice. `itemId` names one spoken reply; audio belongs to exactly one item. */
export interface SessionEvents {
  /** The session can hear and speak. */
  ready: Record<string, never>;
  /** The model's own turn detection. Adapters without one leave it to the voice's local VAD. */
  speechStarted: Record<string, never>;
  speechStopped: Record<string, never>;
  /**
   * What the caller said, whole each time. `final: false` may be told many times for one `utteranceId`. An
   * empty text: it was a sound without words. `earlier`: it was said before the agent's words that sound now,
   * and decides nothing about them.
   */
  heard: { utteranceId: string; text: string; final: boolean; earlier?: boolean };
  /** A reply begins; audio of `itemId` follows. `uninterruptible`: the caller cannot cut it short. */
  replyStarted: { itemId: string; uninterruptible?: boolean };
  /**
   * Encoded sound of a reply in the session's codec, any length, faster than real time, in order.
   * The bytes belong to the receiver.
   */
  audio: { itemId: string; bytes: Uint8Array };
  /** What is being said, the whole text so far each time, in step with the audio or ahead of it. */
  said: { itemId: string; text: string; final: boolean };
  /** No more audio comes for this item. */
  replyDone: { itemId: string; interrupted: boolean };
  /**
   * Wants a tool run; answer with `toolResult` and the same `callId`. The tool `hang_up` (`{ reason }`) is
   * the voice's own: the call ends once everything said so far has been played out. It is answered only
   * when the caller spoke in time (`{ ok: false, reason }`), and the conversation goes on.
   */
  toolCall: { callId: string; name: string; arguments: unknown };
  /** Tokens or seconds to be billed; each an increment. */
  usage: { usage: ModelUsage };
  /** How near the vendor's limits are, after each response; only some vendors tell. */
  rateLimits: { limits: readonly RateLimit[] };
  /**
   * The vendor will end this session in `leftMs`, whatever happens: open another with the `history` so far
   * when nobody speaks, and close this one. Told once, at least a minute ahead.
   */
  expiring: { leftMs: number };
  /** Told before `closed` when something went wrong. */
  failed: { code: string; detail: string; retryable: boolean };
  closed: Record<string, never>;
}

export interface VoiceSession {
  /** Caller's sound: 20 ms of G.711, in order; valid during the call only. `gapMs` of silence came before. */
  hear(bytes: Uint8Array, gapMs: number): void;
  /** The caller started or stopped speaking, by the voice's local VAD. */
  callerSpeaking(speaking: boolean): void;
  /**
   * The caller hears the agent from now on, or no more: it has finished, or was cut (then `interrupt` came
   * first). Meanwhile the caller's sound is no turn by itself. Without `callerSpeaking` it is a noise, to be
   * answered and remembered by nobody; with it, its words are told as `heard` before anything is made of
   * them, so that `ignore` can be called, unless `agentSpeaking(false)` comes sooner: then it is a turn.
   * Absent: the session never answers before it has told `heard`.
   */
  agentSpeaking?(speaking: boolean): void;
  /** The first word: speak the profile's greeting, or let the model find one. */
  greet(): void;
  /**
   * The caller interrupted item `itemId` after `heardMs` of it had left for the caller.
   * Stop producing it, and make the conversation hold only what was heard.
   */
  interrupt(itemId: string, heardMs: number): void;
  toolResult(callId: string, result: unknown): void;
  /** Say this, now, as the agent. `uninterruptible` is given back in its `replyStarted`. */
  say(text: string, options?: { uninterruptible?: boolean }): void;
  /**
   * Only told to a session that was given a `history`, when the agent owes the caller something: go on
   * talking. Answer what the caller said last, or what a tool gave, or finish what the agent was saying.
   */
  resume(): void;
  /** The agent learns something that nobody said ("the colleague has left the call"), and goes on talking. */
  notice(text: string): void;
  /**
   * Called from within a final `heard`: that utterance was a mere "mhm", or a noise, into words which go on.
   * Give no answer to it, and forget it. Absent: this session tells no words, so that every confirmed
   * utterance cuts the agent short.
   */
  readonly ignore?: ((utteranceId: string) => void) | undefined;
  /** A key was pressed. */
  digit(digit: string): void;
  close(): void;
}

export interface ConnectOptions {
  readonly profile: AgentProfile;
  /** The tools that the profile permits, by name; absent: those that the adapter was told of. */
  readonly tools?: NonNullable<VoiceSpec['tools']>;
  /** Both directions use it. */
  readonly codec: Codec;
  /** For the log and for idempotency keys. */
  readonly callId: string;
  /** "Now" for relative days, as ISO 8601 with offset; the profile's time zone rules. */
  readonly now: () => Date;
  /**
   * The conversation so far, oldest first: the session goes on from there and does not greet by itself.
   * Adapters leave out the oldest turns when it is longer than the vendor takes.
   */
  readonly history?: readonly HistoryTurn[];
  readonly on: <K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]) => void;
}

/** What is known before anybody calls. */
export interface WarmOptions extends Pick<ConnectOptions, 'profile' | 'now'> {
  /** Nobody may have the session any more: it died, or the vendor will end it. Told once, before `attach`. */
  readonly spent: (reason: string) => void;
}

/** A session with the vendor that waits for a call: one call has it, and nobody after that. */
export interface WarmSession {
  /** false once it is spent. */
  readonly usable: boolean;
  /** It is this call's from now on, as if `connect` had opened it; rejects as that does. */
  attach(call: ConnectOptions): Promise<VoiceSession>;
  close(): void;
}

export interface VoiceModel {
  readonly name: string;
  /** Resolves when the session is ready to hear. Rejects with MODEL_UNAVAILABLE or SPEECH_UNAVAILABLE. */
  connect(options: ConnectOptions): Promise<VoiceSession>;
  /**
   * Opens as much of a session as can be opened before anybody calls; rejects as `connect` does. Absent:
   * there is nothing that could be had ahead.
   */
  warm?(options: WarmOptions): Promise<WarmSession>;
  /** Ends everything that sessions share (child processes, pools). */
  close(): Promise<void>;
}
