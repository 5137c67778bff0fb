/** A model of which each call gets a WebSocket of its own, whichever protocol it speaks. */
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { VoiceModel } from '../../voice-model.ts';
import type { ToolDeclaration } from '../tool-declarations.ts';

export interface SocketModelOptions<Settings> {
  /** `https://api.openai.com/v1`, or a server of one's own: http, https, ws or wss. */
  readonly baseUrl: string;
  /** Empty: no Authorization header. */
  readonly apiKey: string;
  /** For profiles that name neither model nor voice. */
  readonly model: string;
  readonly voice: string;
  /** From the first packet to a session that took our settings. */
  readonly connectTimeoutMs: number;
  /** Sound per message to the server: 20, 40 or 60 ms. */
  readonly appendMs: number;
  /** Absent: the schema's defaults. */
  readonly settings?: Settings;
  /** Declarations of the tools that profiles may list, by name. `hang_up` is always there. */
  readonly tools?: Readonly<Record<string, ToolDeclaration>>;
  readonly log?: Log;
  readonly clock?: Clock;
}

export interface SocketModel<Counts> extends VoiceModel {
  readonly openSessions: number;
  /** Of all sessions so far, ended ones too. */
  readonly counts: Readonly<Counts>;
}

interface ClosableSession {
  closeAndWait(): Promise<void>;
}

/** The sessions of a model whose sockets are not gone yet. */
export class OpenSessions<S extends ClosableSession> {
  readonly #sessions = new Set<S>();

  get size(): number {
    return this.#sessions.size;
  }

  /** `make` gets what the session has to call when its socket is gone. */
  add(make: (onClosed: () => void) => S): S {
    const session: S = make(() => this.#sessions.delete(session));
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.closeAndWait()));
  }
}
