/** One client of the local server: what it said, what its session is, and typed ways to answer it. */
import type {
  ConversationItem,
  RealtimeServerEvent,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime';
import type { WebSocket } from 'ws';
import { newId } from '../../../src/base/ids.ts';
import type { ClientEvent, SessionConfig } from './client-schema.ts';
import { Peer } from './peer.ts';

/** A server event before it gets its id. */
export type Outgoing = RealtimeServerEvent extends infer E
  ? E extends { event_id: string }
    ? Omit<E, 'event_id'>
    : E
  : never;

export class Connection extends Peer<ClientEvent> {
  readonly model: string;
  readonly items = new Map<string, ConversationItem>();
  session: RealtimeSessionCreateRequest;
  /** Sound that was sent of each spoken item, in ms: nothing behind it can be truncated. */
  readonly spokenMs = new Map<string, number>();
  #lastItemId: string | null = null;

  constructor(socket: WebSocket, model: string) {
    super(socket);
    this.model = model;
    this.session = {
      type: 'realtime',
      model,
      output_modalities: ['audio'],
      instructions: '',
      tools: [],
      tool_choice: 'auto',
      audio: {
        input: { format: { type: 'audio/pcm', rate: 24000 }, turn_detection: { type: 'server_vad' } },
        output: { format: { type: 'audio/pcm', rate: 24000 }, voice: 'marin' },
      },
    };
  }

  send(event: Outgoing): void {
    const whole = { event_id: newId('event'), ...event };
    this.write(whole);
  }

  error(code: string, message: string, eventId?: string): void {
    this.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message, param: null, event_id: eventId ?? null },
    });
  }

  addItem(item: ConversationItem & { id: string }): void {
    this.beginItem(item);
    this.finishItem(item);
  }

  /** An item that is still growing: what a model says. */
  beginItem(item: ConversationItem & { id: string }): void {
    this.items.set(item.id, item);
    this.send({ type: 'conversation.item.added', previous_item_id: this.#lastItemId, item });
    this.#lastItemId = item.id;
  }

  finishItem(item: ConversationItem & { id: string }): void {
    this.items.set(item.id, item);
    this.send({ type: 'conversation.item.done', item });
  }

  /** Only what is present changes; `null` clears turn detection. */
  update(config: SessionConfig): void {
    const { audio, ...rest } = config;
    this.session = {
      ...this.session,
      ...rest,
      audio: {
        input: { ...this.session.audio?.input, ...audio?.input },
        output: { ...this.session.audio?.output, ...audio?.output },
      },
    };
    this.send({ type: 'session.updated', session: this.session });
  }
}
