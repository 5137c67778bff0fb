/** A Realtime server that works until it is told to fail, in one of the ways in which they do. */
import type { Connection } from './connection.ts';
import { startRealtimeServer, type Behaviour, type RealtimeServer, type Refusal } from './server.ts';
import { SpokenReply } from './spoken-reply.ts';

export const FAULTS = ['close', 'stall', '429', '500', 'slow link', 'wrong key', 'garbage'] as const;
export type Fault = (typeof FAULTS)[number];

/** Faults that also meet whoever connects again. */
const REFUSALS: Partial<Record<Fault, Refusal>> = {
  '429': { status: 429, headers: { 'Retry-After': '20' } },
  '500': { status: 500 },
  'wrong key': { status: 401 },
};

/** One spoken sentence: 800 ms of a buzz in G.711. */
const SENTENCE = Uint8Array.from({ length: 6400 }, (_, index) => (index % 20 < 10 ? 0x20 : 0xa0));
/** What comes of a reply over a slow link, and how often. */
const DRIP_BYTES = 800;
const DRIP_EVERY_MS = 3000;
const GARBAGE = 12;

export class FaultyServer {
  readonly server: RealtimeServer;
  readonly #fault: Fault;
  readonly #state: { struck: boolean };
  readonly #drips = new Set<NodeJS.Timeout>();

  private constructor(server: RealtimeServer, fault: Fault, state: { struck: boolean }) {
    this.server = server;
    this.#fault = fault;
    this.#state = state;
  }

  static async start(fault: Fault): Promise<FaultyServer> {
    const state = { struck: false };
    const server = await startRealtimeServer({
      refuse: () => (state.struck ? REFUSALS[fault] : undefined),
      behave: (connection) => speaking(connection, () => state.struck && fault === 'stall'),
    });
    return new FaultyServer(server, fault, state);
  }

  /** From now on it fails; sessions that are opened afterwards work, unless the fault refuses them. */
  strike(): void {
    const struck = [...this.server.connections];
    this.#state.struck = true;
    for (const connection of struck) this.#hit(connection);
  }

  async close(): Promise<void> {
    for (const drip of this.#drips) clearInterval(drip);
    await this.server.close();
  }

  #hit(connection: Connection): void {
    switch (this.#fault) {
      case 'close':
      case '429':
      case '500':
      case 'wrong key':
        connection.socket.terminate();
        return;
      case 'stall':
        return;
      case 'garbage':
        for (let index = 0; index < GARBAGE; index += 1) connection.raw('no event at all');
        return;
      case 'slow link':
        this.#drip(connection);
        return;
    }
  }

  #drip(connection: Connection): void {
    const reply = new SpokenReply(connection);
    reply.words('This takes a while.');
    reply.audio(SENTENCE.subarray(0, DRIP_BYTES));
    const drip = setInterval(() => reply.audio(SENTENCE.subarray(0, DRIP_BYTES)), DRIP_EVERY_MS);
    this.#drips.add(drip);
    connection.socket.on('close', () => clearInterval(drip));
  }
}

/** Says one sentence whenever it is asked for a response, unless a stall has struck it. */
function speaking(connection: Connection, stalled: () => boolean): Behaviour {
  const bornStalled = stalled();
  return {
    event(event) {
      if (event.type !== 'response.create' || (stalled() && !bornStalled)) return;
      const reply = new SpokenReply(connection, event.response?.metadata ?? null);
      reply.words('Here I am.');
      reply.audio(SENTENCE);
      reply.done();
    },
  };
}
