/** One socket of somebody in a room, or on the way into one. */
import type { Socket } from 'socket.io';
import { ending, type Ending } from '../base/ending.ts';
import { TrunklineError } from '../base/errors.ts';
import { AskedSocket, offences_max, type SocketParts } from './asked-socket.ts';
import type { Guest, Line } from './guest.ts';
import { REQUESTS, type Ask, type EventName, type Joined, type RequestName } from './wire.ts';

export interface ConnectionParts extends SocketParts {
  /** Lets somebody in who was not here before, or back in. Attaches the connection. */
  readonly join: (ask: Ask<'join'>, connection: Connection) => Promise<{ guest: Guest; joined: Joined }>;
}

export class Connection implements Line {
  readonly #socket: AskedSocket;
  readonly #parts: ConnectionParts;
  #guest: Guest | undefined;
  #joining = false;
  /** Why it was put out. */
  #dismissal: Ending | undefined;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#parts = parts;
    this.#socket = new AskedSocket(socket, parts, {
      questions: REQUESTS,
      answer: (name, payload) => this.#answer(name as RequestName, payload),
      dismissed: () => this.#dismissed(),
      gone: () => this.#guest?.detach(this),
    });
  }

  get origin(): string | undefined {
    return this.#socket.origin;
  }

  send(name: EventName, payload: unknown): void {
    this.#socket.send(name, payload);
  }

  hangUp(): void {
    this.#guest = undefined;
    this.#socket.hangUp();
  }

  /** Nobody waits for a page like this one to come back: what it holds is closed now. */
  #dismissed(): void {
    this.#dismissal = ending('dismissed', `${offences_max} messages were refused`);
    this.#guest?.end(this.#dismissal);
  }

  #answer(name: RequestName, payload: unknown): Promise<object> {
    if (name === 'join') return this.#join(payload as Ask<'join'>);
    if (this.#guest === undefined) throw new TrunklineError('WEB_NOT_JOINED', name);
    return this.#guest.answer(name, payload as Ask<typeof name>);
  }

  async #join(ask: Ask<'join'>): Promise<Joined> {
    if (this.#joining || this.#guest !== undefined)
      throw new TrunklineError('WEB_NOT_JOINED', 'joined already');
    this.#joining = true;
    try {
      const { guest, joined } = await this.#parts.join(ask, this);
      this.#guest = guest;
      this.#socket.stays();
      // It went away while it was being let in: it may come back like any other, unless it was put out.
      if (this.#dismissal !== undefined) guest.end(this.#dismissal);
      else if (!this.#socket.connected) guest.detach(this);
      return joined;
    } finally {
      this.#joining = false;
    }
  }
}
