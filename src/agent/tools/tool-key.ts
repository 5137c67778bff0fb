/**
 * The idempotency key of an act: call, tool and arguments. docs/decisions/tool-keys.md says why it is not
 * the model's own id of the tool call.
 */
import { createHash } from 'node:crypto';

/** JSON with the keys of every object in order, so that equal arguments give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`).join(',')}}`;
  }
  return value === undefined ? 'null' : JSON.stringify(value);
}

/** 37 characters that may stand in any header or file; says nothing about the arguments. */
export function toolKey(callId: string, name: string, given: unknown): string {
  const digest = createHash('sha256')
    .update(`${callId}\n${name}\n${canonicalJson(given)}`)
    .digest('hex');
  return `tool_${digest.slice(0, 32)}`;
}
