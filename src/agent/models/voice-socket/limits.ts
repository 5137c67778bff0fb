/** Every limit of a session whose server speaks and hears over one WebSocket; units stand last. */

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

/** How long the server may be quiet while a response is asked for or running. */
export const response_stall_ms_max = 10_000;

/** How often a session looks whether the server still lives, and how often the socket is pinged. */
export const watch_ms = 1000;
export const ping_ms = 10_000;

/** Tool calls that may be open at a time. */
export const tool_calls_max = 32;

/** How long before the vendor ends a session we say so: time enough to open another and for a pause. */
export const expiry_notice_ms = 90_000;

/** Sessions end within hours; an hour that lies further off is a clock that is wrong, or no limit. */
export const expiry_ms_max = 24 * 3_600_000;

/** How long a closing handshake may take before the socket is cut. */
export const close_ms_max = 1000;
