/** Limits of a Live session beyond those of its socket (voice-socket/limits.ts); units stand last. */

/**
 * Text of one append: the vendor takes 500 tokens. English needs about four characters for one; half of that
 * leaves room for names and numbers.
 */
export const append_chars_max = 1000;

/** Appends that one text may be split into. */
export const appends_max = 16;

/** History for a new session: the vendor takes 128 messages and 8192 tokens. */
export const history_turns_max = 100;
export const history_chars_max = 16_000;

/** Quiet that ends what is told as one reply. A pause within a sentence is shorter. */
export const quiet_ms = 300;

/**
 * Mean level of 20 ms below which the model's line is quiet, of 32768. Idle, the vendor sends exact
 * silence.
 */
export const quiet_level_max = 48;

/**
 * Sound kept back at the start of a reply. The line is real time, 100 ms at a time: without some sound in
 * hand every late packet would be heard.
 */
export const lead_ms = 120;

/** Transcripts have no end of their own: this much time without a word is one. */
export const heard_settle_ms = 800;

/**
 * The same once the caller has surely stopped and a reply waits to go on: after the last word, and when no
 * word has come at all. Both are shorter than the voice's patience (800 ms).
 */
export const heard_soon_ms = 250;
export const wordless_ms = 600;

/** How long a delegation waits for the words that it is about: after the last of them, and at the longest. */
export const delegation_settle_ms = 250;
export const delegation_wait_ms_max = 2000;

/**
 * Quiet after the end of a reply (`quiet_ms` of it are over) that makes it the last one, and no pause between
 * two sentences. Any longer, and the caller answers the goodbye, which takes the hang-up back.
 */
export const goodbye_quiet_ms = 600;

/** How long the goodbye may take to be spoken after a tool asked to hang up. */
export const goodbye_ms_max = 8000;

/** Delegations that may be open at a time. */
export const delegations_max = 32;

/** How long a session that was asked to close may take to say its last usage. */
export const farewell_ms_max = 1500;
