/** A profile, a call and a registry for tests of single tools. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keypad } from '../../../../src/agent/keypad.ts';
import { agentProfileSchema, type AgentProfile } from '../../../../src/agent/profile.ts';
import { ToolRegistry } from '../../../../src/agent/tools/tool-registry.ts';
import type { Tool, ToolCaller, ToolResult } from '../../../../src/agent/tools/tool.ts';
import type { CallControl } from '../../../../src/room/call-control.ts';

export function profileWith(over: object = {}): AgentProfile {
  return agentProfileSchema.parse({
    name: 'test',
    greeting: 'Hello.',
    not_understood: ['Sorry?'],
    still_there: ['Hello?'],
    anything_else: 'Anything else?',
    goodbye: 'Bye.',
    tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
    tools: ['*'],
    ...over,
  });
}

export const PHONE: CallControl = { door: 'phone', callerNumber: '+15550199' };
export const WEB: CallControl = { door: 'web', callerNumber: '' };

export interface CallOptions {
  readonly callId?: string;
  readonly profile?: object;
  readonly call?: CallControl;
  readonly keypad?: Keypad;
}

export function callerOf(options: CallOptions = {}): ToolCaller {
  return {
    callId: options.callId ?? 'call-1',
    profile: profileWith(options.profile),
    tenant: 'acme',
    call: options.call ?? PHONE,
    keypad: options.keypad ?? new Keypad(),
  };
}

/** Runs tools as agents do: by name, through a registry. */
export function runnerOf(
  ...tools: Tool[]
): (name: string, given: unknown, options?: CallOptions) => Promise<ToolResult> {
  const registry = new ToolRegistry({ tools });
  return (name, given, options) => registry.run(name, given, callerOf(options));
}

export async function makeFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'trunkline-tools-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
