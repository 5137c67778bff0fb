/**
 * The embedded SIP server: a user agent core behind drachtio's admin protocol, so that drachtio-srf runs on
 * it as
 * on drachtio-server. What it leaves out: proxying, WebSocket, SRV and NAPTR records.
 */
import { TrunklineError, messageOf } from '../../src/base/errors.ts';
import { AdminServer, type AdminOptions } from './admin-server.ts';
import {
  describeContact,
  hostFor,
  type Contact,
  type ContactOptions,
  type TransportName,
} from './contact.ts';
import type { Core } from './core.ts';
import { Counters, SILENT_LOG, type ServerLog } from './counters.ts';
import { Dialogs } from './dialogs.ts';
import { Dispatcher } from './dispatcher.ts';
import { Resolver } from './resolve.ts';
import { DEFAULT_SESSION_TIMER, type SessionTimerPolicy } from './session-timer.ts';
import { RFC_TIMERS, type Timers } from './timers.ts';
import { Transactions } from './transactions.ts';
import { Transport } from './transport.ts';

export type { Contact, ContactOptions, TransportName } from './contact.ts';
export type { AdminOptions } from './admin-server.ts';
export type { ServerLog } from './counters.ts';

export interface SipServerOptions {
  /** At least one. Requests without a transport parameter leave over UDP where there is a UDP contact. */
  readonly contacts: readonly ContactOptions[];
  readonly admin: AdminOptions;
  readonly log?: ServerLog;
  /** Defaults are those of RFC 3261; tests shorten them. */
  readonly timers?: Partial<Timers>;
  readonly sessionTimer?: Partial<SessionTimerPolicy>;
}

/** What is open right now. All zero once the last call is over and its transactions have lingered out. */
export interface Census {
  readonly clientTransactions: number;
  readonly serverTransactions: number;
  readonly dialogs: number;
  readonly connections: number;
  readonly applications: number;
  /** Requests of the network that wait for an application. */
  readonly pendingRequests: number;
}

export interface SipServer {
  /** Where it listens, ports known. */
  readonly contacts: readonly Contact[];
  readonly admin: AdminOptions;
  counters(): Record<string, number>;
  census(): Census;
  /**
   * Closes every socket and timer. Calls are not ended: that is the application's to do first. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Starts the server; resolves when every contact and the admin port listen.
 * Rejects with SIP_PORT_IN_USE when a port cannot be had; nothing stays open then.
 */
export async function startSipServer(options: SipServerOptions): Promise<SipServer> {
  const server = new EmbeddedSipServer(options);
  try {
    await server.listen();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class EmbeddedSipServer implements SipServer {
  readonly #options: SipServerOptions;
  readonly #core: Core;
  readonly #dispatcher: Dispatcher;
  #admin: AdminOptions;
  #closing: Promise<void> | undefined;

  constructor(options: SipServerOptions) {
    this.#options = options;
    this.#admin = options.admin;
    const log = options.log ?? SILENT_LOG;
    const counters = new Counters();
    const timers: Timers = { ...RFC_TIMERS, ...options.timers };
    const transport = new Transport({
      onReceived: (received) => this.#guard('a SIP message', () => this.#dispatcher.onReceived(received)),
      counters,
      log,
    });
    const transactions = new Transactions(
      { timers, send: (peer, text, failed) => transport.send(peer, text, failed) },
      {
        onRequest: (transaction) => this.#dispatcher.incoming.onRequest(transaction),
        onAck: (ack, source) => this.#dispatcher.incoming.onAck(ack, source),
        onCancel: (cancel, invite) => this.#dispatcher.incoming.onCancel(cancel, invite),
      },
      counters,
    );
    const admin = new AdminServer(options.admin, {
      events: {
        onCommand: (application, command) =>
          this.#guard('a command', () => this.#dispatcher.onCommand(application, command)),
        onGone: (application) => this.#dispatcher.onApplicationGone(application),
      },
      counters,
      contacts: () => describeContacts(transport.contacts),
    });
    const resolver = new Resolver(
      new Set(options.contacts.map((contact): TransportName => contact.transport)),
    );
    const sessionTimer = { ...DEFAULT_SESSION_TIMER, ...options.sessionTimer };
    const dialogs = new Dialogs();
    this.#core = { transport, transactions, dialogs, admin, resolver, timers, sessionTimer, counters, log };
    this.#dispatcher = new Dispatcher(this.#core);
  }

  async listen(): Promise<void> {
    for (const contact of this.#options.contacts) {
      const { transport, host, port } = contact;
      await claimed(`${transport}/${host}:${port}`, this.#core.transport.listen(contact));
    }
    const { host, port } = this.#options.admin;
    const chosen = await claimed(`admin ${host}:${port}`, this.#core.admin.listen());
    this.#admin = { ...this.#options.admin, port: chosen };
  }

  get contacts(): readonly Contact[] {
    return this.#core.transport.contacts;
  }

  get admin(): AdminOptions {
    return this.#admin;
  }

  counters(): Record<string, number> {
    return this.#core.counters.snapshot();
  }

  census(): Census {
    const { transactions, dialogs, transport, admin } = this.#core;
    return {
      clientTransactions: transactions.clientCount,
      serverTransactions: transactions.serverCount,
      dialogs: dialogs.count,
      connections: transport.connectionCount,
      applications: admin.count,
      pendingRequests: this.#dispatcher.pendingCount,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { admin, transactions, dialogs, transport } = this.#core;
    await admin.close();
    this.#dispatcher.close();
    dialogs.close();
    transactions.close();
    await transport.close();
  }

  /**
   * One peer's message must never take the server down: what is thrown here is a bug of ours, and is told
   * as one.
   */
  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#core.counters.add('bugs');
      this.#core.log.error({ err: error }, `the SIP server failed on ${what}`);
    }
  }
}

async function claimed<T>(address: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    throw new TrunklineError('SIP_PORT_IN_USE', `${address}: ${messageOf(error)}`, { cause: error });
  }
}

/** Public and local lists, as drachtio-server gives them to an application. */
function describeContacts(contacts: readonly Contact[]): { public: string; local: string } {
  const list = (host: (contact: Contact) => string): string =>
    contacts.map((contact) => describeContact(contact, host(contact))).join(',');
  return {
    public: list((contact) => contact.advertisedHost),
    local: list((contact) => hostFor(contact, contact.host)),
  };
}
