/** How an agent takes turns: part of its profile. */
import { z } from 'zod';

export const turnSettingsSchema = z
  .strictObject({
    /** Silence that ends the caller's turn, in ms. */
    end_of_speech_ms: z.int().min(200).max(3000).default(600),
    /** Speech that confirms an interruption, in ms. */
    barge_in_ms: z.int().min(60).max(2000).default(240),
    /** true: the caller cannot cut the greeting short (a notice of recording, for example). */
    greeting_uninterruptible: z.boolean().default(false),
    /** Words that do not cut a reply short when nothing else is said; empty: every speech does. */
    backchannels: z
      .array(z.string().regex(/^[\p{L}'-]+$/u))
      .default('mhm mm-hmm mm hm hmm uh-huh uh um ah oh aha right yeah'.split(' ')),
    /** The longest speech that may be such a word, in ms; longer speech always cuts a reply short. */
    backchannel_ms_max: z.int().min(100).max(3000).default(600),
    /** Silence before `still_there` is said, in ms. */
    idle_ms: z.int().min(2000).max(120_000).default(9000),
    /** How often in a row a caller may be misunderstood before the agent gives up. */
    misunderstood_max: z.int().min(1).max(10).default(3),
  })
  .prefault({});
