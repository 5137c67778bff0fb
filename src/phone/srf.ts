/** The connection to the SIP server: requests come up, dialogs are made, and it comes back when it breaks. */
import { TrunklineError, messageOf } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import { RETRY_AFTER_S } from './capabilities.ts';
import { createSrf, type RawHeaders, type RawSrf } from './drachtio.ts';
import { SipDialog } from './sip-dialog.ts';
import { SipRequest } from './sip-request.ts';

export interface SipServerAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface ConnectOptions {
  readonly server: SipServerAddress;
  readonly log: Log;
  /** End of patience at the start, in ms. */
  readonly connectTimeoutMs?: number;
  /** Longest pause between two attempts to come back, in ms. */
  readonly retryMaxMs?: number;
}

export interface SipFrontEvents {
  /** A request outside any dialog that we know: the listener answers it, but for ACK. */
  request: SipRequest;
  /** The SIP server is gone; it is being called again all the time. */
  'signalling-lost': null;
  'signalling-restored': null;
}

/** Methods that a SIP server hands to us when they belong to no dialog. */
const ROUTED_METHODS = [
  'invite',
  'options',
  'register',
  'message',
  'subscribe',
  'publish',
  'refer',
  'notify',
  'info',
];

export class SipFront {
  readonly events = new Events<SipFrontEvents>();
  readonly #srf: RawSrf;
  readonly #log: Log;
  /** `udp/192.0.2.1:5060` and the like, as the server reports them. */
  #hostPorts: readonly string[] = [];
  #connected = false;
  #closed = false;

  private constructor(srf: RawSrf, log: Log) {
    this.#srf = srf;
    this.#log = log;
  }

  /**
   * Connects to a drachtio-server, or to the embedded one that speaks the same protocol.
   * @throws TrunklineError SIP_SERVER_UNREACHABLE
   */
  static async connect(options: ConnectOptions): Promise<SipFront> {
    const { server, log, connectTimeoutMs = 10_000, retryMaxMs = 2000 } = options;
    const front = new SipFront(createSrf(), log);
    front.#listen();
    const first = front.#firstConnection(server, connectTimeoutMs);
    front.#srf.connect({ ...server, reconnect: { retryMaxDelay: retryMaxMs } });
    try {
      await first;
    } catch (error) {
      front.close();
      throw error;
    }
    return front;
  }

  get connected(): boolean {
    return this.#connected;
  }

  get hostPorts(): readonly string[] {
    return this.#hostPorts;
  }

  /**
   * Answers an INVITE with 200. `ready` gets the dialog in the same turn in which it comes to be, before
   * any message that follows the 200 can be handled: a BYE is never missed.
   * @throws Error when the caller gave up meanwhile, or the connection is gone
   */
  answer(
    request: SipRequest,
    reply: { sdp: string; headers: RawHeaders },
    ready: (dialog: SipDialog) => void,
  ): Promise<void> {
    const { request: rawRequest, response } = request.raw;
    return new Promise((resolve, reject) => {
      let settled = false;
      const options = { localSdp: reply.sdp, headers: { ...reply.headers } };
      this.#srf.createUAS(rawRequest, response, options, (error, raw) => {
        if (settled) return;
        settled = true;
        if (raw === undefined) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        ready(new SipDialog(raw, () => this.#connection()));
        resolve();
      });
    });
  }

  /** Leaves the SIP server. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const client = this.#srf.app.client;
    if (client === undefined) return;
    // The library offers no way to take a pending attempt back.
    client.wp.closing = true;
    if (client.wp.reconnectVars.retryTimer !== null) clearTimeout(client.wp.reconnectVars.retryTimer);
    if (this.#connection() !== undefined) client.disconnect();
  }

  #connection(): unknown {
    return this.#srf.app.client?.mapServer.keys().next().value;
  }

  #listen(): void {
    this.#srf.on('connect', (error, hostPorts) => {
      if (error !== null && error !== undefined) return;
      this.#hostPorts = hostPorts.split(',').filter((contact) => contact !== '');
      this.#afterRoutes(() => this.#restored());
    });
    // Without a listener an error would end the process; the library goes on trying by itself.
    this.#srf.on('error', (error) => {
      if (!this.#closed) this.#log.debug({ detail: messageOf(error) }, 'SIP server connection error');
    });
    this.#srf.on('close', () => {
      if (!this.#connected) return;
      this.#connected = false;
      if (this.#closed) return;
      this.#log.error('SIP server lost: calls keep their sound, new ones cannot come until it is back');
      this.events.emit('signalling-lost', null);
    });
    for (const method of ROUTED_METHODS) this.#srf.use(method, (_request, _response, next) => next());
    this.#srf.use((request, response) => {
      if (request.method === 'ACK') return;
      const arrived = new SipRequest(request, response);
      // A SIP server that was there before us has calls at once, and one without an answer would hang.
      if (!this.events.emit('request', arrived))
        arrived.respond(503, { headers: { 'Retry-After': String(RETRY_AFTER_S) } });
    });
  }

  /**
   * Calls `go` when the server has taken our routes, which the library asks for right before it says
   * `connect`: commands are dealt with in order, and an INVITE that comes earlier would be refused with 503.
   */
  #afterRoutes(go: () => void): void {
    const client = this.#srf.app.client;
    const [connection, state] = client?.mapServer.entries().next().value ?? [];
    if (client === undefined || connection === undefined || state === undefined) return;
    state.pendingRequests.set(client.wp.send(connection, 'ping'), go);
  }

  #restored(): void {
    if (this.#connected || this.#closed) return;
    this.#connected = true;
    this.#log.info({ sip: this.#hostPorts }, 'SIP server connected');
    this.events.emit('signalling-restored', null);
  }

  #firstConnection(server: SipServerAddress, timeoutMs: number): Promise<void> {
    const where = `${server.host}:${server.port}`;
    return new Promise((resolve, reject) => {
      let lastTrouble = 'no answer';
      const timer = setTimeout(() => {
        reject(new TrunklineError('SIP_SERVER_UNREACHABLE', `${where}: ${lastTrouble}`));
      }, timeoutMs);
      this.#srf.on('error', (error) => (lastTrouble = messageOf(error)));
      const stopWaiting = this.events.on('signalling-restored', () => {
        stopWaiting();
        clearTimeout(timer);
        resolve();
      });
      this.#srf.on('connect', (error) => {
        if (error === null || error === undefined) return;
        clearTimeout(timer);
        reject(new TrunklineError('SIP_SERVER_UNREACHABLE', `${where}: ${messageOf(error)}`));
      });
    });
  }
}
