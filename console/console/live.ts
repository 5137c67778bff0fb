/** Calls as they happen: reads server-sent events (WHATWG HTML, section 9.2), and keeps what is open. */
import { z } from 'zod';
import type { Api } from './api.ts';

const caption = z.object({
  who: z.enum(['agent', 'visitor']),
  text: z.string(),
  final: z.boolean(),
  utteranceId: z.string(),
});
const entry = z.looseObject({ type: z.string(), atMs: z.number() });
const opened = z.object({
  call_id: z.string(),
  source: z.string(),
  from_number: z.string(),
  to_number: z.string(),
  profile: z.string(),
  started_at: z.string(),
});

const EVENTS = {
  snapshot: z.object({ calls: z.array(opened.extend({ timeline: z.array(entry) })) }),
  opened,
  added: z.object({ call_id: z.string(), entry }),
  caption: caption.extend({ call_id: z.string() }),
  closed: z.object({ call_id: z.string(), ending: z.string().nullable() }),
};
type Events = typeof EVENTS;
export type LiveEvent = {
  [N in keyof Events]: { readonly name: N; readonly data: z.infer<Events[N]> };
}[keyof Events];

export interface Line {
  readonly utteranceId: string;
  readonly who: 'agent' | 'visitor';
  readonly text: string;
  readonly final: boolean;
}

export interface LiveCall {
  readonly callId: string;
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly profile: string;
  readonly startedAt: string;
  readonly lines: readonly Line[];
  /** The last thing that happened, in a word: ringing, answered, held … */
  readonly state: string;
}
export type LiveCalls = ReadonlyMap<string, LiveCall>;

const lines_max = 50;

/** One block of the stream; undefined: a comment, or an event of a later version. */
export function eventOf(block: string): LiveEvent | undefined {
  const name = /^event: (.*)$/m.exec(block)?.[1] ?? '';
  const text = /^data: (.*)$/m.exec(block)?.[1];
  const schema: z.ZodType | undefined = Object.hasOwn(EVENTS, name)
    ? EVENTS[name as keyof Events]
    : undefined;
  if (schema === undefined || text === undefined) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(data);
  return parsed.success ? ({ name, data: parsed.data } as LiveEvent) : undefined;
}

const lineOf = (one: z.infer<typeof entry>, index: number): Line[] => {
  if (one.type !== 'heard' && one.type !== 'said') return [];
  const text = typeof one['text'] === 'string' ? one['text'] : '';
  return [
    { utteranceId: `before-${index}`, who: one.type === 'said' ? 'agent' : 'visitor', text, final: true },
  ];
};

function callOf(one: z.infer<typeof opened>, timeline: readonly z.infer<typeof entry>[]): LiveCall {
  return {
    callId: one.call_id,
    source: one.source,
    from: one.from_number,
    to: one.to_number,
    profile: one.profile,
    startedAt: one.started_at,
    lines: timeline.flatMap(lineOf).slice(-lines_max),
    state: timeline.reduce((state, { type }) => stateAfter(state, type), 'ringing'),
  };
}

/** Words and tools are no states of a call. */
function stateAfter(state: string, type: string): string {
  return ['heard', 'said', 'tool', 'digit', 'trouble', 'usage'].includes(type) ? state : type;
}

/** What is open after `event`. */
export function after(calls: LiveCalls, event: LiveEvent): LiveCalls {
  if (event.name === 'snapshot')
    return new Map(event.data.calls.map((one) => [one.call_id, callOf(one, one.timeline)]));
  const next = new Map(calls);
  if (event.name === 'opened') {
    next.set(event.data.call_id, callOf(event.data, []));
    return next;
  }
  const callId = event.data.call_id;
  const call = calls.get(callId);
  if (event.name === 'closed') next.delete(callId);
  else if (call === undefined) return calls;
  else if (event.name === 'added')
    next.set(callId, { ...call, state: stateAfter(call.state, event.data.entry.type) });
  else next.set(callId, { ...call, lines: withLine(call.lines, event.data) });
  return next;
}

/** Texts of one utterance replace each other until the final one. */
function withLine(lines: readonly Line[], { who, text, final, utteranceId }: Line): readonly Line[] {
  const line = { who, text, final, utteranceId };
  const at = lines.findIndex((one) => one.utteranceId === utteranceId);
  if (at < 0) return [...lines, line].slice(-lines_max);
  return lines.with(at, line);
}

/** Reads until the stream ends, or the signal is aborted. */
export async function readLive(
  api: Api,
  signal: AbortSignal,
  tell: (event: LiveEvent) => void,
): Promise<void> {
  const stream = await api.stream('/live', signal);
  const reader = stream
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = eventOf(block);
      if (event !== undefined) tell(event);
    }
  }
}
