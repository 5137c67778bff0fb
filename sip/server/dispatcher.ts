import { messageOf } from '../../src/base/errors.ts';
import type { Command } from './admin-protocol.ts';
import { Answering } from './answering.ts';
import type { Application } from './application.ts';
import { Refusal, type Core } from './core.ts';
import { InDialog } from './in-dialog.ts';
import { Incoming } from './incoming.ts';
import { SipRequest, SipResponse, newToken, responseTo, type SipMessage } from './message.ts';
import { Outgoing } from './outgoing.ts';
import { applyContentLength, parseMessage, requestDefect, type Defect } from './parse.ts';
import { PendingRequests } from './pending-requests.ts';
import { RequestRoute } from './request-route.ts';
import type { Peer, Received } from './transport.ts';
import { Upkeep } from './upkeep.ts';
import { formatVia, parseVia, stampVia } from './via.ts';

const PROXY_REFUSED =
  'proxy is not supported by the embedded SIP server: ' +
  'answer the call, or set sip.drachtio.host to use drachtio-server';

/** Takes what comes in, from the network and from applications, to the part that deals with it. */
export class Dispatcher {
  readonly incoming: Incoming;
  readonly #core: Core;
  readonly #pending = new PendingRequests();
  readonly #answering: Answering;
  readonly #outgoing: Outgoing;
  readonly #inDialog: InDialog;

  constructor(core: Core) {
    this.#core = core;
    const route = new RequestRoute(core);
    const upkeep = new Upkeep(core, route);
    this.incoming = new Incoming(core, this.#pending);
    const incoming = this.incoming;
    this.#answering = new Answering(core, { pending: this.#pending, incoming, upkeep });
    this.#outgoing = new Outgoing(core, { route, incoming, upkeep });
    this.#inDialog = new InDialog(core, { route, incoming, outgoing: this.#outgoing, upkeep });
  }

  get pendingCount(): number {
    return this.#pending.count;
  }

  onReceived(received: Received): void {
    const { text, peer } = received;
    // Keep-alives over UDP: line ends, or a single zero byte.
    if (text.length <= 4) return;
    const parsed = parseMessage(text);
    const broken: Defect | undefined =
      received.kind !== 'broken'
        ? undefined
        : received.tooLong
          ? { status: 513, text: 'Message Too Large' }
          : { status: 400, text: 'Content-Length is not one number' };
    const { message } = parsed;
    if (message === undefined) {
      this.#core.counters.add('malformed.unreadable');
      return;
    }
    const defect = broken ?? parsed.defect ?? applyContentLength(message);
    if (message instanceof SipResponse) this.#response(message, peer, defect);
    else if (message instanceof SipRequest) this.#request(message, peer, defect ?? requestDefect(message));
  }

  onCommand(application: Application, command: Command): void {
    const refuse = (error: unknown): void => {
      if (!(error instanceof Refusal))
        this.#core.log.warn({ err: error }, 'a command of an application failed');
      this.#core.counters.add('admin.refused');
      application.reply(command.id, `NOK|${oneLine(messageOf(error))}`);
    };
    if (command.type === 'proxy') {
      refuse(new Refusal(PROXY_REFUSED));
      return;
    }
    try {
      this.#sip(application, command)?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  onApplicationGone(application: Application): void {
    this.incoming.onApplicationGone(application);
    this.#outgoing.onApplicationGone(application);
  }

  close(): void {
    this.#pending.close();
  }

  #sip(application: Application, command: Command): Promise<void> | undefined {
    const [transactionId = '', dialogId = '', via = ''] = command.fields;
    const message = commandMessage(command.text);
    if (message instanceof SipResponse) {
      this.#answering.respond(application, command.id, transactionId, message);
      return undefined;
    }
    if (!(message instanceof SipRequest)) throw new Refusal('invalid sip message');
    if (message.method === 'CANCEL') {
      this.#outgoing.cancel(application, command.id, transactionId, message);
      return undefined;
    }
    if (dialogId !== '') return this.#inDialog.request(application, command.id, dialogId, message);
    if (message.method === 'ACK') throw new Refusal('an ACK needs a dialog');
    return this.#outgoing.request(application, command.id, message, via);
  }

  #response(response: SipResponse, peer: Peer, defect: Defect | undefined): void {
    if (defect === undefined && response.has('To') && response.has('From')) {
      this.#core.transactions.receiveResponse(response, peer);
    } else this.#core.counters.add('malformed.responses');
  }

  /** A broken request is told what is wrong with it, as long as its Via says whom to tell. */
  #request(request: SipRequest, peer: Peer, defect: Defect | undefined): void {
    if (defect === undefined) {
      this.#core.transactions.receiveRequest(request, peer);
      return;
    }
    this.#core.counters.add('malformed.requests');
    const via = parseVia(request.get('Via') ?? '');
    if (via === undefined) return;
    request.set('Via', formatVia(stampVia(via, peer)));
    const reason = defect.status === 400 ? `Bad Request - ${defect.text}` : undefined;
    const response = responseTo(request, defect.status, reason, newToken());
    this.#core.transactions.respondStateless(request, peer, response);
  }
}

/** drachtio-srf counts characters in Content-Length, not bytes: the frame alone says where the body ends. */
function commandMessage(text: string): SipMessage | undefined {
  const { message, defect } = parseMessage(text);
  if (defect !== undefined) throw new Refusal(`invalid sip message: ${defect.text}`);
  return message;
}

/** A NOK ends with its line, and '|' divides its fields. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n|]+/g, ' ');
}
