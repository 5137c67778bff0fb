import { TrunklineError } from '../../base/errors.ts';

/** A connection that did not come about. `retryable`: trying again later may help. */
export class ConnectError extends TrunklineError {
  readonly retryable: boolean;

  constructor(detail: string, retryable: boolean, options?: ErrorOptions) {
    super('MODEL_UNAVAILABLE', detail, options);
    this.retryable = retryable;
  }
}
