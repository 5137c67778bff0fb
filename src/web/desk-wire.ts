/**
 * Every message between a human agent's page (/desk) and the gateway; the page shares this file, so there is
 * nothing but zod in here. Asked and told as in wire.ts, in Socket.IO's namespace `DESK_NAMESPACE`.
 * The first request is `signIn`. The sound of a call goes over a second socket: `accept` and `supervise`
 * answer with a token for `join` (wire.ts).
 */
import { z } from 'zod';

export const DESK_NAMESPACE = '/desk';

const id = z.string().min(1).max(128);
const words = z.string().max(4000);
const nothing = z.strictObject({});

export const deskRole = z.enum(['human', 'supervisor']);
export type DeskRole = z.infer<typeof deskRole>;

export const handoffState = z.enum([
  ...(['announcing', 'waiting', 'ringing', 'joining', 'talking', 'held', 'returned', 'over'] as const),
]);

/** A caller on the way to a human. */
const handoff = z.object({
  handoffId: id,
  callId: id,
  from: words,
  source: z.enum(['phone', 'web']),
  profile: words,
  reason: words,
  briefing: words,
  state: handoffState,
  waitedMs: z.number().int().min(0),
  /** It rings at this desk. */
  ringsHere: z.boolean(),
  /** This desk has it. */
  mine: z.boolean(),
  /** Who has it; empty: nobody. */
  by: words,
  /** What was said before. */
  turns: z.array(z.object({ who: z.enum(['agent', 'visitor']), text: words })).max(200),
});
export type WireHandoff = z.infer<typeof handoff>;

/** A call that is going on, for supervisors. */
const liveCall = z.object({
  callId: id,
  from: words,
  source: z.enum(['phone', 'web']),
  profile: words,
  startedAt: z.iso.datetime(),
  with: z.enum(['agent', 'queue', 'human']),
  /** The human's name; empty: none has it. */
  by: words,
});
export type WireLiveCall = z.infer<typeof liveCall>;

/** Everything that the page shows; told whole at every change. */
export const deskState = z.object({
  available: z.boolean(),
  /** Oldest first. */
  handoffs: z.array(handoff),
  /** Empty for whoever is no supervisor. */
  calls: z.array(liveCall),
  colleagues: z.object({ available: z.number().int(), busy: z.number().int(), away: z.number().int() }),
});
export type DeskState = z.infer<typeof deskState>;

export const DESK_REQUESTS = {
  signIn: {
    ask: z.strictObject({ token: z.string().min(1).max(4096) }),
    result: z.object({ deskId: id, name: words, role: deskRole, tenant: id, state: deskState }),
  },
  /** Whether this desk takes calls. */
  presence: { ask: z.strictObject({ available: z.boolean() }), result: nothing },
  accept: { ask: z.strictObject({ handoffId: id }), result: z.object({ token: z.string() }) },
  decline: { ask: z.strictObject({ handoffId: id }), result: nothing },
  /** The briefing, spoken: a WAV file in base64. */
  briefing: { ask: z.strictObject({ handoffId: id }), result: z.object({ sound: z.string() }) },
  /** A supervisor enters a call, to listen at first. */
  supervise: { ask: z.strictObject({ callId: id }), result: z.object({ token: z.string() }) },
} as const;

export type DeskRequestName = keyof typeof DESK_REQUESTS;
export type DeskAsk<N extends DeskRequestName> = z.infer<(typeof DESK_REQUESTS)[N]['ask']>;
export type DeskResult<N extends DeskRequestName> = z.infer<(typeof DESK_REQUESTS)[N]['result']>;

export const DESK_EVENTS = { state: deskState } as const;
export type DeskEventName = keyof typeof DESK_EVENTS;
export type DeskEventPayload<N extends DeskEventName> = z.infer<(typeof DESK_EVENTS)[N]>;
