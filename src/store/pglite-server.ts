/**
 * Serves PGlite's one session to many clients over a socket, by Postgres' own protocol (version 3.0). Clients
 * take turns: whole questions, and within a transaction nobody else's. A question and its answer go in one
 * piece, which costs a third of what its messages one by one do (docs/decisions/embedded-database.md).
 */
import type { PGlite } from '@electric-sql/pglite';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Codes in the place of a protocol version, before the first message of a connection. */
const PROTOCOL_3 = 196_608;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** Messages that end a question: it is answered now. Simple query, function call, Sync, and Flush. */
const ENDS = new Set(['Q', 'F', 'S', 'H'].map((type) => type.charCodeAt(0)));
const [FLUSH, TERMINATE] = ['H', 'X'].map((type) => type.charCodeAt(0));

/** Longest message that is waited for; a row of ours is far from it. */
const message_bytes_max = 64 * 1024 * 1024;

interface Question {
  readonly client: Client;
  readonly bytes: Buffer;
  /** Its answer is no end: what follows from the same client belongs to it. */
  readonly goesOn: boolean;
}

export class PgliteServer {
  readonly #db: PGlite;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  #questions: Question[] = [];
  /** Whose transaction is open: nobody else has a turn. */
  #holder: Client | undefined;
  #running = false;

  private constructor(db: PGlite, clientsMax: number) {
    this.#db = db;
    this.#server = createServer((socket) => this.#welcome(socket));
    this.#server.maxConnections = clientsMax;
  }

  /** Listens at `path`, which must be free. */
  static async start(db: PGlite, options: { path: string; clientsMax: number }): Promise<PgliteServer> {
    const server = new PgliteServer(db, options.clientsMax);
    await once(server.#server.listen(options.path), 'listening');
    return server;
  }

  /** Sends everybody away, and rolls back what was not committed. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const client of this.#clients) client.close();
    await closed;
    await this.#db.runExclusive(() => Promise.resolve());
  }

  #welcome(socket: Socket): void {
    const client: Client = new Client(socket, {
      asks: (bytes, goesOn) => {
        this.#questions.push({ client, bytes, goesOn });
        this.#turn();
      },
      left: () => {
        this.#clients.delete(client);
        this.#questions = this.#questions.filter((one) => one.client !== client);
        this.#turn();
      },
    });
    this.#clients.add(client);
  }

  /** What throws here is the WebAssembly itself, no query: the process ends with it, and is started again. */
  #turn(): void {
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      if (this.#holder?.isGone === true) await this.#rollBack();
      const holder = this.#holder;
      const index = holder === undefined ? 0 : this.#questions.findIndex((one) => one.client === holder);
      const next = this.#questions[index];
      if (next === undefined) break;
      await this.#answer(next.client);
    }
    this.#running = false;
  }

  /** All that a client has asked by now, in one piece: a transaction that is under way ends the sooner. */
  async #answer(client: Client): Promise<void> {
    const asked = this.#questions.filter((one) => one.client === client);
    this.#questions = this.#questions.filter((one) => one.client !== client);
    const goesOn = asked.at(-1)?.goesOn === true;
    const answer: Buffer[] = [];
    await this.#db.runExclusive(() =>
      this.#db.execProtocolRawStream(Buffer.concat(asked.map(({ bytes }) => bytes)), {
        // A view into memory that the next piece is written into.
        onRawData: (piece) => void answer.push(Buffer.from(piece)),
      }),
    );
    this.#holder = goesOn || this.#db.isInTransaction() ? client : undefined;
    client.write(Buffer.concat(answer));
  }

  async #rollBack(): Promise<void> {
    this.#holder = undefined;
    if (this.#db.isInTransaction()) await this.#db.exec('ROLLBACK');
  }
}

interface ClientEvents {
  readonly asks: (bytes: Buffer, goesOn: boolean) => void;
  readonly left: () => void;
}

/** One connection: makes questions of what comes. */
class Client {
  readonly #socket: Socket;
  readonly #events: ClientEvents;
  #bytes: Buffer = Buffer.alloc(0);
  #started = false;
  #isGone = false;

  constructor(socket: Socket, events: ClientEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    // Followed by `close`, whatever it was.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#isGone = true;
      events.left();
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  write(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (!this.#started && !this.#start()) return;
    let at = 0;
    for (let from = 0; this.#bytes.length >= from + 5;) {
      const type = this.#bytes[from] ?? 0;
      const length = this.#bytes.readInt32BE(from + 1);
      if (length < 4 || length > message_bytes_max || type === TERMINATE) {
        this.close();
        return;
      }
      from += 1 + length;
      if (from > this.#bytes.length) break;
      if (!ENDS.has(type)) continue;
      this.#events.asks(this.#bytes.subarray(at, from), type === FLUSH);
      at = from;
    }
    this.#bytes = this.#bytes.subarray(at);
  }

  /** Before the first message: true once the client has said hello. */
  #start(): boolean {
    while (this.#bytes.length >= 8) {
      const [length, code] = [this.#bytes.readInt32BE(0), this.#bytes.readInt32BE(4)];
      if (code === SSL_REQUEST || code === GSS_REQUEST) {
        // Neither: it is a socket of this machine.
        this.write(Buffer.from('N'));
        this.#bytes = this.#bytes.subarray(8);
      } else if (code !== PROTOCOL_3 || length > message_bytes_max) {
        // Requests to cancel a query among them: there is nobody to interrupt it.
        this.close();
        return false;
      } else if (this.#bytes.length < length) return false;
      else {
        this.#started = true;
        this.#events.asks(this.#bytes.subarray(0, length), false);
        this.#bytes = this.#bytes.subarray(length);
        return true;
      }
    }
    return false;
  }
}
