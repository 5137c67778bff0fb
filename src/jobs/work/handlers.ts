/** Which handler does the jobs of which queue. Jobs of a queue without one wait. */
import type { Handlers } from '../work.ts';
import { auditHandler } from './audit.ts';
import { transcriptsHandler } from './transcripts.ts';

/**
 * A job that a dead process held comes again after one or two times `lockMs` (it is looked for once in so
 * long), and is done within another.
 */
const settle_locks = 3;

/** `lockMs`: for so long a job is its process's own, whether that lives or not. */
export function handlersOf({ lockMs }: { readonly lockMs: number }): Handlers {
  return { transcripts: transcriptsHandler({ settleMs: settle_locks * lockMs }), audit: auditHandler() };
}
