/**
 * The one import of drachtio-srf, with the types that its own declarations lack or get wrong
 * (reconnect, connected, the dialog's events). Everything above sees srf.ts, sip-request.ts and
 * sip-dialog.ts.
 */
import Srf from 'drachtio-srf';

export type RawHeaders = Record<string, string>;

export interface RawMessage {
  readonly method?: string;
  readonly uri?: string;
  readonly body?: string;
  readonly payload?: readonly { readonly type?: string | null; readonly content?: string }[];
  readonly headers: RawHeaders;
}

export interface RawRequest {
  readonly method: string;
  readonly uri: string;
  readonly body?: string;
  readonly payload?: RawMessage['payload'];
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly stackDialogId?: string;
  /** The connection to the SIP server that the request came by. */
  socket: unknown;
  get(name: string): string | undefined;
  once(event: 'cancel', listener: () => void): void;
}

export interface RawResponse {
  readonly finalResponseSent: boolean;
  send(
    status: number,
    options: { headers?: RawHeaders; body?: string },
    sent?: (error: unknown) => void,
    onPrack?: () => void,
  ): void;
}

export interface RawDialog {
  readonly id: string;
  readonly connected: boolean;
  readonly req: RawRequest;
  readonly local: { sdp: string };
  readonly remote: { sdp: string | undefined };
  on(event: 'destroy', listener: (request: RawMessage, reason: string) => void): void;
  on(event: 'ack', listener: (request: RawRequest) => void): void;
  on(
    event: 'modify' | 'update' | 'info' | 'refer' | 'message' | 'notify' | 'options' | 'publish',
    listener: (request: RawRequest, response: RawResponse) => void,
  ): void;
  destroy(options: { headers: RawHeaders }, done: (error: unknown) => void): void;
  /** May call back several times: provisional responses count. */
  request(
    options: { method: string; headers: RawHeaders },
    done: (error: unknown, response?: { readonly status: number; get(name: string): string }) => void,
  ): void;
}

export interface RawConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly reconnect: { readonly retryMaxDelay: number };
}

/** Parts of the library that have no public door, needed to close it for good and to hear the server out. */
interface RawClient {
  readonly mapServer: Map<object, { readonly pendingRequests: Map<string, (reply: unknown) => void> }>;
  readonly wp: {
    closing?: boolean;
    readonly reconnectVars: { retryTimer: NodeJS.Timeout | null };
    /** Returns the id that the server's reply bears. */
    send(connection: object, command: string): string;
  };
  disconnect(): void;
}

export interface RawSrf {
  readonly app: { readonly client?: RawClient };
  connect(options: RawConnectOptions): unknown;
  use(handler: (request: RawRequest, response: RawResponse) => void): void;
  use(method: string, handler: (request: RawRequest, response: RawResponse, next: () => void) => void): void;
  createUAS(
    request: RawRequest,
    response: RawResponse,
    options: { localSdp: string; headers: RawHeaders },
    done: (error: unknown, dialog: RawDialog | undefined) => void,
  ): void;
  on(event: 'connect', listener: (error: unknown, hostPorts: string, version?: string) => void): void;
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'close', listener: () => void): void;
}

export function createSrf(): RawSrf {
  return new Srf() as unknown as RawSrf;
}
