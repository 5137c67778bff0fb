/**
 * A blind transfer: REFER within the call's dialog, and what NOTIFY tells of it (RFC 3515, RFC 5589 §6).
 *
 *   idle ──run──> asked ──2xx──> accepted ──NOTIFY with a final status──> idle
 *                   │ 3xx to 6xx          │ time over, subscription over, dialog over
 *                   └──> idle             └──> idle
 *
 * Every REFER makes a subscription of its own, which may live on when nobody waits for it any more. A NOTIFY
 * says whose it is by `Event: refer;id=CSeq of the REFER`; only that of a dialog's first REFER may leave it
 * out (RFC 3515 §2.4.6).
 */
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { TransferOutcome } from '../room/call-control.ts';
import type { RawHeaders } from './drachtio.ts';
import type { SipRequest } from './sip-request.ts';

export interface TransferOptions {
  /** Sends a request within the dialog; resolves with the final status and the request's CSeq number. */
  readonly ask: (method: string, headers: RawHeaders) => Promise<{ status: number; sequence: number }>;
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

/** What one REFER started. */
interface Subscription {
  /** CSeq number of the REFER; undefined until it was answered, which a NOTIFY may overtake. */
  sequence: number | undefined;
  /** Of the one that is waited for. */
  settle: ((outcome: TransferOutcome) => void) | undefined;
}

export class Transfer {
  readonly #options: TransferOptions;
  /** In the order of their REFERs, until the far end says that they are over. */
  #subscriptions: Subscription[] = [];

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** `referTo` and `referredBy` are URIs. Never rejects. */
  run(uris: { referTo: string; referredBy: string }, timeoutMs: number): Promise<TransferOutcome> {
    if (this.#subscriptions.some(({ settle }) => settle !== undefined))
      return Promise.resolve({ outcome: 'refused', status: STATUS_PENDING });
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>();
    const subscription: Subscription = {
      sequence: undefined,
      settle: (outcome) => {
        cancel();
        resolve(outcome);
      },
    };
    const cancel = this.#options.clock.after(timeoutMs, () => settle(subscription, { outcome: 'unknown' }));
    this.#subscriptions.push(subscription);
    const headers = { 'Refer-To': `<${uris.referTo}>`, 'Referred-By': `<${uris.referredBy}>` };
    this.#options.ask('REFER', headers).then(
      ({ status, sequence }) => {
        subscription.sequence = sequence;
        if (status >= 300) this.#end(subscription, { outcome: 'refused', status });
      },
      (error: unknown) => {
        this.#options.log.warn({ detail: messageOf(error) }, 'REFER could not be sent');
        this.#end(subscription, { outcome: 'refused', status: STATUS_NOT_SENT });
      },
    );
    return promise;
  }

  /** A NOTIFY within the dialog. It is answered here, whether or not we wait for one. */
  notified(request: SipRequest): void {
    const { name, id } = eventIn(request.header('Event') ?? '');
    const subscription = this.#subscriptionOf(id);
    // RFC 6665 §4.1.3: without a subscription there is nothing to notify of.
    if (name !== 'refer' || subscription === undefined) {
      request.respond(name === 'refer' ? 481 : 489, { headers: { 'Allow-Events': 'refer' } });
      return;
    }
    request.respond(200);
    const status = request.contentType === 'message/sipfrag' ? statusInFragment(request.body) : undefined;
    const isOver = /^\s*terminated\b/i.test(request.header('Subscription-State') ?? '');
    if (status !== undefined && status >= 300) settle(subscription, { outcome: 'failed', status });
    else if (status !== undefined && status >= 200) {
      settle(subscription, { outcome: 'transferred' });
      this.#options.transferred();
    }
    if (isOver) this.#end(subscription, { outcome: 'unknown' });
  }

  /** The dialog is over: nothing more will be told. */
  close(): void {
    for (const subscription of this.#subscriptions) settle(subscription, { outcome: 'ended' });
    this.#subscriptions = [];
  }

  /** Without an id it is the oldest: far ends that never name one end each before the next. */
  #subscriptionOf(id: number | undefined): Subscription | undefined {
    if (id === undefined) return this.#subscriptions[0];
    if (Number.isNaN(id)) return undefined;
    return (
      this.#subscriptions.find(({ sequence }) => sequence === id) ??
      this.#subscriptions.find(({ sequence }) => sequence === undefined)
    );
  }

  #end(subscription: Subscription, outcome: TransferOutcome): void {
    settle(subscription, outcome);
    this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
  }
}

function settle(subscription: Subscription, outcome: TransferOutcome): void {
  const waiting = subscription.settle;
  subscription.settle = undefined;
  waiting?.(outcome);
}

/** The value of an Event header (RFC 6665 §8.2.1). `id` is NaN when it is no number: no REFER of ours. */
function eventIn(value: string): { name: string; id: number | undefined } {
  const [name = '', ...parameters] = value.split(';').map((part) => part.trim().toLowerCase());
  const id = parameters.find((parameter) => /^id\s*=/.test(parameter))?.replace(/^id\s*=\s*/, '');
  return { name, id: id === undefined ? undefined : /^\d{1,10}$/.test(id) ? Number(id) : Number.NaN };
}
