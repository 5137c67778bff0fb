/** A door's call as the desk sees it: while a human has it, it needs no agent until it is handed back. */
import type { HumanDesk } from './human-desk.ts';
import type { LiveCall, LiveCalls } from './live-calls.ts';

/** What doors know of the desk. */
export interface DeskSide {
  readonly calls: LiveCalls;
  readonly desk: Pick<HumanDesk, 'isHandedOver'>;
}

export class ShownCall {
  readonly #callId: string;
  readonly #side: DeskSide;
  readonly #hide: () => void;
  /** Why the agent failed, while a human had the call. */
  #agentGone: string | undefined;

  /** `agentMissed`: the agent is wanted back, and has failed meanwhile with this detail. */
  constructor(side: DeskSide, call: LiveCall, agentMissed: (detail: string) => void) {
    this.#callId = call.callId;
    this.#side = side;
    const { agent } = call;
    this.#hide = side.calls.add({
      ...call,
      agent: {
        portId: agent.portId,
        say: (text, options) => agent.say(text, options),
        hold: () => agent.hold(),
        resume: (notice) => {
          if (this.#agentGone === undefined) agent.resume(notice);
          else agentMissed(this.#agentGone);
        },
      },
    });
  }

  /** Whether the call goes on without its agent, because a human has it. */
  survives(agentFailure: string): boolean {
    if (!this.#side.desk.isHandedOver(this.#callId)) return false;
    this.#agentGone = agentFailure;
    return true;
  }

  /** The call is being closed. Idempotent. */
  close(): void {
    this.#hide();
  }
}
