/** One SIP dialog that an INVITE made (RFC 3261 §12), from its 200 to its BYE. */
import { Events } from '../base/events.ts';
import type { RawDialog, RawHeaders, RawRequest, RawResponse } from './drachtio.ts';
import { SipRequest, sequenceIn } from './sip-request.ts';

export interface SipDialogEvents {
  /** The dialog is over without our doing: BYE from the far end, or given up by the SIP server. */
  ended: { by: 'far end' | 'SIP server'; reason: string };
  /** An ACK: its description, empty when it has none, and the CSeq number of the INVITE it belongs to. */
  acknowledged: { sdp: string; sequence: number };
  /** A re-INVITE or UPDATE: the listener answers it. */
  renegotiate: SipRequest;
  info: SipRequest;
  /** Any other request inside the dialog: the listener answers it. */
  request: SipRequest;
}

const OTHER_METHODS = ['refer', 'message', 'notify', 'publish'] as const;

export class SipDialog {
  readonly events = new Events<SipDialogEvents>();
  readonly #raw: RawDialog;
  readonly #connection: () => unknown;

  /** `connection`: the connection to the SIP server that is up now; a dialog outlives the one it came by. */
  constructor(raw: RawDialog, connection: () => unknown) {
    this.#raw = raw;
    this.#connection = connection;
    // The library compares descriptions as text and would stumble over none.
    raw.remote.sdp ??= '';
    raw.on('destroy', (request, reason) => {
      const byServer = reason !== 'normal release';
      this.events.emit('ended', {
        by: byServer ? 'SIP server' : 'far end',
        reason: byServer ? reason : (request.headers['reason'] ?? ''),
      });
    });
    raw.on('ack', (request) =>
      this.events.emit('acknowledged', {
        sdp: request.body ?? '',
        sequence: sequenceIn(request.get('CSeq')),
      }),
    );
    const pass =
      (event: 'renegotiate' | 'info' | 'request') => (request: RawRequest, response: RawResponse) =>
        this.events.emit(event, new SipRequest(request, response));
    raw.on('modify', pass('renegotiate'));
    raw.on('update', pass('renegotiate'));
    raw.on('info', pass('info'));
    for (const method of OTHER_METHODS) raw.on(method, pass('request'));
  }

  get id(): string {
    return this.#raw.id;
  }

  get connected(): boolean {
    return this.#raw.connected;
  }

  /**
   * Sends a request within the dialog. Resolves with the status of its final response and the CSeq number
   * of both; when there is no response, the SIP server makes one (408).
   * @throws Error when it cannot be sent
   */
  ask(method: string, headers: RawHeaders): Promise<{ status: number; sequence: number }> {
    const connection = this.#connection();
    if (!this.#raw.connected || connection === undefined)
      return Promise.reject(new Error(this.#raw.connected ? 'the SIP server is gone' : 'the dialog is over'));
    this.#raw.req.socket = connection;
    return new Promise((resolve, reject) => {
      // dlg.refer() of the library is broken (it loses its object); dlg.request() is what it should call.
      this.#raw.request({ method, headers }, (error, response) => {
        if (response === undefined) reject(error instanceof Error ? error : new Error(String(error)));
        else if (response.status >= 200)
          resolve({ status: response.status, sequence: sequenceIn(response.get('CSeq')) });
      });
    });
  }

  /** Sends BYE. Resolves when it was answered, by whatever status, or could not be sent; never rejects. */
  bye(headers: RawHeaders): Promise<void> {
    if (!this.#raw.connected) return Promise.resolve();
    const connection = this.#connection();
    if (connection === undefined) return Promise.resolve();
    this.#raw.req.socket = connection;
    return new Promise((resolve) => {
      this.#raw.destroy({ headers }, () => resolve());
    });
  }
}
