/** What a tool answers is read by a model, and paid for: it is cut to a budget, with a mark that says so. */
import type { ToolResult } from './tool.ts';

/** Shortest that a text or a list is cut to before the result is given up as a whole. */
const TEXT_CHARS_MIN = 16;
const LIST_ITEMS_MIN = 1;
/** Room for the mark and the frame of a result that is given as a piece of text. */
const FRAME_CHARS = 160;

const sizeOf = (value: object | string): number => JSON.stringify(value).length;

/** The same value with texts of at most `charsMax` characters and lists of at most `itemsMax` items. */
function shortened(value: unknown, charsMax: number, itemsMax: number): unknown {
  if (typeof value === 'string')
    return value.length <= charsMax
      ? value
      : `${value.slice(0, charsMax)}… (cut: ${charsMax} of ${value.length} characters)`;
  if (Array.isArray(value)) {
    const kept = value.slice(0, itemsMax).map((one) => shortened(one, charsMax, itemsMax));
    return kept.length < value.length ? [...kept, `… (cut: ${itemsMax} of ${value.length} entries)`] : kept;
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, shortened(one, charsMax, itemsMax)]),
    );
  return value;
}

/**
 * A result of at most `charsMax` characters as JSON. Long texts and lists are cut first, then the whole;
 * every cut carries a mark, and the result the field `cut: true`.
 */
export function withinBudget(result: ToolResult, charsMax: number): ToolResult {
  const size = sizeOf(result);
  if (size <= charsMax) return result;
  let chars = charsMax;
  let items = 64;
  while (chars >= TEXT_CHARS_MIN) {
    const cut = { ...(shortened(result, chars, items) as ToolResult), cut: true };
    if (sizeOf(cut) <= charsMax) return cut;
    chars = Math.floor(chars / 2);
    items = Math.max(LIST_ITEMS_MIN, Math.floor(items / 2));
  }
  const { ok } = result;
  const mark = `cut: ${size} characters were too many`;
  let text = JSON.stringify(result).slice(0, Math.max(0, charsMax - FRAME_CHARS));
  // Quotes grow when they are quoted once more.
  while (text !== '' && sizeOf(text) > charsMax - FRAME_CHARS) text = text.slice(0, text.length - 16);
  return ok ? { ok, cut: true, mark, text } : { ok, reason: 'That did not work.', cut: true, mark, text };
}
