/** What an API key may do. A key holds scopes; each route of the API names the one it wants. */
import { z } from 'zod';

export const scope = z.enum([
  /** Everything, keys and erasure included. */
  'admin',
  'calls:read',
  'contacts:read',
  'contacts:write',
  'messages:read',
  'messages:write',
  'appointments:read',
  'appointments:write',
  'configuration:read',
  'queues:read',
  'queues:write',
]);
export type Scope = z.infer<typeof scope>;

export function permits(held: readonly string[], wanted: Scope): boolean {
  return held.includes('admin') || held.includes(wanted);
}
