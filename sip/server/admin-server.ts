import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

import type { Command } from './admin-protocol.ts';
import { Application } from './application.ts';
import type { Counters } from './counters.ts';
import { LIMITS } from './limits.ts';

export interface AdminOptions {
  /** Keep it on loopback: the protocol is not encrypted. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  readonly secret: string;
}

/** Must parse as a drachtio version of at least v0.8.2, or drachtio-srf sends no pings. */
export const SERVER_VERSION = 'v0.9.10-trunkline';

export interface AdminEvents {
  /** A `sip` or `proxy` command of an authenticated application. */
  onCommand(application: Application, command: Command): void;
  /** An application is gone. */
  onGone(application: Application): void;
}

/** The applications on the admin port, and which of them wants what. */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #events: AdminEvents;
  readonly #counters: Counters;
  readonly #contacts: () => { public: string; local: string };
  readonly #server: Server;
  readonly #applications = new Set<Application>();
  readonly #turns = new Map<string, number>();

  constructor(
    options: AdminOptions,
    parts: { events: AdminEvents; counters: Counters; contacts: () => { public: string; local: string } },
  ) {
    this.#options = options;
    this.#events = parts.events;
    this.#counters = parts.counters;
    this.#contacts = parts.contacts;
    this.#server = createServer((socket) => {
      if (this.#applications.size >= LIMITS.applicationsMax) {
        socket.destroy();
        return;
      }
      this.#applications.add(
        new Application(socket, {
          onCommand: (application, command) => this.#command(application, command),
          onClosed: (application) => {
            this.#applications.delete(application);
            if (application.authenticated) this.#events.onGone(application);
          },
        }),
      );
    });
  }

  /** Starts to listen; resolves with the port. */
  async listen(): Promise<number> {
    this.#server.listen(this.#options.port, this.#options.host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  get count(): number {
    return this.#applications.size;
  }

  /** The application whose turn it is for that verb; undefined when none wants it. */
  pick(verb: string): Application | undefined {
    const name = verb.toLowerCase();
    const takers = [...this.#applications].filter(
      (application) => application.connected && application.routes.has(name),
    );
    const turn = this.#turns.get(name) ?? 0;
    if (takers.length > 0) this.#turns.set(name, (turn + 1) % takers.length);
    return takers[turn % takers.length];
  }

  /** Verbs that some application takes, in upper case, for an Allow header. */
  get verbs(): string[] {
    const names = [...this.#applications].flatMap((application) => [...application.routes]);
    return [...new Set(names)].filter((name) => !name.startsWith('cdr:')).map((name) => name.toUpperCase());
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const application of this.#applications) application.close();
    await closed;
  }

  #command(application: Application, command: Command): void {
    this.#counters.add('admin.commands');
    if (command.type === 'authenticate') this.#authenticate(application, command);
    else if (!application.authenticated) this.#refuse(application, command.id, 'not authenticated');
    else this.#authenticated(application, command);
  }

  #authenticate(application: Application, command: Command): void {
    if (!sameSecret(command.fields[0] ?? '', this.#options.secret)) {
      this.#counters.add('admin.wrongSecret');
      this.#refuse(application, command.id, 'incorrect secret');
      return;
    }
    application.authenticated = true;
    const contacts = this.#contacts();
    application.reply(command.id, `OK|${contacts.public}|${SERVER_VERSION}|${contacts.local}`);
  }

  #authenticated(application: Application, command: Command): void {
    const verb = (command.fields[0] ?? '').toLowerCase();
    switch (command.type) {
      case 'ping':
        application.reply(command.id, 'OK|pong');
        return;
      case 'route':
        if (verb === '' || application.routes.size >= LIMITS.routesPerApplicationMax) {
          application.reply(command.id, 'NOK|no such verb can be routed');
          return;
        }
        application.routes.add(verb);
        application.reply(command.id, 'OK');
        return;
      case 'remove_route':
        application.routes.delete(verb);
        application.reply(command.id, 'OK');
        return;
      case 'sip':
      case 'proxy':
        this.#events.onCommand(application, command);
        return;
      default:
        this.#refuse(application, command.id, 'Unknown message type');
    }
  }

  #refuse(application: Application, commandId: string, reason: string): void {
    application.reply(commandId, `NO|${reason}`);
    application.end();
  }
}

/** Compares digests, so that neither length nor time tells anything about the secret. */
function sameSecret(given: string, secret: string): boolean {
  const digest = (text: string, encoding: BufferEncoding): Buffer =>
    createHash('sha256').update(text, encoding).digest();
  return timingSafeEqual(digest(given, 'latin1'), digest(secret, 'utf8'));
}
