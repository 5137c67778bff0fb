import { once } from 'node:events';
import { connect as connectTcp, createServer, isIP, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';

import { resolvedContact, type Contact, type ContactOptions } from './contact.ts';
import { LIMITS } from './limits.ts';

/** One TCP or TLS contact: takes connections, and makes them for its transport. */
export class StreamListener {
  readonly contact: Contact;
  readonly #server: Server;

  static async open(
    options: ContactOptions,
    onConnection: (socket: Socket, contact: Contact) => void,
    onError: (error: Error) => void,
  ): Promise<StreamListener> {
    const server = options.transport === 'tls' ? createTlsServer({ ...options.tls }) : createServer();
    server.listen(options.port, options.host);
    await once(server, 'listening');
    const contact = resolvedContact(options, (server.address() as AddressInfo).port);
    const event = options.transport === 'tls' ? 'secureConnection' : 'connection';
    server.on(event, (socket: Socket) => onConnection(socket, contact));
    server.on('error', onError);
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      onError(error);
      socket.destroy();
    });
    return new StreamListener(contact, server);
  }

  private constructor(contact: Contact, server: Server) {
    this.contact = contact;
    this.#server = server;
  }

  /** Starts a connection; what is written to the socket waits until it stands. */
  connect(address: string, port: number, serverName: string | undefined): Socket {
    const socket =
      this.contact.transport === 'tls' ? this.#tls(address, port, serverName) : connectTcp(port, address);
    const timer = setTimeout(
      () => socket.destroy(new Error('connecting took too long')),
      LIMITS.connectTimeoutMs,
    );
    socket.once(this.contact.transport === 'tls' ? 'secureConnect' : 'connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
    return socket;
  }

  #tls(host: string, port: number, serverName: string | undefined): TLSSocket {
    const { key, cert, ca, verifyPeers = true } = this.contact.tls ?? { key: '', cert: '' };
    const name = serverName !== undefined && isIP(serverName) === 0 ? serverName : undefined;
    return connectTls({
      host,
      port,
      key,
      cert,
      rejectUnauthorized: verifyPeers,
      ...(ca === undefined ? {} : { ca }),
      ...(name === undefined ? {} : { servername: name }),
    });
  }

  /** Stops listening; the connections are their owner's to close first. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
