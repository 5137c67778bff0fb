/** Work of the start that nobody waits for: tried until what it needs is there; ends with the gateway. */
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ClosingOrder } from './closing-order.ts';

const again_ms = 1000;

/** `attempt` may have done a part before it fails: it is run again from its beginning. */
export function keepTrying(
  what: string,
  attempt: () => Promise<void>,
  { log, order, clock = systemClock }: { log: Log; order: ClosingOrder; clock?: Clock },
): void {
  let closed = false;
  let cancel = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  const run = (): void => {
    underWay = attempt().catch((error: unknown) => {
      if (closed) return;
      log.debug({ detail: messageOf(error) }, `not yet: ${what}`);
      cancel = clock.after(again_ms, run);
    });
  };
  run();
  order.add(what, {
    close: () => {
      closed = true;
      cancel();
      return underWay;
    },
  });
}
