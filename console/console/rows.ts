/** What the page reads of the API: the fields that it shows, each looked at before it is believed. */
import { z } from 'zod';

const words = z.string().nullable();
const page = <Row extends z.ZodType>(
  row: Row,
): z.ZodObject<{
  data: z.ZodArray<Row>;
  next_cursor: z.ZodOptional<z.ZodNullable<z.ZodString>>;
}> => z.object({ data: z.array(row), next_cursor: words.optional() });

export const call = z.object({
  call_id: z.string(),
  source: z.string(),
  profile: z.string(),
  from_number: z.string(),
  to_number: z.string(),
  started_at: z.string(),
  duration_ms: z.number().nullable(),
  ending: words,
  ending_class: words,
  summary: words,
});
export type Call = z.infer<typeof call>;

export const turn = z.object({
  seq: z.number(),
  who: z.string(),
  text: z.string(),
  at_ms: z.number(),
  interrupted: z.boolean(),
  response_ms: z.number().nullable(),
});

export const toolCall = z.object({
  seq: z.number(),
  name: z.string(),
  arguments: z.unknown(),
  result: z.unknown(),
  ok: z.boolean(),
  took_ms: z.number().nullable(),
  at_ms: z.number(),
});

export const callEvent = z.object({
  seq: z.number(),
  type: z.string(),
  at_ms: z.number(),
  fact: z.unknown(),
});

export const message = z.object({
  message_id: z.string(),
  channel: z.string(),
  direction: z.string(),
  status: z.string(),
  from_number: z.string(),
  to_number: z.string(),
  body: z.string(),
  created_at: z.string(),
  error_detail: words,
});

export const appointment = z.object({
  appointment_id: z.string(),
  confirmation: z.string(),
  name: z.string(),
  day: z.string(),
  time: z.string(),
  duration_min: z.number(),
  status: z.string(),
  call_id: words,
});

export const activity = z.object({
  activity_id: z.string(),
  call_id: words,
  summary: z.string(),
  occurred_at: z.string(),
});

export const wholeCall = call.extend({
  turns: z.array(turn),
  tool_calls: z.array(toolCall),
  events: z.array(callEvent),
  messages: z.array(message),
  appointments: z.array(appointment),
  activities: z.array(activity),
  usage: z.array(
    z.object({
      model: z.string(),
      unit: z.string(),
      quantity: z.number(),
      cost_micros: z.number().nullable(),
    }),
  ),
});
export const callJobs = z.object({
  data: z.array(
    z.object({
      queue: z.string(),
      key: z.string(),
      state: z.enum(['waiting', 'active', 'delayed', 'completed', 'failed']),
      attempts: z.number(),
      attempts_max: z.number(),
      asked_at: z.string(),
      ended_at: words,
      failure: words,
    }),
  ),
});
export type CallJob = z.infer<typeof callJobs>['data'][number];

export type WholeCall = z.infer<typeof wholeCall>;

export const contact = z.object({
  contact_id: z.string(),
  e164: z.string(),
  name: words,
  email: words,
  company: words,
  updated_at: z.string(),
});
export const wholeContact = contact.extend({ notes: words, activities: z.array(activity) });

export const queue = z.object({
  queue: z.string(),
  waiting: z.number(),
  active: z.number(),
  delayed: z.number(),
  failed: z.number(),
});

export const deadLetter = z.object({
  dead_letter_id: z.string(),
  queue: z.string(),
  job_key: z.string(),
  code: z.string(),
  detail: z.string(),
  attempts: z.number(),
  died_at: z.string(),
});

export const calls = page(call);
export const contacts = page(contact);
export const messages = page(message);
export const appointments = page(appointment);
export const queues = page(queue);
export const deadLetters = page(deadLetter);
