/** The tool `save_contact`. Where contacts are kept is injected. */
import { z } from 'zod';
import { originOf, type ActOrigin } from './act-records.ts';
import { readNumber } from './destinations.ts';
import type { Tool } from './tool.ts';

export const contactFields = z.strictObject({
  name: z.string(),
  phone: z.string(),
  email: z.string(),
  note: z.string(),
});
/** Empty texts are not known. */
export type Contact = Readonly<z.infer<typeof contactFields>>;

export interface ContactBook {
  /** The contact is safe when this resolves. One for one `origin.key`. */
  save(contact: Contact, origin: ActOrigin): Promise<{ readonly id: string }>;
}

const TIMEOUT_MS = 5000;

const contactArguments = z.strictObject({
  name: z.string().trim().min(1).max(100).describe('First and last name'),
  phone: z
    .string()
    .max(40)
    .default('')
    .describe('Telephone number; empty: the one that the caller calls from'),
  email: z
    .union([z.literal(''), z.email().max(254)])
    .default('')
    .describe('E-mail address, if it was given'),
  note: z.string().max(1000).default('').describe('Anything else that is worth keeping'),
});

export function saveContact(book: ContactBook): Tool<z.infer<typeof contactArguments>> {
  return {
    name: 'save_contact',
    description: 'Keeps who the caller is and how to reach them. Read back names and numbers first.',
    arguments: contactArguments,
    timeoutMs: TIMEOUT_MS,
    async run({ name, phone, email, note }, context) {
      const number = readNumber(phone === '' ? (context.call?.callerNumber ?? '') : phone);
      if (number === null && phone !== '')
        return { ok: false, reason: 'That is not a telephone number.', ask: 'phone' };
      if (number === null && email === '')
        return { ok: false, reason: 'I do not have your number.', ask: 'phone' };
      const { id } = await book.save({ name, phone: number ?? '', email, note }, originOf(context));
      return { ok: true, id, name };
    },
  };
}
