import type { StateTable } from './state-table.ts';

/**
 * Server transactions (RFC 3261 §17.2, INVITE as corrected by RFC 6026 §8.5).
 *
 *   proceeding --2xx--> accepted --L--> terminated                 (INVITE)
 *       |------3xx-6xx--> completed --ACK--> confirmed --I--> terminated
 *       |                     |--H: terminated
 *       |------2xx-6xx--> completed --J--> terminated              (all others)
 *
 * proceeding  the application has not answered for good; repeated requests get the last 1xx again (§17: also
 * "trying")
 * accepted    a 2xx was sent; repeated INVITEs are swallowed, the 2xx is repeated by the dialog, the ACK
 * goes to it
 * completed   the answer is repeated on request and, for an INVITE over UDP, by timer G until the ACK
 * confirmed   the ACK came; its repetitions are swallowed
 */
export type ServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';

export type ServerEvent = 'provisional' | 'success' | 'failure' | 'ack' | 'linger';

export const INVITE_SERVER: StateTable<ServerState, ServerEvent> = {
  proceeding: { provisional: 'proceeding', success: 'accepted', failure: 'completed', linger: 'terminated' },
  accepted: { success: 'accepted', linger: 'terminated' },
  completed: { ack: 'confirmed', linger: 'terminated' },
  confirmed: { ack: 'confirmed', linger: 'terminated' },
  terminated: {},
};

export const PLAIN_SERVER: StateTable<ServerState, ServerEvent> = {
  proceeding: { provisional: 'proceeding', success: 'completed', failure: 'completed', linger: 'terminated' },
  accepted: {},
  completed: { linger: 'terminated' },
  confirmed: {},
  terminated: {},
};
