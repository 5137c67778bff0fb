/**
 * Everything a client may say, strictly: what the vendor's types do not have is refused, as the vendor
 * does.
 */
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime';
import { z } from 'zod';

const text = z.string();
const eventId = { event_id: text.exactOptional() };

const format = z.union([
  z.strictObject({ type: z.literal('audio/pcm'), rate: z.literal(24000).exactOptional() }),
  z.strictObject({ type: z.enum(['audio/pcmu', 'audio/pcma']) }),
]);

const turnDetection = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('server_vad'),
    threshold: z.number().min(0).max(1).exactOptional(),
    prefix_padding_ms: z.int().min(0).exactOptional(),
    silence_duration_ms: z.int().min(0).exactOptional(),
    idle_timeout_ms: z.int().min(5000).max(30_000).nullable().exactOptional(),
    create_response: z.boolean().exactOptional(),
    interrupt_response: z.boolean().exactOptional(),
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    eagerness: z.enum(['low', 'medium', 'high', 'auto']).exactOptional(),
    create_response: z.boolean().exactOptional(),
    interrupt_response: z.boolean().exactOptional(),
  }),
]);

const toolName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const tools = z.array(
  z.strictObject({
    type: z.literal('function'),
    name: toolName,
    description: text.exactOptional(),
    parameters: z.looseObject({ type: z.literal('object') }),
  }),
);
const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.strictObject({ type: z.literal('function'), name: toolName }),
]);
const metadata = z.record(z.string().max(64), z.string().max(512)).nullable();
const modalities = z.array(z.enum(['text', 'audio'])).length(1);
const outputTokens = z.union([z.literal('inf'), z.int().min(1).max(4096)]);

const truncation = z.union([
  z.enum(['auto', 'disabled']),
  z.strictObject({
    type: z.literal('retention_ratio'),
    retention_ratio: z.number().min(0).max(1),
    token_limits: z.strictObject({ post_instructions: z.int().min(0).exactOptional() }).exactOptional(),
  }),
]);

const sessionSchema = z.strictObject({
  type: z.literal('realtime'),
  model: text.exactOptional(),
  instructions: text.exactOptional(),
  output_modalities: modalities.exactOptional(),
  max_output_tokens: outputTokens.exactOptional(),
  tools: tools.exactOptional(),
  tool_choice: toolChoice.exactOptional(),
  parallel_tool_calls: z.boolean().exactOptional(),
  reasoning: z
    .strictObject({ effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']).exactOptional() })
    .exactOptional(),
  tracing: z.literal('auto').nullable().exactOptional(),
  include: z.array(z.literal('item.input_audio_transcription.logprobs')).exactOptional(),
  truncation: truncation.exactOptional(),
  audio: z
    .strictObject({
      input: z
        .strictObject({
          format: format.exactOptional(),
          transcription: z
            .strictObject({
              model: text.exactOptional(),
              language: text.exactOptional(),
              keywords: z.array(text).max(100).exactOptional(),
              prompt: text.exactOptional(),
            })
            .exactOptional(),
          noise_reduction: z
            .strictObject({
              type: z.enum(['near_field', 'far_field']).exactOptional(),
              strength: z.number().min(0).max(1).exactOptional(),
            })
            .exactOptional(),
          turn_detection: turnDetection.nullable().exactOptional(),
        })
        .exactOptional(),
      output: z
        .strictObject({
          format: format.exactOptional(),
          voice: text.exactOptional(),
          speed: z.number().min(0.25).max(1.5).exactOptional(),
        })
        .exactOptional(),
    })
    .exactOptional(),
});
export type SessionConfig = z.infer<typeof sessionSchema>;

const inputText = z.array(z.strictObject({ type: z.literal('input_text'), text }));
const message = { type: z.literal('message'), id: text.exactOptional() };

const item = z.union([
  z.strictObject({ ...message, role: z.literal('user'), content: inputText }),
  z.strictObject({ ...message, role: z.literal('system'), content: inputText }),
  z.strictObject({
    ...message,
    role: z.literal('assistant'),
    content: z.array(z.strictObject({ type: z.literal('output_text'), text })),
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    id: text.exactOptional(),
    call_id: text,
    output: text,
  }),
]);

export const clientEventSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('session.update'), ...eventId, session: sessionSchema }),
  z.strictObject({ type: z.literal('input_audio_buffer.append'), ...eventId, audio: z.base64().min(4) }),
  z.strictObject({ type: z.literal('input_audio_buffer.commit'), ...eventId }),
  z.strictObject({ type: z.literal('input_audio_buffer.clear'), ...eventId }),
  z.strictObject({
    type: z.literal('conversation.item.create'),
    ...eventId,
    previous_item_id: text.exactOptional(),
    item,
  }),
  z.strictObject({
    type: z.literal('conversation.item.truncate'),
    ...eventId,
    item_id: text,
    content_index: z.int().min(0),
    audio_end_ms: z.int().min(0),
  }),
  z.strictObject({ type: z.literal('conversation.item.delete'), ...eventId, item_id: text }),
  z.strictObject({ type: z.literal('conversation.item.retrieve'), ...eventId, item_id: text }),
  z.strictObject({
    type: z.literal('response.create'),
    ...eventId,
    response: z
      .strictObject({
        instructions: text.exactOptional(),
        metadata: metadata.exactOptional(),
        conversation: z.enum(['auto', 'none']).exactOptional(),
        output_modalities: modalities.exactOptional(),
        tools: tools.exactOptional(),
        tool_choice: toolChoice.exactOptional(),
      })
      .exactOptional(),
  }),
  z.strictObject({ type: z.literal('response.cancel'), ...eventId, response_id: text.exactOptional() }),
]);

export type ClientEvent = z.infer<typeof clientEventSchema>;
export type ClientEventOf<T extends ClientEvent['type']> = Extract<ClientEvent, { type: T }>;

/** The checker's proof that the schema accepts nothing that the vendor's types do not have. */
export const asVendorEvent = (event: ClientEvent): RealtimeClientEvent => event;
