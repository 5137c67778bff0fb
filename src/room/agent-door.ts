/**
 * What the phone and the browser need to know of an agent. The gateway hands the implementation in,
 * so that doors never import each other.
 */
import type { Events } from '../base/events.ts';
import type { Codec } from '../media/frame.ts';
import type { MediaThreadHandle } from '../media/threads.ts';
import type { CallControl } from './call-control.ts';

export interface AgentParticipantEvents {
  /** The goodbye has been played out: end the call. */
  hangUp: { reason: string };
  /** The agent cannot go on; the call must not be left silent. */
  failed: { code: string; detail: string };
}

/** An AI agent in a room. Its voice is a port of the room's media thread. */
export interface AgentParticipant {
  /** Source and sink on the thread's patchbay. */
  readonly portId: string;
  readonly events: Events<AgentParticipantEvents>;
  /** Resolves when the first word is in hand; rejects with MODEL_UNAVAILABLE or SPEECH_UNAVAILABLE. */
  ready(): Promise<void>;
  /** The caller can hear: speak first. */
  greet(): void;
  /** A key was pressed. true: it is part of a secret, and must be written down nowhere. */
  digit(digit: string): boolean;
  /** Say this, as the agent; `uninterruptible`: the caller cannot cut it short. */
  say(text: string, options?: { readonly uninterruptible?: boolean }): void;
  /**
   * The agent goes out, while a human talks or the caller is on hold: silent at once, deaf until `resume`,
   * its model's session kept. Idempotent. Who hears whom in the room is not touched.
   */
  hold(): void;
  /** It comes back in. `notice` tells the model what happened meanwhile; it is not said aloud. */
  resume(notice?: string): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface OpenAgentOptions {
  readonly callId: string;
  /** Name of an agent profile; the configuration made sure that it exists. */
  readonly profile: string;
  readonly tenant: string;
  readonly codec: Codec;
  readonly thread: MediaThreadHandle;
  /** What the door can do with the call when the agent's tools ask. */
  readonly call?: CallControl;
}

/** Opens a voice in the given thread and starts warming its model at once. */
export type OpenAgent = (options: OpenAgentOptions) => AgentParticipant;
