/** `tool_calls`: what agents did besides speaking, with what they gave and got. */
import type { Selectable } from 'kysely';
import type { Database } from '../schema.ts';
import type { TenantRows } from '../store.ts';
import { addOnce, rowsOfCalls } from './rows-of-call.ts';

export type ToolCall = Selectable<Database['tool_calls']>;

export function addToolCalls(unit: TenantRows, calls: readonly Omit<ToolCall, 'tenant'>[]): Promise<void> {
  const rows = calls.map((call) => ({
    ...call,
    arguments: JSON.stringify(call.arguments ?? null),
    result: JSON.stringify(call.result ?? null),
  }));
  return addOnce(unit, 'tool_calls', rows);
}

export function toolCallsOf(unit: TenantRows, ...callIds: readonly string[]): Promise<ToolCall[]> {
  return rowsOfCalls(unit, 'tool_calls', callIds);
}
