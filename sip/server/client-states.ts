import type { StateTable } from './state-table.ts';

/**
 * Client transactions (RFC 3261 §17.1, INVITE as corrected by RFC 6026 §8.4).
 *
 *   calling --1xx--> proceeding --2xx--> accepted --M--> terminated
 *      |                 |----3xx-6xx--> completed --D or K--> terminated
 *      |---2xx, 3xx-6xx: the same; B or F, transport error: terminated
 *
 * calling     the request was sent; it is repeated (A, E) until something comes back (§17: "trying" for
 * non-INVITE)
 * proceeding  the other side is at work; an INVITE is not repeated any more, others are, every T2
 * accepted    a 2xx came; repetitions and forks of it still go up for as long as M runs (INVITE only)
 * completed   the end came; its repetitions are swallowed (an INVITE's are acknowledged again)
 */
export type ClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';

export type ClientEvent = 'provisional' | 'success' | 'failure' | 'timeout' | 'transportError' | 'linger';

export const INVITE_CLIENT: StateTable<ClientState, ClientEvent> = {
  calling: {
    provisional: 'proceeding',
    success: 'accepted',
    failure: 'completed',
    timeout: 'terminated',
    transportError: 'terminated',
  },
  proceeding: {
    provisional: 'proceeding',
    success: 'accepted',
    failure: 'completed',
    timeout: 'terminated',
    transportError: 'proceeding',
  },
  accepted: { success: 'accepted', linger: 'terminated' },
  completed: { failure: 'completed', linger: 'terminated' },
  terminated: {},
};

export const PLAIN_CLIENT: StateTable<ClientState, ClientEvent> = {
  calling: {
    provisional: 'proceeding',
    success: 'completed',
    failure: 'completed',
    timeout: 'terminated',
    transportError: 'terminated',
  },
  proceeding: {
    provisional: 'proceeding',
    success: 'completed',
    failure: 'completed',
    timeout: 'terminated',
    transportError: 'terminated',
  },
  accepted: {},
  completed: { linger: 'terminated' },
  terminated: {},
};
