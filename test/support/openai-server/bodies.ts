/** What clients send to the three endpoints, parsed as strictly as the vendor does. */
import { z } from 'zod';

const toolCall = z.strictObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().min(1), arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: z.string().min(1) }),
  z.strictObject({ role: z.literal('user'), content: z.string().min(1) }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.string().nullable(),
    tool_calls: z.array(toolCall).min(1).optional(),
  }),
  z.strictObject({ role: z.literal('tool'), tool_call_id: z.string(), content: z.string() }),
]);
export type ChatMessage = z.infer<typeof message>;

export const chatBodySchema = z
  .looseObject({
    model: z.string().min(1),
    messages: z.array(message).min(1),
    stream: z.literal(true),
    stream_options: z.strictObject({ include_usage: z.boolean() }).optional(),
    tools: z
      .array(
        z.strictObject({
          type: z.literal('function'),
          function: z.strictObject({
            name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
            description: z.string(),
            parameters: z.looseObject({ type: z.literal('object') }),
          }),
        }),
      )
      .optional(),
    tool_choice: z.enum(['auto', 'none', 'required']).optional(),
  })
  .superRefine(({ messages }, context) => {
    const wrong = unansweredCalls(messages);
    if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['messages'], message: wrong });
  });
export type ChatBody = z.infer<typeof chatBodySchema>;

/** Every call is answered right behind it, each once, and nothing is answered that nobody called. */
function unansweredCalls(messages: readonly ChatMessage[]): string | undefined {
  let open = new Set<string>();
  for (const one of messages) {
    if (one.role === 'tool') {
      if (!open.delete(one.tool_call_id)) return `nobody called ${one.tool_call_id}`;
      continue;
    }
    if (open.size > 0) return `tool_calls must be followed by tool messages: ${[...open].join()}`;
    open = new Set(one.role === 'assistant' ? one.tool_calls?.map((call) => call.id) : []);
  }
  return open.size > 0 ? `tool_calls must be followed by tool messages: ${[...open].join()}` : undefined;
}

export const speechBodySchema = z.looseObject({
  model: z.string().min(1),
  input: z.string().min(1).max(4096),
  voice: z.string().min(1),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).default('mp3'),
  speed: z.number().min(0.25).max(4).optional(),
});
export type SpeechBody = z.infer<typeof speechBodySchema>;

export interface TranscriptionBody {
  readonly model: string;
  readonly language: string;
  readonly stream: boolean;
  /** Every field of the form, the file aside. */
  readonly fields: Readonly<Record<string, string>>;
  readonly file: { readonly name: string; readonly type: string; readonly bytes: Buffer };
}

/** A form (RFC 7578). @throws Error with the sentence that a client gets */
export function parseForm(bytes: Buffer, contentType: string): TranscriptionBody {
  const fields: Record<string, string> = {};
  let file: TranscriptionBody['file'] | undefined;
  for (const { head, body } of partsOf(bytes, contentType)) {
    const name = /[; ]name="([^"]*)"/i.exec(head)?.[1];
    if (name === undefined) throw new Error('a part of the form has no name');
    const fileName = /filename="([^"]*)"/i.exec(head)?.[1];
    if (fileName === undefined) fields[name] = body.toString('utf8');
    else if (name === 'file')
      file = { name: fileName, type: /content-type: *(\S+)/i.exec(head)?.[1] ?? '', bytes: body };
  }
  const { model, language = '' } = fields;
  if (model === undefined || model === '') throw new Error('you must provide a model parameter');
  if (file === undefined) throw new Error('you must provide a file');
  return { model, language, stream: fields['stream'] === 'true', fields, file };
}

function* partsOf(bytes: Buffer, contentType: string): Generator<{ head: string; body: Buffer }> {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error('no multipart/form-data with a boundary');
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter has no line before it (RFC 2046 §5.1.1).
  const whole = Buffer.concat([Buffer.from('\r\n'), bytes]);
  for (let at = whole.indexOf(delimiter); ;) {
    if (at === -1) throw new Error('the form is cut short');
    const start = at + delimiter.length;
    if (whole.toString('latin1', start, start + 2) === '--') return;
    const end = whole.indexOf(delimiter, start);
    const headEnd = whole.indexOf('\r\n\r\n', start);
    if (end === -1 || headEnd === -1 || headEnd > end) throw new Error('the form is cut short');
    yield { head: whole.toString('latin1', start, headEnd), body: whole.subarray(headEnd + 4, end) };
    at = end;
  }
}
