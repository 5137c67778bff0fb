import type { AdminServer } from './admin-server.ts';
import type { Counters, ServerLog } from './counters.ts';
import type { Dialogs } from './dialogs.ts';
import type { Resolver } from './resolve.ts';
import type { SessionTimerPolicy } from './session-timer.ts';
import type { Timers } from './timers.ts';
import type { Transactions } from './transactions.ts';
import type { Transport } from './transport.ts';

/** What the parts of the server share. */
export interface Core {
  readonly transport: Transport;
  readonly transactions: Transactions;
  readonly dialogs: Dialogs;
  readonly admin: AdminServer;
  readonly resolver: Resolver;
  readonly timers: Timers;
  readonly sessionTimer: SessionTimerPolicy;
  readonly counters: Counters;
  readonly log: ServerLog;
}

/** A refusal whose sentence goes to the application behind NOK. */
export class Refusal extends Error {}
