/** Says exactly what a test writes down, step by step. */
import type { ClientEvent } from './client-schema.ts';
import type { Connection, Outgoing } from './connection.ts';
import type { Behaviour } from './server.ts';

export type Step =
  /** An event of the protocol, or one computed from what the client said so far. */
  | { readonly send: Outgoing | ((connection: Connection) => Outgoing) }
  /** Any text or bytes, to be no event. */
  | { readonly raw: string | Uint8Array }
  /** Go on when the client has sent the next event of this type. */
  | { readonly until: ClientEvent['type'] }
  | { readonly delayMs: number }
  /** Stop reading from the socket: the client's sound piles up on its side. */
  | { readonly stall: true }
  /** A close frame with this code, or a cut without one. */
  | { readonly close: number | 'cut' };

/** Runs the steps on each connection. Nothing is said that is not in the script. */
export function script(steps: readonly Step[]): (connection: Connection) => Behaviour {
  return (connection) => {
    const play = new Play(steps, connection);
    return { silent: true, opened: () => play.go(), closed: () => play.stop() };
  };
}

class Play {
  readonly #steps: readonly Step[];
  readonly #connection: Connection;
  readonly #seen = new Map<string, number>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(steps: readonly Step[], connection: Connection) {
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

  #do(step: Exclude<Step, { delayMs: number } | { until: string }>): void {
    const { socket } = this.#connection;
    if ('send' in step)
      this.#connection.send(typeof step.send === 'function' ? step.send(this.#connection) : step.send);
    else if ('raw' in step) socket.send(step.raw);
    else if ('stall' in step) socket.pause();
    else if (step.close === 'cut') socket.terminate();
    else socket.close(step.close);
  }

  async #come(type: ClientEvent['type']): Promise<void> {
    const count = (this.#seen.get(type) ?? 0) + 1;
    this.#seen.set(type, count);
    await this.#connection.nth(type, count);
  }
}
