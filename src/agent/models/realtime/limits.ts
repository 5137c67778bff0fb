/** Limits of a Realtime session beyond those of its socket (voice-socket/limits.ts); units stand last. */

/** Responses that may wait for the running one. */
export const waiting_responses_max = 8;

/** How often a failed response is asked for again before the session is given up. */
export const response_retries_max = 1;

/** Replies and utterances remembered for truncation and transcripts; the oldest is forgotten first. */
export const items_max = 64;

/** Sound of one reply. */
export const reply_ms_max = 600_000;

/** A conversation that is told to a new session: the newest turns, and their text together. */
export const history_turns_max = 100;
export const history_chars_max = 24_000;
