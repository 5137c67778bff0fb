/** A call as the HTTP API gives it from the store, for comparison with what was told of it. */
import { z } from 'zod';
import { wholeCall } from '../../../console/console/rows.ts';

export const storedCall = wholeCall.extend({
  ended_at: z.iso.datetime().nullable(),
  legs: z.array(
    z.object({ kind: z.string(), closed_at: z.iso.datetime().nullable(), stats: z.unknown().nullable() }),
  ),
});
export type StoredCall = z.infer<typeof storedCall>;

/** One line for each fact in the store, in the order of the timeline: `7 said Hello.` */
export function factsOf({ turns, tool_calls, events }: StoredCall): string[] {
  const rows = [
    ...turns.map(({ seq, who, text }) => ({ seq, words: `${who === 'caller' ? 'heard' : 'said'} ${text}` })),
    ...tool_calls.map(({ seq, name }) => ({ seq, words: `tool ${name}` })),
    ...events.map(({ seq, type }) => ({ seq, words: type })),
  ];
  return rows.sort((a, b) => a.seq - b.seq).map(({ seq, words }) => `${seq} ${words}`);
}

/** The same of a fact as the gateway has it. */
export function factLine(
  index: number,
  fact: { readonly type: string; readonly [key: string]: unknown },
): string {
  const { type, text, name } = fact;
  const words = type === 'said' || type === 'heard' ? text : type === 'tool' ? name : undefined;
  return typeof words === 'string' ? `${index} ${type} ${words}` : `${index} ${type}`;
}
