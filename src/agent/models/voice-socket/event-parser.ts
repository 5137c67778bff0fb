/** Messages of a server, sorted into three kinds: for the Realtime protocol and for Live. */
import { z } from 'zod';

export type ParsedEvent<E> =
  | { readonly kind: 'known'; readonly event: E }
  /** Well-formed and of no use to us: `speech_started`, and whatever the vendor adds later. */
  | { readonly kind: 'unknown'; readonly type: string }
  | { readonly kind: 'not-an-event'; readonly reason: string };

const envelope = z.object({ type: z.string().min(1).max(128) });

/** Parses a message by the schema of its `type`. What it returns never throws, whatever the text is. */
export function eventParser<E>(
  schemas: Readonly<Record<string, z.ZodType<E>>>,
): (message: string) => ParsedEvent<E> {
  const byType = new Map(Object.entries(schemas));
  return (message) => {
    let value: unknown;
    try {
      value = JSON.parse(message);
    } catch {
      return { kind: 'not-an-event', reason: 'not JSON' };
    }
    const head = envelope.safeParse(value);
    if (!head.success) return { kind: 'not-an-event', reason: 'no event type' };
    const schema = byType.get(head.data.type);
    if (schema === undefined) return { kind: 'unknown', type: head.data.type };
    const parsed = schema.safeParse(value);
    if (parsed.success) return { kind: 'known', event: parsed.data };
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    return { kind: 'not-an-event', reason: `${head.data.type}: bad field "${field}"` };
  };
}
