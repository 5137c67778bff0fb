/** The tool `take_message`: somebody will read it and call back. Where messages are kept is injected. */
import { z } from 'zod';
import { originOf, type ActOrigin } from './act-records.ts';
import { readNumber } from './destinations.ts';
import type { Tool } from './tool.ts';

export const messageFields = z.strictObject({
  name: z.string(),
  phone: z.string(),
  text: z.string(),
  urgent: z.boolean(),
});
/** `phone` is empty when nobody has to call back. */
export type Message = Readonly<z.infer<typeof messageFields>>;

export interface MessageBook {
  /** The message is safe when this resolves. One for one `origin.key`. */
  take(message: Message, origin: ActOrigin): Promise<{ readonly id: string }>;
}

const TIMEOUT_MS = 5000;

const messageArguments = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('Who leaves the message'),
  text: z.string().trim().min(1).max(2000).describe('What it is about'),
  phone: z.string().max(40).default('').describe("Number to call back; empty: the caller's own"),
  urgent: z.boolean().default(false).describe('true when the caller says that it cannot wait'),
});

export function takeMessage(book: MessageBook): Tool<z.infer<typeof messageArguments>> {
  return {
    name: 'take_message',
    description: 'Takes a message for the people of the house, who call back. Read it back first.',
    arguments: messageArguments,
    timeoutMs: TIMEOUT_MS,
    async run({ name, text, phone, urgent }, context) {
      const number = readNumber(phone === '' ? (context.call?.callerNumber ?? '') : phone);
      if (number === null) {
        const reason = phone === '' ? 'I do not have your number.' : 'That is not a telephone number.';
        return { ok: false, reason, ask: 'phone' };
      }
      const { id } = await book.take({ name, text, phone: number, urgent }, originOf(context));
      return { ok: true, id, phone: number };
    },
  };
}
