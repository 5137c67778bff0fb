/** Which server the suite runs against, and where the two are known to differ. */
import { env } from 'node:process';

/** Path of a drachtio binary; unset: the embedded server. */
export const DRACHTIO_BINARY = env['TRUNKLINE_SIP_SERVER'];

export const KIND = DRACHTIO_BINARY === undefined ? 'embedded' : 'drachtio';

/** Both servers take these by option: what takes 32 s in the field takes 1.3 s here. */
export const SHORT_TIMERS = { t1Ms: 20, t2Ms: 160, t4Ms: 200 };

interface Quirks {
  /** The answer of `proxyRequest`: drachtio proxies, the embedded server says that it does not. */
  readonly proxies: boolean;
  /** A verb that no application takes, while INVITE is taken. */
  readonly unroutedStatus: number;
  /** Max-Forwards: 0 in an INVITE. */
  readonly noHopsStatus: number;
  /** What the admin port does with `route` before `authenticate`. */
  readonly routeBeforeAuthentication: 'OK' | 'NO';
  /** The final status of a request to a UDP port where nobody listens. */
  readonly deadPortStatuses: readonly number[];
}

const QUIRKS: Record<typeof KIND, Quirks> = {
  embedded: {
    proxies: false,
    unroutedStatus: 405,
    noHopsStatus: 483,
    routeBeforeAuthentication: 'NO',
    // Node does not pass ICMP errors of an unconnected UDP socket up.
    deadPortStatuses: [408],
  },
  drachtio: {
    proxies: true,
    unroutedStatus: 503,
    // The application refuses it, as it refuses all that it does not know.
    noHopsStatus: 404,
    routeBeforeAuthentication: 'OK',
    deadPortStatuses: [408, 503],
  },
};

export const quirks: Quirks = QUIRKS[KIND];
