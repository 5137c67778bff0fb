/** What becomes of something a provider was asked to do, when it did not simply do it. */
import { TrunklineError, type ErrorCode } from '../../base/errors.ts';

/**
 * refused      it will not do it, however often it is asked
 * unavailable  it did not do it, and may do it later
 * unclear      it was lost before it answered: it may have done it
 */
export type Outcome = 'refused' | 'unavailable' | 'unclear';

const CODES: Readonly<Record<Outcome, ErrorCode>> = {
  refused: 'PROVIDER_REFUSED',
  unavailable: 'PROVIDER_UNAVAILABLE',
  unclear: 'PROVIDER_UNCLEAR',
};

export class ProviderFailure extends TrunklineError {
  readonly outcome: Outcome;
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** Not to be asked again sooner, in ms. */
  readonly retryAfterMs: number | undefined;
  /** The provider's own code for what is wrong (`21610`), where it gave one. */
  readonly providerCode: string | undefined;

  constructor(
    outcome: Outcome,
    detail: string,
    more: { status?: number; retryAfterMs?: number; providerCode?: string; cause?: unknown } = {},
  ) {
    super(CODES[outcome], detail, { cause: more.cause });
    this.name = 'ProviderFailure';
    this.outcome = outcome;
    this.status = more.status;
    this.retryAfterMs = more.retryAfterMs;
    this.providerCode = more.providerCode;
  }
}

export function isRefused(error: unknown, status?: number): error is ProviderFailure {
  return (
    error instanceof ProviderFailure &&
    error.outcome === 'refused' &&
    (status === undefined || error.status === status)
  );
}
