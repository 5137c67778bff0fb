/**
 * The signalling side of a phone: an embedded SIP server of its own, on a free port, and drachtio-srf.
 * drachtio-srf's bundled types lack much of what it does, so it is wrapped here once.
 */
import { once, type EventEmitter } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Srf from 'drachtio-srf';
import type { ContactTls } from '../../../sip/server/contact.ts';
import { startSipServer, type SipServer } from '../../../sip/server/server.ts';
import { makeCertificate } from '../certificate.ts';

/** What a phone uses of a drachtio-srf dialog. */
export interface PhoneDialog extends EventEmitter {
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly remote: { readonly sdp: string };
  readonly connected: boolean;
  destroy(options?: { headers?: Record<string, string> }): Promise<unknown>;
  modify(sdp: string): Promise<string>;
  request(options: {
    method: string;
    headers?: Record<string, string>;
    body?: string;
  }): Promise<{ readonly status: number }>;
}

export interface InviteOptions {
  readonly uri: string;
  readonly sdp: string;
  readonly headers?: Record<string, string>;
  readonly auth?: { readonly username: string; readonly password: string };
  /** Takes the function that gives the call up while it rings. */
  readonly onSent?: (cancel: () => void, callId: string) => void;
  readonly onProvisional?: (status: number) => void;
}

/** The far end said no. */
export class CallRefused extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    super(`${status} ${reason}`.trim());
    this.name = 'CallRefused';
    this.status = status;
    this.reason = reason;
  }
}

interface SrfFailure {
  readonly status?: number;
  readonly reason?: string;
  readonly res?: { get(name: string): string | undefined };
}

export type PhoneTransport = 'udp' | 'tcp' | 'tls';

/** A phone's own certificate; it takes whatever the far end shows, as most phones do. */
async function ownKeys(): Promise<{ tls: ContactTls }> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-phone-'));
  try {
    const { keyFile, certFile } = await makeCertificate(folder);
    return {
      tls: { key: await readFile(keyFile), cert: await readFile(certFile), verifyPeers: false },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export class SipStack {
  readonly #server: SipServer;
  readonly #srf: Srf;

  private constructor(server: SipServer, srf: Srf) {
    this.#server = server;
    this.#srf = srf;
  }

  static async start(transport: PhoneTransport = 'udp'): Promise<SipStack> {
    const secret = 'phone';
    const server = await startSipServer({
      contacts: [{ transport, host: '127.0.0.1', port: 0, ...(transport === 'tls' ? await ownKeys() : {}) }],
      admin: { host: '127.0.0.1', port: 0, secret },
    });
    const srf = new Srf();
    const emitter: EventEmitter = srf;
    const connected = once(emitter, 'connect');
    void srf.connect({ host: '127.0.0.1', port: server.admin.port, secret });
    await connected;
    emitter.on('error', () => undefined);
    return new SipStack(server, srf);
  }

  /** Resolves with the dialog once it is answered. Rejects with CallRefused on a final refusal. */
  async invite(options: InviteOptions): Promise<PhoneDialog> {
    const { uri, sdp, headers = {}, auth, onSent, onProvisional } = options;
    const progress = {
      cbRequest: (_error: unknown, request?: Srf.SrfRequest) => {
        if (request !== undefined) onSent?.(() => request.cancel(() => undefined), request.get('Call-ID'));
      },
      cbProvisional: (response: Srf.SrfResponse) => onProvisional?.(response.status),
    };
    const create = this.#srf.createUAC.bind(this.#srf) as unknown as (
      uri: string,
      options: object,
      progress: object,
    ) => Promise<PhoneDialog>;
    try {
      return await create(uri, { localSdp: sdp, headers, ...(auth === undefined ? {} : { auth }) }, progress);
    } catch (error) {
      const { status, reason, res } = error as SrfFailure;
      if (status === undefined) throw error;
      throw new CallRefused(status, res?.get('Reason') ?? reason ?? '');
    }
  }

  async close(): Promise<void> {
    this.#srf.disconnect();
    await this.#server.close();
  }
}
