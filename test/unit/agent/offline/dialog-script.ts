/** Conversations with the shipped receptionist, written down as text in and text out. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { Dialog, type DialogAction } from '../../../../src/agent/models/offline/dialog.ts';
import { agentProfileSchema, type AgentProfile } from '../../../../src/agent/profile.ts';

const CLINIC = new URL('../../../../config/agents/clinic-receptionist.yaml', import.meta.url);

/** The profile as its file has it, before it is checked. */
export const clinicFile = (): Record<string, unknown> =>
  parse(readFileSync(CLINIC, 'utf8')) as Record<string, unknown>;

export const clinic = agentProfileSchema.parse(clinicFile());

/** A Monday. */
export const now = (): Date => new Date('2026-11-23T09:00:00Z');

/** What callers do besides speaking. */
export const OK = '<result {"ok":true,"confirmation":"AB123"}>';
export const TAKEN = '<result {"ok":false,"reason":"That time is taken already.","ask":"time"}>';
export const PAST = '<result {"ok":false,"reason":"That time is past already.","ask":"day"}>';
export const SILENCE = '';

export function line(action: DialogAction): string {
  if (action.type === 'say') return action.text;
  if (action.type === 'hang_up') return `<hang up: ${action.reason}>`;
  return `<${action.name} ${Object.values(action.arguments).join(' | ')}>`;
}

/** One step: words, `<key 1>`, or `<result {...}>` of a tool. */
export function step(dialog: Dialog, caller: string): DialogAction[] {
  const result = /^<result (.*)>$/.exec(caller)?.[1];
  if (result !== undefined) return dialog.toolResult(JSON.parse(result));
  const key = /^<key (.)>$/.exec(caller)?.[1];
  return key === undefined ? dialog.heard(caller) : dialog.digit(key);
}

/** A script: what the caller says, and a pattern for all that the agent then says and does. */
export type Script = readonly (readonly [caller: string, agent: RegExp])[];

export function play(script: Script, options: { profile?: AgentProfile; now?: () => Date } = {}): Dialog {
  const dialog = new Dialog({ profile: options.profile ?? clinic, now: options.now ?? now });
  for (const [caller, agent] of script)
    expect(step(dialog, caller).map(line).join(' '), `after "${caller}"`).toMatch(agent);
  return dialog;
}
