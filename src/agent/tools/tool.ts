/** A tool: something an agent can do besides speaking. Tools run on the main thread, never in a voice. */
import type { z } from 'zod';
import type { CallControl } from '../../room/call-control.ts';
import type { Keypad } from '../keypad.ts';
import type { AgentProfile } from '../profile.ts';
import type { ArgumentsShape } from './arguments.ts';

/** For whom a tool runs. */
export interface ToolCaller {
  readonly callId: string;
  readonly profile: AgentProfile;
  readonly tenant?: string;
  /** What the call itself can do: it is transferred, it has a number. Absent in calls without a door. */
  readonly call?: CallControl;
  /** The caller's keys, for tools that wait for some. */
  readonly keypad?: Keypad;
}

export interface ToolContext extends ToolCaller {
  /**
   * The idempotency key: the same for everything that asks for the same act in the same call. Hand it to
   * whatever the tool writes to, so that an act that was tried twice is done once.
   */
  readonly key: string;
  /** Aborted when the time is up: nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

/**
 * What a tool answers goes to the model as it is: `ok`, and on failure a `reason` that can be said aloud
 * and the argument to `ask` for again.
 */
export type ToolResult =
  | ({ readonly ok: true } & Record<string, unknown>)
  | ({ readonly ok: false; readonly reason: string; readonly ask?: string } & Record<string, unknown>);

export interface Tool<Arguments = unknown> {
  /** Letters, digits, `_` and `-`, at most 64: what every vendor takes. */
  readonly name: string;
  /** For models that choose tools by themselves. */
  readonly description: string;
  readonly arguments: z.ZodType<Arguments> | ArgumentsShape<Arguments>;
  /** Longest run, in ms; then the call goes on without it. */
  readonly timeoutMs: number;
  /** true: it only looks. Asked twice in one call it looks twice; any other tool acts once. */
  readonly repeatable?: boolean;
  run(given: Arguments, context: ToolContext): Promise<ToolResult>;
}
