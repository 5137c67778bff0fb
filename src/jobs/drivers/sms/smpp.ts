/**
 * Short messages over SMPP 3.4. Texts go as GSM 03.38 (data_coding 0) or UCS-2 (8); long ones in parts, which
 * a User Data Header joins (3GPP TS 23.040 §9.2.3.24.1). Every message carries its reference in
 * `user_message_reference` (SMPP 3.4 §5.3.2.17), so that a receipt finds it even when the answer to submit_sm
 * was lost.
 */
import { createHash } from 'node:crypto';
import type { PDU } from 'smpp';
import { messageOf } from '../../../base/errors.ts';
import type { Log } from '../../../base/log.ts';
import { ProviderFailure } from '../provider-failure.ts';
import { decodeGsm7, decodeUcs2, encodeGsm7, encodeUcs2, segmentsOf } from './segments.ts';
import { SmppLink, type SmppLinkOptions } from './smpp-link.ts';
import { readReceipt } from './smpp-receipt.ts';
import type { OutgoingText, SmsDriver, SmsNotice } from './sms-driver.ts';

export interface SmppOptions extends SmppLinkOptions {
  /** Keeps what the centre says; when it fails, the centre is asked to say it again. */
  readonly take: (notice: SmsNotice) => Promise<void>;
  readonly log: Log;
}

const ESME_ROK = 0;
const ESME_RX_T_APPN = 0x64;
/** System error, queue full, throttled, temporary error of the receiver (SMPP 3.4 §5.1.3). */
const COME_BACK_LATER = new Set([0x08, 0x14, 0x58, ESME_RX_T_APPN]);

const DATA_CODING = { gsm7: 0x00, ucs2: 0x08 } as const;
/** A receipt whatever becomes of the message (SMPP 3.4 §5.2.17). */
const RECEIPT_WANTED = 0x01;
const ESM_RECEIPT = 0x04;

/** Type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6). */
const INTERNATIONAL = { ton: 1, npi: 1 };
const SHORT_CODE = { ton: 3, npi: 0 };
const LETTERS = { ton: 5, npi: 0 };

export class Smpp implements SmsDriver {
  readonly name = 'smpp';
  readonly link: SmppLink;
  readonly #take: SmppOptions['take'];
  readonly #log: Log;

  private constructor(link: SmppLink, options: SmppOptions) {
    this.link = link;
    this.#take = options.take;
    this.#log = options.log;
    link.events.on('deliver', ({ pdu, answer }) => void this.#deliver(pdu, answer));
    link.events.on('lost', (reason) => this.#log.warn({ reason }, 'the message centre was lost'));
  }

  static start(options: SmppOptions): Smpp {
    return new Smpp(SmppLink.start(options), options);
  }

  /** Returns the id of the last part: it is the one whose receipt is asked for. */
  async send({ messageId, to, from, body }: OutgoingText): Promise<string> {
    const { encoding, parts } = segmentsOf(body);
    const reference = referenceOf(messageId);
    const [source, destination] = [addressOf(from), addressOf(to)];
    let id = '';
    for (const [index, part] of parts.entries()) {
      const octets = encoding === 'gsm7' ? encodeGsm7(part) : encodeUcs2(part);
      const isLast = index === parts.length - 1;
      const answer = await this.link.request('submit_sm', {
        source_addr_ton: source.ton,
        source_addr_npi: source.npi,
        source_addr: source.address,
        dest_addr_ton: destination.ton,
        dest_addr_npi: destination.npi,
        destination_addr: destination.address,
        data_coding: DATA_CODING[encoding],
        registered_delivery: isLast ? RECEIPT_WANTED : 0,
        user_message_reference: reference,
        short_message:
          parts.length === 1
            ? octets
            : { udh: joinHeader(reference, parts.length, index + 1), message: octets },
      });
      if (answer.command_status !== ESME_ROK) throw failureOf(answer.command_status);
      id = textIn(answer, 'message_id');
    }
    return id;
  }

  close(): Promise<void> {
    this.link.close();
    return Promise.resolve();
  }

  async #deliver(pdu: PDU, answer: (status: number) => void): Promise<void> {
    try {
      const notice = noticeOf(pdu);
      if (notice !== undefined) await this.#take(notice);
      answer(ESME_ROK);
    } catch (error) {
      this.#log.warn({ detail: messageOf(error) }, 'what the message centre said could not be kept');
      answer(ESME_RX_T_APPN);
    }
  }
}

/** 16 bits that are the same for every try of a message: parts of two tries join as one. */
export function referenceOf(messageId: string): number {
  return createHash('sha256').update(messageId).digest().readUInt16BE(0);
}

/** Concatenation with a 16-bit reference: fewer messages of one sender are mixed up than with 8 bits. */
function joinHeader(reference: number, count: number, index: number): Buffer {
  return Buffer.from([0x06, 0x08, 0x04, reference >> 8, reference & 0xff, count, index]);
}

function addressOf(number: string): { ton: number; npi: number; address: string } {
  if (number.startsWith('+')) return { ...INTERNATIONAL, address: number.slice(1) };
  return /^\d+$/.test(number) ? { ...SHORT_CODE, address: number } : { ...LETTERS, address: number };
}

function failureOf(status: number): ProviderFailure {
  const providerCode = `0x${status.toString(16).padStart(8, '0')}`;
  const outcome = COME_BACK_LATER.has(status) ? 'unavailable' : 'refused';
  return new ProviderFailure(outcome, `smpp: submit_sm got status ${providerCode}`, { providerCode });
}

/** What a deliver_sm says: a receipt, or a text that somebody wrote; undefined when it says neither. */
function noticeOf(pdu: PDU): SmsNotice | undefined {
  const [source, destination] = [numberOf(pdu, 'source_addr'), numberOf(pdu, 'destination_addr')];
  if ((numberIn(pdu, 'esm_class') & ESM_RECEIPT) !== 0) return readReceipt(pdu, textOf(pdu), source);
  const text = textOf(pdu);
  // SMPP names no messages that people write: what, when and by whom is all there is.
  const identity = [source, destination, text, numberIn(pdu, 'sequence_number')].join('\n');
  const providerMessageId = createHash('sha256').update(identity).digest('base64url');
  return { type: 'received', providerMessageId, from: source, to: destination, text };
}

function numberOf(pdu: PDU, name: 'source_addr' | 'destination_addr'): string {
  const prefix = name === 'source_addr' ? 'source_addr' : 'dest_addr';
  const isInternational = numberIn(pdu, `${prefix}_ton`) === INTERNATIONAL.ton;
  const text = textIn(pdu, name);
  return isInternational && !text.startsWith('+') ? `+${text}` : text;
}

function textIn(pdu: PDU, name: string): string {
  const value = pdu[name];
  return typeof value === 'string' ? value : '';
}

function numberIn(pdu: PDU, name: string): number {
  const value = pdu[name];
  return typeof value === 'number' ? value : 0;
}

/** The package decodes what it knows and leaves octets otherwise; long texts are in message_payload. */
function textOf(pdu: PDU): string {
  const short = messageIn(pdu['short_message']);
  const found = short === '' || short.length === 0 ? messageIn(pdu['message_payload']) : short;
  if (typeof found === 'string') return found;
  return numberIn(pdu, 'data_coding') === DATA_CODING.ucs2 ? decodeUcs2(found) : decodeGsm7(found);
}

function messageIn(value: unknown): string | Buffer {
  const inner: unknown =
    typeof value === 'object' && value !== null && 'message' in value ? value.message : value;
  return typeof inner === 'string' || Buffer.isBuffer(inner) ? inner : '';
}
