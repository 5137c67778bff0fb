/**
 * A message centre for tests: the server side of the package `smpp` on a real socket. It joins the parts of
 * long texts, counts what it accepted, sends receipts and texts of people, and breaks as it is told.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import smpp, { type PDU, type Session } from 'smpp';

export interface SmscMessage {
  /** Of the last part. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly parts: number;
  readonly dataCoding: number;
  readonly reference: number | undefined;
  readonly isReceiptWanted: boolean;
}

/** What goes wrong with one submit_sm: a command_status, or the connection, before or after it was taken. */
export type SmscFault = number | 'cut' | 'cut-after' | 'silent';

export interface Smsc {
  readonly port: number;
  /** Whole messages in the order in which they were accepted. */
  readonly messages: readonly SmscMessage[];
  /** Binds that were accepted, and enquire_links, ever. */
  readonly binds: number;
  readonly enquiries: number;
  /** Most requests without answer at a time, of one connection. */
  readonly openMax: number;
  /** The next submits go wrong, in this order; `undefined` lets one pass. */
  fail(...faults: (SmscFault | undefined)[]): void;
  /** Holds all answers to submits until `resume`. */
  hold(): void;
  resume(): void;
  /** Refuses binds with this status from now on; 0: none. */
  refuseBinds(status: number): void;
  /** Sends a receipt to whoever is bound; resolves with the command_status of the answer. */
  receipt(message: SmscMessage, word: string, style?: 'text' | 'tlv'): Promise<number>;
  incoming(text: { from: string; to: string; body: string }): Promise<number>;
  /** Breaks all connections. */
  kick(): void;
  close(): Promise<void>;
}

const STATES: Readonly<Record<string, number>> = {
  ENROUTE: 1,
  DELIVRD: 2,
  EXPIRED: 3,
  UNDELIV: 5,
  REJECTD: 8,
};
const ESM_RECEIPT = 0x04;
const BIND_FAILED = 0x0d;

interface Part {
  readonly index: number;
  readonly count: number;
  /** As the package decodes it, which knows nothing of our tables. */
  readonly text: string;
}

class Centre {
  readonly messages: SmscMessage[] = [];
  readonly faults: (SmscFault | undefined)[] = [];
  readonly sessions = new Set<Session>();
  readonly #joining = new Map<string, Part[]>();
  readonly #account: { systemId: string; password: string };
  #held: (() => void)[] | undefined;
  #ids = 0;
  binds = 0;
  enquiries = 0;
  openMax = 0;
  bindStatus = 0;

  constructor(account: { systemId: string; password: string }) {
    this.#account = account;
  }

  serve(session: Session): void {
    let open = 0;
    session.on('error', () => session.destroy());
    session.on('close', () => this.sessions.delete(session));
    session.on('enquire_link', (pdu: PDU) => {
      this.enquiries += 1;
      session.send(pdu.response());
    });
    session.on('unbind', (pdu: PDU) => {
      session.send(pdu.response());
      session.close();
    });
    session.on('bind_transceiver', (pdu: PDU) => this.#bind(session, pdu));
    session.on('submit_sm', (pdu: PDU) => {
      open += 1;
      this.openMax = Math.max(this.openMax, open);
      const answer = (): void => {
        open -= 1;
        this.#submit(session, pdu);
      };
      if (this.#held === undefined) answer();
      else this.#held.push(answer);
    });
  }

  hold(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const answer of held) answer();
  }

  async deliver(fields: Record<string, unknown>): Promise<number> {
    const [session] = this.sessions;
    if (session === undefined) throw new Error('nobody is bound');
    const answer = await new Promise<PDU>((resolve) =>
      session.send(new smpp.PDU('deliver_sm', fields), resolve),
    );
    return answer.command_status;
  }

  #bind(session: Session, pdu: PDU): void {
    const isKnown = pdu['system_id'] === this.#account.systemId && pdu['password'] === this.#account.password;
    const status = this.bindStatus !== 0 ? this.bindStatus : isKnown ? 0 : BIND_FAILED;
    session.send(pdu.response({ command_status: status, system_id: 'stand-in' }));
    if (status !== 0) {
      session.close();
      return;
    }
    this.binds += 1;
    this.sessions.add(session);
  }

  #submit(session: Session, pdu: PDU): void {
    const fault = this.faults.shift();
    if (fault === 'silent') return;
    if (fault === 'cut') {
      session.destroy();
      return;
    }
    if (typeof fault === 'number') {
      session.send(pdu.response({ command_status: fault }));
      return;
    }
    this.#ids += 1;
    const id = `id-${this.#ids}`;
    this.#accept(id, pdu);
    if (fault === 'cut-after') session.destroy();
    else session.send(pdu.response({ message_id: id }));
  }

  #accept(id: string, pdu: PDU): void {
    const { part, key } = partOf(pdu);
    const known = this.#joining.get(key) ?? [];
    const parts = [...known.filter((one) => one.index !== part.index), part];
    this.#joining.set(key, parts);
    if (parts.length < part.count) return;
    this.#joining.delete(key);
    const text = parts.sort((a, b) => a.index - b.index).map((one) => one.text);
    const reference = pdu['user_message_reference'];
    this.messages.push({
      id,
      from: String(pdu['source_addr']),
      to: String(pdu['destination_addr']),
      text: text.join(''),
      parts: part.count,
      dataCoding: Number(pdu['data_coding']),
      reference: typeof reference === 'number' ? reference : undefined,
      isReceiptWanted: pdu['registered_delivery'] === 1,
    });
  }
}

function partOf(pdu: PDU): { part: Part; key: string } {
  const { udh, message } = pdu['short_message'] as { udh?: Buffer[]; message: string };
  const join = udh?.find((element) => element[0] === 0x08);
  const key = `${String(pdu['source_addr'])} ${String(pdu['destination_addr'])}`;
  if (join === undefined) return { part: { index: 1, count: 1, text: message }, key: `${key} alone` };
  const [, , high = 0, low = 0, count = 1, index = 1] = join;
  return { part: { index, count, text: message }, key: `${key} ${high * 256 + low}` };
}

export async function startSmsc(account: { systemId: string; password: string }): Promise<Smsc> {
  const centre = new Centre(account);
  const all = new Set<Session>();
  const server = smpp.createServer((session) => {
    all.add(session);
    session.on('close', () => all.delete(session));
    centre.serve(session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kick = (): void => all.forEach((session) => session.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    messages: centre.messages,
    get binds() {
      return centre.binds;
    },
    get enquiries() {
      return centre.enquiries;
    },
    get openMax() {
      return centre.openMax;
    },
    fail: (...faults) => void centre.faults.push(...faults),
    hold: () => centre.hold(),
    resume: () => centre.resume(),
    refuseBinds: (status) => (centre.bindStatus = status),
    receipt: (message, word, style = 'text') => centre.deliver(receiptOf(message, word, style)),
    incoming: ({ from, to, body }) =>
      centre.deliver({
        ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: from.replace('+', '') },
        ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to.replace('+', '') },
        short_message: body,
      }),
    kick,
    close: () => {
      kick();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function receiptOf(message: SmscMessage, word: string, style: 'text' | 'tlv'): Record<string, unknown> {
  const dates = 'submit date:2601151000 done date:2601151001';
  const text = `id:${message.id} sub:001 dlvrd:001 ${dates} stat:${word} err:000`;
  return {
    esm_class: ESM_RECEIPT,
    ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: message.to, destination_addr: message.from },
    ...(style === 'text'
      ? { short_message: text }
      : {
          short_message: '',
          receipted_message_id: message.id,
          message_state: STATES[word] ?? 7,
          user_message_reference: message.reference,
        }),
  };
}
