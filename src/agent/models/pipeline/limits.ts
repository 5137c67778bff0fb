/**
 * Limits of the pipeline beyond those of every conversation (../limits.ts): units stand last in the names.
 * What an operator sets is in the configuration.
 */

/** Sound of one utterance that is sent to be written down; a caller who talks longer is cut here. */
export const utterance_ms_max = 120_000;

/** Utterances that may wait to be written down; a caller cannot speak so fast. */
export const utterances_max = 16;

/** Tool calls of one answer, and the arguments of one call. */
export const tool_calls_max = 16;
export const tool_arguments_chars_max = 32_000;

/** Sound of one sentence: a server that sends more has lost its way. */
export const sentence_ms_max = 120_000;

/** Sentences that are being synthesised at a time: the one that sounds, and the next. */
export const sentences_ahead_max = 2;

/** Replies remembered, so that an interruption can say how far one got. */
export const replies_max = 64;

/** Silence before the first word that a synthesiser puts there and the caller does not get. */
export const leading_silence_ms_max = 1000;

/** How long a fixed phrase is kept for: 4 MiB of G.711 are nine minutes of speech. */
export const phrase_bytes_max = 4 * 1024 * 1024;

/** Chunks of a streamed answer that are not of the protocol, after which the server is not believed. */
export const malformed_chunks_max = 3;

/** Longest time that a server's Retry-After, or a row of failures, keeps it out of use. */
export const avoid_ms_max = 300_000;

/** Requests of one stage in a row that failed at every server, after which the session is given up. */
export const failures_in_a_row_max = 3;

/** A shorter sound that is no words is a cough, and gets no answer. */
export const cough_ms_max = 260;

/** How much of a server's complaint is kept. */
export const detail_chars_max = 200;
