/** What we use of the package `smpp` 0.5, which has no types of its own. */
declare module 'smpp' {
  import type { EventEmitter } from 'node:events';
  import type { Server as NetServer } from 'node:net';

  export interface PduFields {
    command_status?: number;
    [name: string]: unknown;
  }

  export class PDU {
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    readonly [name: string]: unknown;
    constructor(command: string, fields?: PduFields);
    response(fields?: PduFields): PDU;
    isResponse(): boolean;
  }

  export class Session extends EventEmitter {
    /** false: the socket takes nothing more. */
    send(pdu: PDU, onResponse?: (response: PDU) => void): boolean;
    close(done?: () => void): void;
    destroy(done?: () => void): void;
  }

  export class Server extends NetServer {
    readonly sessions: Session[];
  }

  interface Package {
    connect(options: { host: string; port: number; tls?: boolean }): Session;
    createServer(onSession: (session: Session) => void): Server;
    readonly PDU: typeof PDU;
  }
  /** CommonJS: everything hangs on the default. */
  const smpp: Package;
  export default smpp;
}
