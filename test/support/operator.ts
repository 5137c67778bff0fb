/** Asks a gateway's operator API what happened on a call. */
import { z } from 'zod';

const entrySchema = z.discriminatedUnion('type', [
  z.looseObject({ atMs: z.number(), type: z.enum(['ringing', 'answered', 'held', 'resumed']) }),
  z.looseObject({ atMs: z.number(), type: z.literal('heard'), text: z.string() }),
  z.looseObject({
    atMs: z.number(),
    type: z.literal('said'),
    text: z.string(),
    heardMs: z.number(),
    interrupted: z.boolean(),
    responseMs: z.number().nullable(),
  }),
  z.looseObject({ atMs: z.number(), type: z.literal('digit'), digit: z.string() }),
  z.looseObject({
    atMs: z.number(),
    type: z.literal('tool'),
    name: z.string(),
    arguments: z.unknown(),
    result: z.unknown(),
  }),
  z.looseObject({ atMs: z.number(), type: z.literal('usage'), model: z.string() }),
  z.looseObject({
    atMs: z.number(),
    type: z.literal('failover'),
    step: z.string(),
    to: z.string().default(''),
    detail: z.string().default(''),
  }),
  z.looseObject({ atMs: z.number(), type: z.literal('voicemail'), path: z.string() }),
  z.looseObject({
    atMs: z.number(),
    type: z.literal('handoff'),
    step: z.string(),
    by: z.string().default(''),
  }),
  z.looseObject({ atMs: z.number(), type: z.literal('supervised'), by: z.string(), mode: z.string() }),
  z.looseObject({ atMs: z.number(), type: z.literal('trouble'), code: z.string(), detail: z.string() }),
]);
export type TimelineEntry = z.infer<typeof entrySchema>;

const callSchema = z.looseObject({
  callId: z.string(),
  sipCallId: z.string(),
  profile: z.string(),
  trunk: z.string(),
  timeline: z.array(entrySchema),
  ending: z.looseObject({ slug: z.string(), sipStatus: z.number(), q850: z.number() }).optional(),
  durationMs: z.number().optional(),
  media: z
    .looseObject({
      dtmf: z.string(),
      fromCaller: z.looseObject({
        packets: z.number(),
        ssrcChanges: z.number(),
        droppedForeignSource: z.number(),
      }),
      toCaller: z.looseObject({ packets: z.number() }),
    })
    .optional(),
});
export type CallRecord = z.infer<typeof callSchema>;

const pageSchema = z.looseObject({ calls: z.array(callSchema) });
const request_timeout_ms = 3000;

/** The calls with this SIP Call-ID, newest first; all recent ones when none is named. */
export async function askCalls(operatorUrl: string, sipCallId?: string): Promise<CallRecord[]> {
  const url = new URL('/v1/calls', operatorUrl);
  url.searchParams.set('limit', '100');
  if (sipCallId !== undefined) url.searchParams.set('sip_call_id', sipCallId);
  const response = await fetch(url, { signal: AbortSignal.timeout(request_timeout_ms) });
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`);
  return pageSchema.parse(await response.json()).calls;
}
