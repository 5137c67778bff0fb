/** Every limit of a session with a Realtime server: units stand last in the names. */

/** One message from the server. A delta is a few kilobytes; OpenAI's own limit per event is 15 MiB. */
export const message_bytes_max = 4 * 1024 * 1024;

/** Unsent bytes beyond which the caller's sound is dropped: about three seconds of G.711 in base64. */
export const unsent_bytes_max = 32 * 1024;

/** How much of the caller's sound may be dropped in a row before the session counts as dead. */
export const dropped_ms_max = 3000;

/** Silence put in for sound that never arrived; a longer gap tells a model no more than this. */
export const gap_fill_ms_max = 2000;

/** How long nothing may come from the caller before silence is sent instead, and how much at a time. */
export const caller_quiet_ms = 200;
export const filler_ms = 100;

/** Silence that a Realtime server needs to end a turn: `semantic` waits for up to 8 s. */
export const turn_silence_ms_max = 10_000;

/** Messages that are no events, after which the server is not believed any more. */
export const not_events_max = 10;

/** `error` events of one session, after which it is given up. */
export const errors_max = 20;

/** Responses that may wait for the running one. */
export const waiting_responses_max = 8;

/** How long the server may be quiet while a response is asked for or running. */
export const response_stall_ms_max = 10_000;

/** How often a failed response is asked for again before the session is given up. */
export const response_retries_max = 1;

/** How often a session looks whether the server still lives, and how often the socket is pinged. */
export const watch_ms = 1000;
export const ping_ms = 10_000;

/** Replies and utterances remembered for truncation and transcripts; the oldest is forgotten first. */
export const items_max = 64;

/** Sound of one reply. */
export const reply_ms_max = 600_000;

/** Text of one reply or utterance. */
export const text_chars_max = 32_000;

/** Tool calls that may be open at a time, and the size of one result as the model reads it. */
export const tool_calls_max = 32;
export const tool_result_chars_max = 16_000;

/** A conversation that is told to a new session: the newest turns, and their text together. */
export const history_turns_max = 100;
export const history_chars_max = 24_000;

/** How long before the vendor ends a session we say so: time enough to open another and for a pause. */
export const expiry_notice_ms = 90_000;

/** Sessions end within hours; an hour that lies further off is a clock that is wrong, or no limit. */
export const expiry_ms_max = 24 * 3_600_000;

/** Keys pressed within this time are told to the model together. */
export const digit_pause_ms = 1500;
export const digits_max = 64;

/** How long a closing handshake may take before the socket is cut. */
export const close_ms_max = 1000;
