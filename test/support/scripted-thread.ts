/** The thread's side of a room's commands, written down; it refuses what it is told to refuse. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { TrunklineError, type ErrorCode } from '../../src/base/errors.ts';
import type { Command } from '../../src/media/control.ts';
import type { ThreadCommands } from '../../src/room/wiring.ts';

export class ScriptedThread {
  readonly commands: Command[] = [];
  /** Command types that are refused, with `refusal`. */
  readonly refused = new Set<Command['type']>();
  refusal: ErrorCode = 'MEDIA_NOT_OPEN';
  /** Asked for each command before it is answered. */
  onCommand: ((command: Command) => void) | undefined;
  /** Where the link listens: a real socket, so that no packet of a router goes astray. */
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(): Promise<ScriptedThread> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ScriptedThread(socket);
  }

  readonly request: ThreadCommands['request'] = async (asked) => {
    const command: Command = asked;
    this.commands.push(command);
    this.onCommand?.(command);
    await Promise.resolve();
    if (this.refused.has(command.type)) throw new TrunklineError(this.refusal, command.type);
    return (command.type === 'link.open' ? { port: this.#socket.address().port } : null) as never;
  };

  /** What was commanded, in order. */
  get types(): Command['type'][] {
    return this.commands.map((command) => command.type);
  }

  of<T extends Command['type']>(type: T): Extract<Command, { type: T }>[] {
    return this.commands.filter((command): command is Extract<Command, { type: T }> => command.type === type);
  }

  close(): void {
    this.#socket.close();
  }
}
