import type { Socket } from 'node:net';

import { contactFor, type Contact, type ContactOptions, type TransportName } from './contact.ts';
import type { Counters, ServerLog } from './counters.ts';
import { LIMITS } from './limits.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamItem } from './stream-framer.ts';
import { StreamListener } from './transport-stream.ts';
import { UdpListener } from './transport-udp.ts';
import { hostPort } from './uri.ts';

/** Where a message came from or goes to. */
export interface Peer {
  readonly transport: TransportName;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** The address of ours that it came to or leaves from. */
  readonly contact: Contact;
  /** Used as long as it lives; then another one to address and port is taken or made. */
  readonly connection?: StreamConnection;
  /** The name to check a TLS certificate against. */
  readonly serverName?: string;
}

export type Received =
  | { readonly kind: 'message'; readonly text: string; readonly peer: Peer }
  | { readonly kind: 'broken'; readonly text: string; readonly tooLong: boolean; readonly peer: Peer };

/** How a send failed. `reused`: over a connection that stood before, so a new one may still succeed. */
export type SendFailed = (error: Error, reused: boolean) => void;

/** All sockets that carry SIP. */
export class Transport {
  readonly #udp: UdpListener[] = [];
  readonly #streams: StreamListener[] = [];
  readonly #connections = new Map<string, StreamConnection>();
  readonly #all = new Set<StreamConnection>();
  readonly #onReceived: (received: Received) => void;
  readonly #counters: Counters;
  readonly #log: ServerLog;

  constructor(parts: { onReceived: (received: Received) => void; counters: Counters; log: ServerLog }) {
    this.#onReceived = parts.onReceived;
    this.#counters = parts.counters;
    this.#log = parts.log;
  }

  /** Starts to listen; rejects with the system's error (EADDRINUSE, EACCES...). */
  async listen(options: ContactOptions): Promise<void> {
    const failed = (error: Error): void => {
      this.#counters.add('transport.errors');
      this.#log.debug({ err: error, transport: options.transport }, 'a SIP socket reported an error');
    };
    if (options.transport === 'udp') {
      const take = (data: Buffer, address: string, port: number, contact: Contact): void => {
        this.#counters.add('received.udp');
        const peer = { transport: 'udp', address, port, contact } as const;
        this.#onReceived({ kind: 'message', text: data.toString('latin1'), peer });
      };
      this.#udp.push(await UdpListener.open(options, take, failed));
    } else {
      const take = (socket: Socket, contact: Contact): void => this.#accept(socket, contact);
      this.#streams.push(await StreamListener.open(options, take, failed));
    }
  }

  get contacts(): Contact[] {
    return [...this.#udp, ...this.#streams].map((listener) => listener.contact);
  }

  get connectionCount(): number {
    return this.#all.size;
  }

  contactFor(peer: { transport: TransportName; address: string }): Contact | undefined {
    return contactFor(this.contacts, peer);
  }

  /**
   * Sends to a peer, over a standing connection where there is one. `failed` is called at most once, also
   * when the connection ends later; the returned function says that nobody wants to know any more.
   */
  send(peer: Peer, text: string, failed: SendFailed): () => void {
    this.#counters.add(`sent.${peer.transport}`);
    if (peer.transport === 'udp') {
      const listener = this.#udp.find((candidate) => candidate.contact === peer.contact);
      listener?.send(text, peer.address, peer.port, (error) => failed(error, false));
      return () => undefined;
    }
    const standing = this.#standing(peer);
    const connection = standing ?? this.#connect(peer);
    if (connection === undefined) {
      queueMicrotask(() => failed(new Error('no connection can be made'), false));
      return () => undefined;
    }
    const unwatch = connection.watch((error) => failed(error, standing !== undefined));
    connection.write(text);
    return unwatch;
  }

  async close(): Promise<void> {
    const closing = [...this.#udp, ...this.#streams].map((listener) => listener.close());
    for (const connection of this.#all) connection.close('the server stops');
    await Promise.all(closing);
  }

  #standing(peer: Peer): StreamConnection | undefined {
    if (peer.connection?.open === true) return peer.connection;
    const pooled = this.#connections.get(key(peer));
    return pooled?.open === true ? pooled : undefined;
  }

  #connect(peer: Peer): StreamConnection | undefined {
    const listener =
      this.#streams.find((candidate) => candidate.contact === peer.contact) ??
      this.#streams.find((candidate) => candidate.contact.transport === peer.transport);
    if (listener === undefined || this.#full()) return undefined;
    this.#counters.add('connections.opened');
    return this.#adopt(listener.connect(peer.address, peer.port, peer.serverName), peer);
  }

  #accept(socket: Socket, contact: Contact): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined || this.#full()) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    this.#counters.add('connections.accepted');
    this.#adopt(socket, { transport: contact.transport, contact, address: remoteAddress, port: remotePort });
  }

  #full(): boolean {
    if (this.#all.size < LIMITS.connectionsMax) return false;
    this.#counters.add('connections.refused');
    return true;
  }

  #adopt(socket: Socket, peer: Peer): StreamConnection {
    const connection = new StreamConnection(
      socket,
      peer,
      (item, from) => this.#item(item, from, peer),
      (gone) => {
        this.#all.delete(gone);
        if (this.#connections.get(key(peer)) === gone) this.#connections.delete(key(peer));
      },
    );
    this.#all.add(connection);
    this.#connections.set(key(peer), connection);
    return connection;
  }

  #item(item: StreamItem, connection: StreamConnection, peer: Peer): void {
    this.#counters.add(`received.${peer.transport}`);
    if (item.kind === 'ping') {
      connection.write('\r\n');
      return;
    }
    this.#onReceived({ ...item, peer: { ...peer, connection } });
    if (item.kind === 'broken') connection.end();
  }
}

function key(peer: { transport: TransportName; address: string; port: number }): string {
  return `${peer.transport}/${hostPort(peer.address, peer.port)}`;
}
