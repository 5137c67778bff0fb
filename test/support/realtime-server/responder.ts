/**
 * One response at a time per conversation, with the vendor's refusals. Behaviours that answer build on it.
 */
import type { ClientEvent } from './client-schema.ts';
import type { Connection } from './connection.ts';
import { SpokenReply } from './spoken-reply.ts';

export class Responder {
  readonly #connection: Connection;
  #active: SpokenReply | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get active(): SpokenReply | undefined {
    return this.#active;
  }

  /** Begins a response that nobody asked for: the answer to a turn. */
  begin(metadata: Record<string, string> | null = null): SpokenReply {
    this.#active = new SpokenReply(this.#connection, metadata);
    return this.#active;
  }

  finish(status: 'completed' | 'cancelled' | 'failed' = 'completed', errorCode?: string): void {
    this.#active?.done(status, errorCode === undefined ? {} : { errorCode });
    this.#active = undefined;
  }

  /** The reply that a `response.create` begins; refuses a second one, and obeys `response.cancel`. */
  take(event: ClientEvent): SpokenReply | undefined {
    if (event.type === 'response.cancel') {
      if (this.#active === undefined)
        this.#connection.error('response_cancel_not_active', 'No response is active.', event.event_id);
      else this.finish('cancelled');
      return undefined;
    }
    if (event.type !== 'response.create') return undefined;
    if (this.#active === undefined) return this.begin(event.response?.metadata ?? null);
    this.#connection.error(
      'conversation_already_has_active_response',
      'A response is running.',
      event.event_id,
    );
    return undefined;
  }
}
