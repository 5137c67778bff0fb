/** An agent profile: who answers, how it speaks, what it may do. YAML in config/agents/, or inline. */
import { z } from 'zod';
import { failoverSettingsSchema, fallbacksSchema, fillersSchema } from './failover-settings.ts';
import { liveOverridesSchema } from './models/live/settings.ts';
import { realtimeOverridesSchema } from './models/realtime/settings.ts';
import { hearingSettingsSchema } from './hearing-settings.ts';
import { turnSettingsSchema } from './turn-settings.ts';
import { appointmentRulesSchema } from './tools/opening-hours.ts';

/** To find out takes 0.1 ms, most of what reading a profile does; a media thread reads one for each call. */
const timeZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (timeZones.has(name)) return true;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  timeZones.add(name);
  return true;
}

/** The first name that comes a second time. */
function repeated(named: readonly { readonly name: string }[]): string | undefined {
  const names = named.map((one) => one.name);
  return names.find((name, index) => names.indexOf(name) < index);
}

function refuseRepeated(named: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const name = repeated(named);
  if (name !== undefined) context.addIssue({ code: 'custom', message: `two are called "${name}"` });
}

/** Something the caller may choose: `say` is how it is called, `value` is what the tool gets. */
const choiceSchema = z.strictObject({ say: z.array(z.string().min(1)).min(1), value: z.string() });

/** How digits are taken by the tool `collect_digits`; without it the dialog takes them itself. */
const keysSchema = z
  .strictObject({
    min_digits: z.int().min(1).max(32).default(1),
    max_digits: z.int().min(1).max(32).default(32),
    terminator: z.enum(['#', '*', '']).default('#'),
    /** Patience for the first digit, and the pause that ends the number, in s. */
    wait_s: z.number().min(1).max(60).default(15),
    between_s: z.number().min(0.5).max(20).default(4),
    /** true: never said aloud, written down or logged. */
    secret: z.boolean().default(false),
  })
  .refine((keys) => keys.min_digits <= keys.max_digits, {
    path: ['min_digits'],
    error: 'must not be above max_digits',
  });

/** One piece of information that a task needs. */
export const slotSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]*$/),
    kind: z.enum(['day', 'time', 'person', 'choice', 'yes_no', 'digits']),
    /** Asked when the caller has not said it. */
    ask: z.string().min(1),
    /** Asked again when the answer was not understood. */
    ask_again: z.string().min(1),
    choices: z.array(choiceSchema).default([]),
    /** true: asked for only when the tool asks for it. */
    optional: z.boolean().default(false),
    keys: keysSchema.optional(),
  })
  .refine((slot) => slot.keys === undefined || slot.kind === 'digits', {
    path: ['keys'],
    error: 'only a slot of kind digits has keys',
  })
  .refine((slot) => slot.kind !== 'choice' || slot.choices.length > 0, {
    path: ['choices'],
    error: 'a slot of kind choice needs some',
  });
export type Slot = z.infer<typeof slotSchema>;

/** What the caller can want: sample phrases, the slots it needs, the tool that does it. */
export const taskSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]*$/),
    /** What callers say; `{slot}` stands for any value of that slot. They teach the recogniser. */
    phrases: z.array(z.string().min(1)).min(1),
    slots: z.array(slotSchema).superRefine(refuseRepeated).default([]),
    /** Read back before the tool runs; `{slot}` is replaced by the spoken value. Empty: no confirmation. */
    confirm: z.string().default(''),
    /** Tool to call with the slots' values; empty: only `done` is said. */
    tool: z.string().default(''),
    /**
     * Arguments of the tool besides the slots. `{name}` is replaced by a slot's spoken value, or by what an
     * earlier task of the call brought: its slots and its tool's result.
     */
    arguments: z.record(z.string(), z.string()).default({}),
    /** Said in place of calling the tool when a `{name}` of `arguments` has no value. */
    missing: z.string().default('I am sorry, that is not possible yet.'),
    /** Said afterwards; `{field}` may also name a field of the tool's result. */
    done: z.string().min(1),
    failed: z.string().default('Sorry, that did not work.'),
    /** true: somebody else has the call after `done`, so that nothing follows it. */
    hands_over: z.boolean().default(false),
    /** true: the call ends after `done`. */
    ends_call: z.boolean().default(false),
    /** true: the caller cannot cut `done` and `failed` short (what the law wants said, for example). */
    uninterruptible: z.boolean().default(false),
  })
  .superRefine(({ confirm, slots }, context) => {
    for (const [whole, name] of confirm.matchAll(/\{([a-z0-9_]+)\}/g)) {
      if (slots.some((slot) => slot.name === name)) continue;
      context.addIssue({ code: 'custom', path: ['confirm'], message: `${whole} is no slot of this task` });
    }
  });
export type Task = z.infer<typeof taskSchema>;

/** A telephone number, or the beginning of some: `+44*`. */
const numberPattern = z.string().regex(/^\+?\d{0,15}\*?$/, 'must be a number, or a beginning such as +44*');

export const agentProfileSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** IANA time zone: what "tomorrow at ten" means. */
  time_zone: z.string().refine(isTimeZone, 'no IANA time zone, such as Europe/London').default('UTC'),
  language: z.literal('en').default('en'),
  /** Which adapter speaks. */
  model: z
    .strictObject({
      adapter: z.enum(['offline', 'realtime', 'live', 'pipeline']).default('offline'),
      name: z.string().default(''),
      voice: z.string().default('slt'),
      /** What this profile wants differently from the configuration's section `realtime`. */
      realtime: realtimeOverridesSchema.prefault({}),
      /** The same for section `live`. */
      live: liveOverridesSchema.prefault({}),
      /** Sessions that are kept open for calls that may come, in the whole gateway. */
      spares: z.int().min(0).max(100).default(0),
    })
    .refine(({ adapter, spares }) => spares === 0 || adapter === 'realtime' || adapter === 'live', {
      path: ['spares'],
      error: 'only realtime and live have sessions that can be kept open',
    })
    .prefault({}),
  /** Instructions for models that take them. */
  prompt: z.string().default(''),
  greeting: z.string().min(1),
  /** Said when nothing was understood, in turn. */
  not_understood: z.array(z.string()).min(1),
  /** Said when the caller is silent; after the last one the agent says goodbye and hangs up. */
  still_there: z.array(z.string()).min(1),
  anything_else: z.string().min(1),
  /** Said when the caller answers `anything_else` with a bare yes. */
  invite: z.string().default('How can I help you?'),
  /** Said when the caller refuses a read-back without saying what is wrong. */
  correction: z.string().default('Sorry about that. What should I change?'),
  /** Said when our own ears failed for a moment and the caller has to repeat. */
  trouble: z.string().default('Sorry, I had trouble hearing you. Could you say that again?'),
  /** Said before hanging up when the caller was not understood `turns.misunderstood_max` times running. */
  give_up: z.string().default('I am sorry, I cannot understand you. Please call again. Goodbye.'),
  /** Said some time before the longest call ends (calls.duration_warning_ms). */
  time_is_nearly_up: z.string().min(1).default('I am afraid this call has to end in a minute.'),
  goodbye: z.string().min(1),
  /** Said when the agent is back after the caller was given, or was to be given, to a human. */
  back: z
    .strictObject({
      handed_back: z.string().default('I am back with you. Is there anything else I can do for you?'),
      human_left: z.string().default('I am here again. Is there anything else I can do for you?'),
      unanswered: z
        .string()
        .default('I am sorry, nobody is free at the moment. Is there anything I can do for you?'),
    })
    .prefault({}),
  /** What callers may say beyond the tasks' phrases: names for `person` slots, and any other sentences. */
  vocabulary: z
    .strictObject({
      first_names: z.array(z.string().regex(/^[A-Za-z']+$/)).default([]),
      last_names: z.array(z.string().regex(/^[A-Za-z']+$/)).default([]),
      phrases: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  tasks: z.array(taskSchema).min(1).superRefine(refuseRepeated),
  /** Names; one that ends with `*` permits all that begin so: `crm_*`. */
  tools: z.array(z.string()).default([]),
  /** When appointments can be; absent: at any time. */
  appointments: appointmentRulesSchema.optional(),
  /** Whom send_sms may write to; `caller`: the number that calls. */
  sms_numbers: z.array(z.union([z.literal('caller'), numberPattern])).default(['caller']),
  transfer: z
    .strictObject({
      /** Whom transfer_to_number may call; everything else is refused. */
      numbers: z.array(numberPattern).default([]),
      /** How long the far end may take to say whether a transfer worked, in ms. */
      timeout_ms: z.int().min(1000).max(120_000).default(30_000),
    })
    .prefault({}),
  turns: turnSettingsSchema,
  hearing: hearingSettingsSchema,
  /** What takes over when the model fails, in this order. */
  fallbacks: fallbacksSchema,
  failover: failoverSettingsSchema,
  fillers: fillersSchema,
});
export type AgentProfile = z.infer<typeof agentProfileSchema>;
