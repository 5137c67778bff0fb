/** The half of a Live conversation that thinks: the voice model asks it, it answers in words and tools. */
import type { HistoryTurn } from '../../voice-model.ts';
import type { ResponseEvent } from './server-events.ts';

/** What a backend may do. */
export interface BackendHands {
  /** The voice model says this, as the answer to a delegation, or of itself. */
  say(text: string, delegationId: string | null): void;
  /** The voice model knows this, as the end of a delegation, or of itself; it does not say it. */
  think(text: string, delegationId: string | null): void;
  call(call: { callId: string; name: string; arguments: unknown }): void;
  /** Tokens that a text model of the backend used, as the vendor gives them. */
  used(usage: object): void;
  /** The backend failed; the conversation goes on without the answer. */
  failed(detail: string): void;
}

export interface LiveBackend {
  /** The voice model hands work over. Nobody says what: it is in the caller's words. */
  delegated(delegationId: string): void;
  /** A piece of what the caller says, as it is heard. */
  heard(delta: string): void;
  /** Those words were a mere "mhm" into the agent's: whatever was delegated because of them is nothing. */
  forget(words: string): void;
  /** An event of the vendor's own text model. */
  event(event: ResponseEvent): void;
  toolResult(callId: string, result: unknown): void;
  /** The conversation so far was another session's, and something is owed: go on. */
  resume(history: readonly HistoryTurn[]): void;
  /** Something that nobody said and that the backend has to know; it goes on talking. */
  notice(text: string): void;
  digit(digit: string): void;
  close(): void;
}
