/** Which server the suite runs against, and where the two are known to differ. */
import { env } from 'node:process';

/** Path of a drachtio binary; unset: the embedded server. */
export const DRACHTIO_BINARY = env['TRUNKLINE_SIP_SERVER'];

export const KIND = DRACHTIO_BINARY === undefined ? 'embedded' : 'drachtio';

/**
 * What takes 32 s in the field takes 1.3 s on the embedded server. drachtio-server reads such values, too,
 * but its timers are too coarse for them: it keeps those of RFC 3261 and gets more patience.
 */
export const TEST_TIMERS = KIND === 'embedded' ? { t1Ms: 20, t2Ms: 160, t4Ms: 200 } : {};
/** For calls whose ACK never comes: 64 T1 are 0.3 s. */
export const SHORT_TIMERS = KIND === 'embedded' ? { t1Ms: 5, t2Ms: 20 } : {};
export const PATIENCE_MS = KIND === 'embedded' ? 10_000 : 45_000;

interface Quirks {
  /** The answer of `proxyRequest`: drachtio proxies, the embedded server says that it does not. */
  readonly proxies: boolean;
  /** A verb that no application takes, while INVITE is taken. */
  readonly unroutedStatus: number;
  /** A verb that no application takes, in a dialog that nobody knows. */
  readonly strayInfoStatus: number;
  /** An INVITE that comes again at once gets its last response again (RFC 3261 §17.2.1). */
  readonly repeatsTrying: boolean;
  /** Max-Forwards: 0 in an INVITE. */
  readonly noHopsStatus: number;
  /** What the admin port does with `route` before `authenticate`. */
  readonly routeBeforeAuthentication: 'OK' | 'NO';
  /** The final status of a request to a UDP port where nobody listens. */
  readonly deadPortStatuses: readonly number[];
  /** A second INVITE that is the first one, come by another way (RFC 3261 §8.2.2.2). */
  readonly mergedStatus: number;
  /** A call of a scanner that introduces itself. */
  readonly scannerStatus: number;
  /** Verbs that no gateway takes, and that are refused nevertheless; the others get no answer at all. */
  readonly refusedVerbs: readonly string[];
  /** A NOTIFY with `Event: refer;id=`. */
  readonly emptyEventIdStatus: number;
}

const QUIRKS: Record<typeof KIND, Quirks> = {
  embedded: {
    proxies: false,
    unroutedStatus: 405,
    strayInfoStatus: 481,
    repeatsTrying: true,
    noHopsStatus: 483,
    routeBeforeAuthentication: 'NO',
    // Node does not pass ICMP errors of an unconnected UDP socket up.
    deadPortStatuses: [408],
    mergedStatus: 482,
    scannerStatus: 403,
    refusedVerbs: ['REGISTER', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'REFER'],
    emptyEventIdStatus: 481,
  },
  drachtio: {
    proxies: true,
    unroutedStatus: 503,
    strayInfoStatus: 503,
    repeatsTrying: false,
    // The application refuses it, as it refuses all that it does not know.
    noHopsStatus: 404,
    routeBeforeAuthentication: 'OK',
    deadPortStatuses: [408, 503],
    // It gives the second one to the dialog that the first one began, and forgets it there.
    mergedStatus: 100,
    // Its own filter is before ours, and says 603 whatever its `action` is.
    scannerStatus: 603,
    // A REFER outside any dialog is dropped.
    refusedVerbs: ['REGISTER', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH'],
    // It cannot be read: the gateway does not see it.
    emptyEventIdStatus: 400,
  },
};

export const quirks: Quirks = QUIRKS[KIND];
