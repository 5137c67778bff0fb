/** The tool `send_sms`. What sends messages is injected. */
import { z } from 'zod';
import { originOf, type ActOrigin } from './act-records.ts';
import { onList, readNumber, sameNumber } from './destinations.ts';
import type { Tool } from './tool.ts';

export interface Sms {
  /** E.164, or as the trunk writes its numbers. */
  readonly to: string;
  readonly text: string;
}

export interface SmsOutbox {
  /** Takes a message on; it is safe when this resolves. One message for one `origin.key`. */
  send(sms: Sms, origin: ActOrigin): Promise<{ readonly id: string }>;
}

const TIMEOUT_MS = 5000;
/** Ten parts of a long message (GSM 03.38). */
const TEXT_CHARS_MAX = 1530;

export const smsFields = z.strictObject({ to: z.string(), text: z.string() });

const smsArguments = z.strictObject({
  text: z.string().trim().min(1).max(TEXT_CHARS_MAX).describe('What the message says'),
  to: z.string().max(40).default('').describe("A telephone number; empty: the caller's own"),
});

/** Only numbers on the profile's `sms_numbers` get one; `caller` there stands for whoever calls. */
export function sendSms(outbox: SmsOutbox): Tool<z.infer<typeof smsArguments>> {
  return {
    name: 'send_sms',
    description: 'Sends a text message, by default to the number that the caller is calling from.',
    arguments: smsArguments,
    timeoutMs: TIMEOUT_MS,
    async run({ text, to }, context) {
      const callerNumber = readNumber(context.call?.callerNumber ?? '');
      const number = to === '' ? callerNumber : readNumber(to);
      if (number === null) {
        const reason = to === '' ? 'I do not have your number.' : 'That is not a telephone number.';
        return { ok: false, reason, ask: 'to' };
      }
      const list = context.profile.sms_numbers;
      const isCaller = callerNumber !== null && sameNumber(number, callerNumber);
      if (!(isCaller && list.includes('caller')) && !onList(list, number))
        return { ok: false, reason: 'I may not send messages to that number.' };
      const { id } = await outbox.send({ to: number, text }, originOf(context));
      return { ok: true, id, to: number };
    },
  };
}
