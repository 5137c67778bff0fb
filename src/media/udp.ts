/** UDP sockets as the media threads use them: IP literals only, sized buffers, counted. */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** Kernel buffers: about 1.3 s of one G.711 line at 172 + overhead bytes a packet. */
const SOCKET_BUFFER_BYTES = 128 * 1024;

export type OnPacket = (packet: Buffer, from: RemoteInfo) => void;

/** Counts sockets from bind to close, so that a census can prove that none is left. */
export class SocketLedger {
  open = 0;
}

export interface UdpOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly ledger: SocketLedger;
  readonly onPacket: OnPacket;
  /** What a handler threw, and what the socket reported; neither ends the socket. */
  readonly onError: (error: unknown) => void;
  readonly bufferBytes?: number;
}

/** Binds, or rejects with the system's error (`EADDRINUSE`, ...). */
export async function bindUdp(options: UdpOptions): Promise<UdpSocket> {
  const bytes = options.bufferBytes ?? SOCKET_BUFFER_BYTES;
  const socket = createSocket({
    type: isIPv6(options.address) ? 'udp6' : 'udp4',
    recvBufferSize: bytes,
    sendBufferSize: bytes,
    // Every address is an IP literal: Node's resolver would cost a tick and an allocation per packet.
    lookup: (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: options.address, port: options.port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  return new UdpSocket(socket, options);
}

export class UdpSocket {
  readonly port: number;
  readonly #socket: Socket;
  readonly #ledger: SocketLedger;
  readonly #onError: (error: unknown) => void;
  #closed: Promise<void> | null = null;

  constructor(socket: Socket, options: UdpOptions) {
    this.#socket = socket;
    this.#ledger = options.ledger;
    this.#onError = options.onError;
    this.port = socket.address().port;
    this.#ledger.open++;
    socket.on('error', options.onError);
    socket.on('message', (packet, from) => {
      if (this.#closed !== null) return;
      try {
        options.onPacket(packet, from);
      } catch (error) {
        options.onError(error);
      }
    });
  }

  /** Fire and forget: UDP promises nothing. The bytes must stay as they are for the next few milliseconds. */
  send(packet: Uint8Array, port: number, address: string): void {
    if (this.#closed !== null) return;
    try {
      this.#socket.send(packet, port, address);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** Idempotent; resolves when the port is free again. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#socket.close(() => {
        this.#ledger.open--;
        resolve();
      });
    });
    return this.#closed;
  }
}
