/** Limits of every conversation with a model, whatever its protocol; units stand last in the names. */

/** Text of one reply or utterance, and of one tool result as the model reads it. */
export const text_chars_max = 32_000;
export const tool_result_chars_max = 16_000;

/** Keys pressed within this time are told to the model together. */
export const digit_pause_ms = 1500;
export const digits_max = 64;
