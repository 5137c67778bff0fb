/** Everything that a client of the Live protocol may say to the local server, as strictly as the vendor. */
import type { ClientEvent as VendorEvent } from 'openai/resources/live/live';
import { z } from 'zod';

const text = z.string();
const eventId = { event_id: text.exactOptional() };
/** The vendor takes 500 tokens; no token has more than some four characters of English. */
const content = z.string().min(1).max(2000);

const format = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.union([z.literal(16_000), z.literal(24_000)]) }),
  z.strictObject({ type: z.literal('audio/pcmu'), rate: z.literal(8000) }),
  z.strictObject({ type: z.literal('audio/pcma'), rate: z.literal(8000) }),
]);

const functionTool = z.strictObject({
  type: z.literal('function'),
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  description: text.exactOptional(),
  parameters: z.record(z.string(), z.unknown()).exactOptional(),
});

const delegation = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('client'),
    acknowledgement_delay_ms: z.int().min(0).exactOptional(),
  }),
  z.strictObject({
    type: z.literal('responses'),
    acknowledgement_delay_ms: z.int().min(0).exactOptional(),
    responses: z.strictObject({
      model: z.string().min(1),
      instructions: text.exactOptional(),
      tools: z.array(functionTool).exactOptional(),
      parallel_tool_calls: z.boolean().exactOptional(),
      max_output_tokens: z.int().min(16).exactOptional(),
      reasoning: z
        .strictObject({ effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).exactOptional() })
        .exactOptional(),
    }),
  }),
]);

const inputText = z.array(z.strictObject({ type: z.literal('input_text'), text })).length(1);
const outputText = z.array(z.strictObject({ type: z.literal('output_text'), text })).length(1);
const message = { type: z.literal('message') };

const sessionSchema = z.strictObject({
  model: z.string().min(1),
  instructions: text.exactOptional(),
  store: z.boolean().exactOptional(),
  audio: z
    .strictObject({
      format: format.exactOptional(),
      output: z.strictObject({ voice: text.exactOptional() }).exactOptional(),
    })
    .exactOptional(),
  delegation: delegation.nullable().exactOptional(),
  input: z
    .array(
      z.discriminatedUnion('role', [
        z.strictObject({ ...message, role: z.literal('developer'), content: inputText }),
        z.strictObject({ ...message, role: z.literal('user'), content: inputText }),
        z.strictObject({ ...message, role: z.literal('assistant'), content: outputText }),
      ]),
    )
    .max(128)
    .exactOptional(),
});
export type LiveSessionConfig = z.infer<typeof sessionSchema>;

const append = { ...eventId, content, delegation_id: text.nullable() };

export const liveClientEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session.start'), ...eventId, session: sessionSchema }),
  z.strictObject({ type: z.literal('session.input_audio.append'), ...eventId, audio: z.base64().min(4) }),
  z.strictObject({ type: z.literal('session.input_audio.mute'), ...eventId }),
  z.strictObject({ type: z.literal('session.input_audio.unmute'), ...eventId }),
  z.strictObject({ type: z.literal('session.instructions.append'), ...append }),
  z.strictObject({ type: z.literal('session.thinking.append'), ...append }),
  z.strictObject({ type: z.literal('session.commentary.append'), ...append }),
  z.strictObject({
    type: z.literal('response.item.create'),
    ...eventId,
    item: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('function_call_output'), call_id: text, output: text }),
      z.strictObject({ ...message, role: z.literal('user'), content: text }),
    ]),
  }),
  z.strictObject({ type: z.literal('response.create'), ...eventId }),
  z.strictObject({ type: z.literal('session.close'), ...eventId }),
]);

export type LiveClientEvent = z.infer<typeof liveClientEventSchema>;
export type LiveClientEventOf<T extends LiveClientEvent['type']> = Extract<LiveClientEvent, { type: T }>;

/** The checker's proof that the schema accepts nothing that the vendor's types do not have. */
export const asVendorEvent = (event: LiveClientEvent): VendorEvent => event;
