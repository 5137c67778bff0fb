/** One client of the local server: what it said, what its session is, and typed ways to answer it. */
import type {
  ConversationItem,
  RealtimeServerEvent,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime';
import type { WebSocket } from 'ws';
import { newId } from '../../../src/base/ids.ts';
import type { ClientEvent, ClientEventOf, SessionConfig } from './client-schema.ts';

/** A server event before it gets its id. */
export type Outgoing = RealtimeServerEvent extends infer E
  ? E extends { event_id: string }
    ? Omit<E, 'event_id'>
    : E
  : never;

const received_max = 10_000;

interface Waiter {
  readonly matches: (event: ClientEvent) => boolean;
  readonly resolve: (event: ClientEvent) => void;
}

export class Connection {
  readonly socket: WebSocket;
  readonly model: string;
  /** Every event that the client sent, sound included, oldest first (bounded). */
  readonly received: ClientEvent[] = [];
  /** What the client sent that is no event of the protocol: the sentence of each. */
  readonly refused: string[] = [];
  readonly items = new Map<string, ConversationItem>();
  session: RealtimeSessionCreateRequest;
  #waiters: Waiter[] = [];

  constructor(socket: WebSocket, model: string) {
    this.socket = socket;
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
    this.raw(JSON.stringify({ event_id: newId('event'), ...event }));
  }

  /** Any text at all, for tests of what is no event. */
  raw(text: string): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(text);
  }

  error(code: string, message: string, eventId?: string): void {
    this.send({
      type: 'error',
      error: { type: 'invalid_request_error', code, message, param: null, event_id: eventId ?? null },
    });
  }

  addItem(item: ConversationItem & { id: string }): void {
    this.items.set(item.id, item);
    this.send({ type: 'conversation.item.added', item });
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

  take(event: ClientEvent): void {
    this.received.push(event);
    if (this.received.length > received_max) this.received.shift();
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.matches(event)) waiter.resolve(event);
      else this.#waiters.push(waiter);
    }
  }

  /** All events of a type so far. */
  all<T extends ClientEvent['type']>(type: T): ClientEventOf<T>[] {
    return this.received.filter((event): event is ClientEventOf<T> => event.type === type);
  }

  /** The `count`-th event of a type (from 1), come or still to come. */
  async nth<T extends ClientEvent['type']>(type: T, count = 1): Promise<ClientEventOf<T>> {
    for (;;) {
      const found = this.all(type)[count - 1];
      if (found !== undefined) return found;
      await new Promise<ClientEvent>((resolve) =>
        this.#waiters.push({ matches: (event) => event.type === type, resolve }),
      );
    }
  }
}
