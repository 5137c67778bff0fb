/** Calls that are going on, whatever door they came through: what the desk and its queue can do with them. */
import type { Ending } from '../base/ending.ts';
import { Events } from '../base/events.ts';
import type { Codec } from '../media/frame.ts';
import type { AgentParticipant } from './agent-door.ts';
import type { Room } from './room.ts';
import type { ThreadCommands } from './wiring.ts';

/** The call's agent, as far as it is sent out and called back. */
export type LiveAgent = Pick<AgentParticipant, 'portId' | 'say' | 'hold' | 'resume'>;

export interface LiveCall {
  /** Also the id of its room, and of its record in the journal. */
  readonly callId: string;
  readonly tenant: string;
  readonly room: Room;
  readonly thread: ThreadCommands;
  /** What legs and agents of the room speak. */
  readonly codec: Codec;
  readonly agent: LiveAgent;
  /** Ends the call for everybody. Only the first ending counts. */
  end(end: Ending): void;
}

export interface LiveCallsEvents {
  opened: LiveCall;
  closed: LiveCall;
}

export class LiveCalls {
  readonly events = new Events<LiveCallsEvents>();
  readonly #calls = new Map<string, LiveCall>();

  /** From now on the call can be handed over and supervised. Returns what takes it out again (idempotent). */
  add(call: LiveCall): () => void {
    this.#calls.set(call.callId, call);
    this.events.emit('opened', call);
    return () => {
      if (this.#calls.get(call.callId) !== call) return;
      this.#calls.delete(call.callId);
      this.events.emit('closed', call);
    };
  }

  get(callId: string): LiveCall | undefined {
    return this.#calls.get(callId);
  }

  /** Oldest first. */
  of(tenant: string): LiveCall[] {
    return [...this.#calls.values()].filter((call) => call.tenant === tenant);
  }
}
