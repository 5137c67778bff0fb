import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { once } from 'node:events';

import { resolvedContact, type Contact, type ContactOptions } from './contact.ts';
import { LIMITS } from './limits.ts';

/** One UDP contact. */
export class UdpListener {
  readonly contact: Contact;
  readonly #socket: Socket;

  static async open(
    options: ContactOptions,
    onDatagram: (data: Buffer, address: string, port: number, contact: Contact) => void,
    onError: (error: Error) => void,
  ): Promise<UdpListener> {
    const socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
    socket.bind(options.port, options.host);
    await once(socket, 'listening');
    try {
      socket.setRecvBufferSize(LIMITS.socketBufferBytes);
      socket.setSendBufferSize(LIMITS.socketBufferBytes);
    } catch {
      // The system's ceiling is lower: its default serves, with less room for bursts.
    }
    const contact = resolvedContact(options, socket.address().port);
    socket.on('message', (data, from) => onDatagram(data, from.address, from.port, contact));
    socket.on('error', onError);
    return new UdpListener(contact, socket);
  }

  private constructor(contact: Contact, socket: Socket) {
    this.contact = contact;
    this.#socket = socket;
  }

  send(text: string, address: string, port: number, failed: (error: Error) => void): void {
    this.#socket.send(Buffer.from(text, 'latin1'), port, address, (error) => {
      if (error !== null) failed(error);
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
