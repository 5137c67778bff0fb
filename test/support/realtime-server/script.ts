/** Says exactly what a test writes down, step by step. */
import type { WebSocket } from 'ws';
import type { ClientEvent } from './client-schema.ts';
import type { Connection, Outgoing } from './connection.ts';
import type { LiveClientEvent } from './live/client-schema.ts';
import type { LiveConnection, LiveOutgoing } from './live/connection.ts';
import type { LiveBehaviour } from './live/server.ts';
import type { Behaviour } from './server.ts';

/** What a play needs of a connection: `O` is what may be sent, `T` the types that may come. */
interface Playable<O, T> {
  readonly socket: WebSocket;
  send(event: O): void;
  nth(type: T, count: number): Promise<unknown>;
}

export type StepOf<P, O, T> =
  /** An event of the protocol, or one computed from what the client said so far. */
  | { readonly send: O | ((connection: P) => O) }
  /** Any text or bytes, to be no event. */
  | { readonly raw: string | Uint8Array }
  /** Go on when the client has sent the next event of this type. */
  | { readonly until: T }
  | { readonly delayMs: number }
  /** Stop reading from the socket: the client's sound piles up on its side. */
  | { readonly stall: true }
  /** A close frame with this code, or a cut without one. */
  | { readonly close: number | 'cut' };

export type Step = StepOf<Connection, Outgoing, ClientEvent['type']>;
export type LiveStep = StepOf<LiveConnection, LiveOutgoing, LiveClientEvent['type']>;

/** Runs the steps on each connection. Nothing is said that is not in the script. */
export function script(steps: readonly Step[]): (connection: Connection) => Behaviour {
  return (connection) => {
    const play = new Play(steps, connection);
    return { silent: true, opened: () => play.go(), closed: () => play.stop() };
  };
}

/** The same for Live; the client speaks first there. */
export function liveScript(steps: readonly LiveStep[]): (connection: LiveConnection) => LiveBehaviour {
  return (connection) => {
    const play = new Play(steps, connection);
    play.go();
    return { silent: true, closed: () => play.stop() };
  };
}

class Play<P extends Playable<O, T>, O extends object, T extends string> {
  readonly #steps: readonly StepOf<P, O, T>[];
  readonly #connection: P;
  readonly #seen = new Map<string, number>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(steps: readonly StepOf<P, O, T>[], connection: P) {
    this.#steps = steps;
    this.#connection = connection;
  }

  /** Plays up to the next step that has to wait. */
  go(): void {
    for (;;) {
      const step = this.#steps[this.#next];
      if (step === undefined || this.#stopped) return;
      this.#next += 1;
      if ('delayMs' in step) {
        this.#timer = setTimeout(() => this.go(), step.delayMs);
        return;
      }
      if ('until' in step) {
        void this.#come(step.until).then(() => this.go());
        return;
      }
      this.#do(step);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #do(step: Exclude<StepOf<P, O, T>, { delayMs: number } | { until: T }>): void {
    const { socket } = this.#connection;
    if ('send' in step)
      this.#connection.send(typeof step.send === 'function' ? step.send(this.#connection) : step.send);
    else if ('raw' in step) socket.send(step.raw);
    else if ('stall' in step) socket.pause();
    else if (step.close === 'cut') socket.terminate();
    else socket.close(step.close);
  }

  async #come(type: T): Promise<void> {
    const count = (this.#seen.get(type) ?? 0) + 1;
    this.#seen.set(type, count);
    await this.#connection.nth(type, count);
  }
}
