/**
 * Delivery receipts of SMPP: by TLVs (3.4 §5.3.2.12, §5.3.2.35) where the centre has them, else by the
 * customary text of appendix B: `id:42 sub:001 dlvrd:001 submit date:… done date:… stat:DELIVRD err:000
 * text:…`.
 */
import type { PDU } from 'smpp';
import type { ReceiptStatus, SmsNotice } from './sms-driver.ts';

/** message_state (§5.2.28); what is still on its way is no news. */
const BY_STATE: Readonly<Record<number, ReceiptStatus>> = {
  2: 'delivered',
  3: 'undelivered',
  4: 'undelivered',
  5: 'undelivered',
  6: 'delivered',
  8: 'failed',
};

const BY_WORD: Readonly<Record<string, ReceiptStatus>> = {
  DELIVRD: 'delivered',
  ACCEPTD: 'delivered',
  EXPIRED: 'undelivered',
  DELETED: 'undelivered',
  UNDELIV: 'undelivered',
  REJECTD: 'failed',
};

/** @param from the number that the message had gone to; undefined: the receipt says nothing final */
export function readReceipt(pdu: PDU, text: string, from: string): SmsNotice | undefined {
  const field = (name: string): string | undefined => new RegExp(`\\b${name}:(\\S+)`, 'i').exec(text)?.[1];
  const named = pdu['receipted_message_id'];
  const providerMessageId = typeof named === 'string' && named !== '' ? named : (field('id') ?? '');
  const state = pdu['message_state'];
  const status = typeof state === 'number' ? BY_STATE[state] : BY_WORD[(field('stat') ?? '').toUpperCase()];
  const reference = pdu['user_message_reference'];
  if (status === undefined || (providerMessageId === '' && typeof reference !== 'number')) return undefined;
  const error = field('err');
  return {
    type: 'receipt',
    messageId: undefined,
    providerMessageId,
    status,
    errorCode: error === undefined || /^0+$/.test(error) ? undefined : error,
    ...(typeof reference === 'number' ? { reference, from } : {}),
  };
}
