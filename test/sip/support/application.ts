/** drachtio-srf 5, wrapped once: its bundled types lack much of what it does. */
import { once, type EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';

export interface SipRequestLike extends EventEmitter {
  readonly method: string;
  readonly uri: string;
  readonly body: string;
  readonly protocol: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly receivedOn?: string;
  readonly stackDialogId?: string;
  get(name: string): string;
  has(name: string): boolean;
  cancel(done?: (error: unknown) => void): void;
}

export interface SipResponseLike {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  get(name: string): string;
  has(name: string): boolean;
}

export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export interface Reply {
  send(
    status: number,
    options?: SendOptions,
    sent?: (error: unknown, response?: SipResponseLike) => void,
    acknowledged?: (prack: SipRequestLike) => void,
  ): void;
}

export interface SipDialog extends EventEmitter {
  readonly id: string;
  readonly dialogType: string;
  readonly connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly sdp: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  readonly res: SipResponseLike;
  destroy(options?: { headers?: Record<string, string> }): Promise<SipRequestLike>;
  modify(sdp: string): Promise<string>;
  request(options: { method: string } & SendOptions): Promise<SipResponseLike>;
}

export interface CallOptions {
  localSdp?: string;
  headers?: Record<string, string>;
  method?: 'INVITE' | 'SUBSCRIBE';
  auth?: { username: string; password: string };
  proxy?: string;
}

export interface RequestOptions extends SendOptions {
  readonly uri?: string;
  readonly method: string;
  readonly stackDialogId?: string;
  readonly auth?: { username: string; password: string };
}

export interface CallProgress {
  cbRequest?: (error: unknown, request: SipRequestLike) => void;
  cbProvisional?: (response: SipResponseLike) => void;
}

export type Handler = (request: SipRequestLike, reply: Reply) => void;

/** The library gives NOK texts as strings, its own failures as errors. */
type SentCallback = (error: Error | string | null | undefined, request: SipRequestLike) => void;

interface LooseSrf extends EventEmitter {
  connect(options: object): unknown;
  disconnect(): void;
  use(method: string, handler: Handler): void;
  createUAS(request: unknown, reply: unknown, options: object): Promise<SipDialog>;
  createUAC(uri: string, options: object, progress: object): Promise<SipDialog>;
  createB2BUA(
    request: unknown,
    reply: unknown,
    uri: string,
    options: object,
  ): Promise<{ uas: SipDialog; uac: SipDialog }>;
  proxyRequest(request: unknown, uris: string[], options: object): Promise<{ connected: boolean }>;
  request(uri: string, options: object, sent: SentCallback): void;
}

const Library = Srf as unknown as new (tags?: string[]) => LooseSrf;

/** One application on a SIP server. */
export class TestApplication {
  readonly srf: LooseSrf;
  /** What the server said it listens on, `udp/127.0.0.1:5060,...`. */
  readonly hostports: string;
  /** Handler per verb; a verb without one is refused with 404. */
  readonly handlers = new Map<string, Handler>();

  static async connect(
    admin: { host: string; port: number; secret: string },
    verbs: readonly string[],
  ): Promise<TestApplication> {
    const srf = new Library(['test']);
    srf.on('error', () => undefined);
    const connected = once(srf, 'connect');
    srf.connect({ ...admin, reconnect: { maxAttempts: 1 } });
    const [error, hostports] = (await connected) as [Error | null, string];
    if (error !== null) throw error;
    const application = new TestApplication(srf, hostports);
    for (const verb of verbs) application.take(verb);
    // The answer to a request shows that the routes before it are in place: the server takes commands in
    // order.
    await application.roundTrip();
    return application;
  }

  #disconnected = false;

  private constructor(srf: LooseSrf, hostports: string) {
    this.srf = srf;
    this.hostports = hostports;
  }

  take(verb: string): void {
    this.srf.use(verb, (request, reply) => {
      const handler = this.handlers.get(verb);
      if (handler === undefined) reply.send(404);
      else handler(request, reply);
    });
  }

  on(verb: string, handler: Handler): void {
    this.handlers.set(verb, handler);
  }

  /** Resolves when the server has dealt with every command sent so far. */
  async roundTrip(): Promise<void> {
    await this.request({ stackDialogId: 'no-such-dialog', method: 'INFO' }).catch(() => undefined);
  }

  answer(request: SipRequestLike, reply: Reply, localSdp: string, headers = {}): Promise<SipDialog> {
    return this.srf.createUAS(request, reply, { localSdp, headers });
  }

  call(uri: string, options: CallOptions, progress: CallProgress = {}): Promise<SipDialog> {
    return this.srf.createUAC(uri, options, {
      cbRequest: () => undefined,
      cbProvisional: () => undefined,
      ...progress,
    });
  }

  /** Sends a request outside or inside a dialog; resolves with the final response. */
  request(options: RequestOptions): Promise<SipResponseLike> {
    const { uri = 'sip:placeholder', ...rest } = options;
    return new Promise<SipResponseLike>((resolve, reject) => {
      this.srf.request(uri, rest, (error, request) => {
        if (error !== null && error !== undefined) {
          reject(error instanceof Error ? error : new Error(error));
          return;
        }
        request.on('response', (response: SipResponseLike) => {
          if (response.status >= 200) resolve(response);
        });
      });
    });
  }

  disconnect(): void {
    if (this.#disconnected) return;
    this.#disconnected = true;
    this.srf.disconnect();
  }
}

/** Resolves with the first argument of the next event of that name. */
export async function next<T>(emitter: EventEmitter, name: string): Promise<T> {
  const [first] = (await once(emitter, name)) as [T];
  return first;
}

export function sdp(port: number, direction = 'sendrecv'): string {
  return [
    ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
    ...[`m=audio ${port} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', `a=${direction}`, ''],
  ].join('\r\n');
}
