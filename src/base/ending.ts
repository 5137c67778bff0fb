/**
 * How a call ended: one vocabulary, mapped once to SIP status, Q.850 cause and CDR.
 *
 * success        the call did what it was for
 * client         the caller's side ended it or asked for something it cannot have
 * upstream       something we depend on failed (model, carrier behind a transfer)
 * server         we failed
 * indeterminate  the network fell silent; nobody knows
 */
export type EndingClass = 'success' | 'client' | 'upstream' | 'server' | 'indeterminate';

interface EndingRow {
  readonly class: EndingClass;
  /** Final SIP status when the call was never answered (RFC 3261 §21). */
  readonly sipStatus: number;
  /** Q.850 cause, as in `Reason: Q.850;cause=16` (RFC 3326). */
  readonly q850: number;
  readonly text: string;
}

export const ENDINGS = {
  'agent-hung-up': { class: 'success', sipStatus: 200, q850: 16, text: 'The agent finished the call' },
  'human-hung-up': { class: 'success', sipStatus: 200, q850: 16, text: 'The human agent finished the call' },
  'caller-hung-up': { class: 'success', sipStatus: 200, q850: 16, text: 'The caller hung up' },
  'visitor-left': { class: 'success', sipStatus: 200, q850: 16, text: 'The visitor hung up' },
  'room-closed': { class: 'success', sipStatus: 200, q850: 16, text: 'The call was over for everybody' },
  transferred: { class: 'success', sipStatus: 200, q850: 16, text: 'The call was transferred' },
  'caller-cancelled': { class: 'client', sipStatus: 487, q850: 16, text: 'The caller gave up while ringing' },
  'unknown-trunk': { class: 'client', sipStatus: 403, q850: 21, text: 'No trunk matches the sender' },
  'bad-credentials': { class: 'client', sipStatus: 403, q850: 21, text: 'The trunk gave wrong credentials' },
  'unknown-number': { class: 'client', sipStatus: 404, q850: 1, text: 'No route for the dialed number' },
  'bad-request': { class: 'client', sipStatus: 400, q850: 111, text: 'The request cannot be understood' },
  'too-many-hops': { class: 'client', sipStatus: 483, q850: 25, text: 'Max-Forwards ran out' },
  'unsupported-extension': {
    class: 'client',
    sipStatus: 420,
    q850: 79,
    text: 'A required extension is unknown',
  },
  loop: { class: 'client', sipStatus: 482, q850: 25, text: 'The request was seen before' },
  'no-common-codec': { class: 'client', sipStatus: 488, q850: 88, text: 'No codec in common' },
  'bad-sdp': { class: 'client', sipStatus: 400, q850: 88, text: 'The session description is broken' },
  'ack-timeout': {
    class: 'client',
    sipStatus: 408,
    q850: 102,
    text: 'The caller never acknowledged the answer',
  },
  dismissed: { class: 'client', sipStatus: 403, q850: 21, text: 'Too many messages of a page were none' },
  'minutes-spent': {
    class: 'client',
    sipStatus: 480,
    q850: 21,
    text: "The tenant's minutes of the day are spent",
  },
  'no-capacity': { class: 'server', sipStatus: 503, q850: 42, text: 'No capacity left for a call' },
  'shutting-down': { class: 'server', sipStatus: 503, q850: 42, text: 'The gateway is stopping' },
  'answer-timeout': {
    class: 'server',
    sipStatus: 480,
    q850: 18,
    text: 'The call could not be answered in time',
  },
  'model-unavailable': {
    class: 'upstream',
    sipStatus: 503,
    q850: 41,
    text: 'The voice model cannot be reached',
  },
  'media-failure': { class: 'server', sipStatus: 500, q850: 41, text: 'The sound path failed' },
  // Of a call whose gateway could not tell any more: its next start does, or an operator.
  'gateway-died': { class: 'server', sipStatus: 500, q850: 41, text: 'The gateway died during the call' },
  'internal-error': { class: 'server', sipStatus: 500, q850: 41, text: 'An unexpected error on our side' },
  'max-duration': {
    class: 'success',
    sipStatus: 200,
    q850: 16,
    text: 'The longest allowed call was reached',
  },
  'rtp-timeout': { class: 'indeterminate', sipStatus: 408, q850: 102, text: 'No sound from the caller' },
  'session-expired': { class: 'indeterminate', sipStatus: 408, q850: 102, text: 'The session timer ran out' },
  'visitor-lost': {
    class: 'indeterminate',
    sipStatus: 408,
    q850: 102,
    text: 'The page went away and did not come back',
  },
  'ice-lost': {
    class: 'indeterminate',
    sipStatus: 408,
    q850: 102,
    text: 'The way of the sound to the browser was lost',
  },
  'signalling-lost': { class: 'indeterminate', sipStatus: 408, q850: 41, text: 'The SIP server was lost' },
} as const satisfies Record<string, EndingRow>;

export type EndingSlug = keyof typeof ENDINGS;

/** An ending as it stands in the CDR and in a log line. */
export interface Ending extends EndingRow {
  readonly slug: EndingSlug;
  /** What was met, for the operator; free of personal data. */
  readonly detail?: string;
}

export function ending(slug: EndingSlug, detail?: string): Ending {
  return { slug, ...ENDINGS[slug], ...(detail === undefined ? {} : { detail }) };
}

/** The value of a Reason header (RFC 3326 §2) for an ending. */
export function reasonHeader(end: Ending): string {
  return `Q.850;cause=${end.q850};text="${end.text}"`;
}
