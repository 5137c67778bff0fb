/**
 * A blind transfer: REFER within the call's dialog, and what NOTIFY tells of it (RFC 3515, RFC 5589 §6).
 *
 *   idle ──run──> asked ──2xx──> accepted ──NOTIFY with a final status──> idle
 *                   │ 3xx to 6xx          │ time over, subscription over, dialog over
 *                   └──> idle             └──> idle
 */
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { TransferOutcome } from '../room/call-control.ts';
import type { RawHeaders } from './drachtio.ts';
import type { SipRequest } from './sip-request.ts';

export interface TransferOptions {
  /** Sends a request within the dialog; resolves with the final status. */
  readonly ask: (method: string, headers: RawHeaders) => Promise<number>;
  /** The far end says that the caller talks to somebody else now, in time or later. */
  readonly transferred: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Our request could not be sent, or a second one came while the first was under way (RFC 3261 §21). */
const STATUS_NOT_SENT = 500;
const STATUS_PENDING = 491;

/** The status in a body of type message/sipfrag (RFC 3420), whose first line is a status line. */
export function statusInFragment(body: string): number | undefined {
  const status = /^SIP\/2\.0\s+([1-6]\d\d)(?:\s|$)/i.exec(body.trimStart())?.[1];
  return status === undefined ? undefined : Number(status);
}

export class Transfer {
  readonly #options: TransferOptions;
  #settle: ((outcome: TransferOutcome) => void) | undefined;
  /** REFER was sent once: its NOTIFYs may come at any time from now on. */
  #asked = false;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** `referTo` and `referredBy` are URIs. Never rejects. */
  run(uris: { referTo: string; referredBy: string }, timeoutMs: number): Promise<TransferOutcome> {
    if (this.#settle !== undefined) return Promise.resolve({ outcome: 'refused', status: STATUS_PENDING });
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>();
    const cancel = this.#options.clock.after(timeoutMs, () => this.#end({ outcome: 'unknown' }));
    this.#settle = (outcome) => {
      cancel();
      resolve(outcome);
    };
    this.#asked = true;
    const headers = { 'Refer-To': `<${uris.referTo}>`, 'Referred-By': `<${uris.referredBy}>` };
    this.#options.ask('REFER', headers).then(
      (status) => {
        if (status >= 300) this.#end({ outcome: 'refused', status });
      },
      (error: unknown) => {
        this.#options.log.warn({ detail: messageOf(error) }, 'REFER could not be sent');
        this.#end({ outcome: 'refused', status: STATUS_NOT_SENT });
      },
    );
    return promise;
  }

  /** A NOTIFY within the dialog. It is answered here, whether or not we wait for one. */
  notified(request: SipRequest): void {
    const [event = ''] = (request.header('Event') ?? '').split(';', 1);
    // RFC 6665 §4.1.3: without a subscription there is nothing to notify of.
    if (event.trim().toLowerCase() !== 'refer' || !this.#asked) {
      request.respond(event.trim().toLowerCase() === 'refer' ? 481 : 489, {
        headers: { 'Allow-Events': 'refer' },
      });
      return;
    }
    request.respond(200);
    const status = request.contentType === 'message/sipfrag' ? statusInFragment(request.body) : undefined;
    const isOver = /^\s*terminated\b/i.test(request.header('Subscription-State') ?? '');
    if (status !== undefined && status >= 300) this.#end({ outcome: 'failed', status });
    else if (status !== undefined && status >= 200) {
      this.#end({ outcome: 'transferred' });
      this.#options.transferred();
    } else if (isOver) this.#end({ outcome: 'unknown' });
  }

  /** The dialog is over: nothing more will be told. */
  close(): void {
    this.#end({ outcome: 'ended' });
  }

  #end(outcome: TransferOutcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}
