/** What a job does with what became of its question to a provider. */
import { TrunklineError } from '../../base/errors.ts';
import { ProviderFailure } from '../drivers/provider-failure.ts';
import { JobLater, JobRefused } from '../work.ts';

/**
 * Runs `ask` and turns its failure into the queue's words: refused goes to the dead letters at once, a wait
 * that the provider asked for is kept and costs no try, anything else is tried again after a pause.
 */
export async function askProvider<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw jobErrorOf(error);
  }
}

export function jobErrorOf(error: unknown): unknown {
  if (error instanceof ProviderFailure) {
    if (error.outcome === 'refused') return new JobRefused(error.code, error.detail);
    if (error.retryAfterMs !== undefined) return new JobLater(error.retryAfterMs, error.detail);
  }
  if (error instanceof TrunklineError && error.code === 'ADDRESS_FORBIDDEN')
    return new JobRefused(error.code, error.detail);
  return error;
}
