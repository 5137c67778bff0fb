/** A tool: something an agent can do besides speaking. Tools run on the main thread, never in a voice. */
import type { z } from 'zod';
import type { AgentProfile } from '../profile.ts';

export interface ToolContext {
  /** The phone call, for idempotency: a tool that is asked twice in one call acts once. */
  readonly callId: string;
  readonly profile: AgentProfile;
  readonly tenant?: string;
}

/**
 * What a tool answers goes to the model as it is: `ok`, and on failure a `reason` that can be said aloud
 * and the argument to `ask` for again.
 */
export type ToolResult =
  | ({ readonly ok: true } & Record<string, unknown>)
  | { readonly ok: false; readonly reason: string; readonly ask?: string };

export interface Tool<Arguments = unknown> {
  readonly name: string;
  /** For models that choose tools by themselves. */
  readonly description: string;
  readonly arguments: z.ZodType<Arguments>;
  /** Longest run, in ms; then the call goes on without it. */
  readonly timeoutMs: number;
  run(given: Arguments, context: ToolContext): Promise<ToolResult>;
}
