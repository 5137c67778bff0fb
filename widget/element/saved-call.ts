/**
 * A call that survives its page: what the next page of the same tab needs to go on with it. Written when the
 * page goes and taken when the next one comes, so that a copy of the tab never finds it.
 */
import { EVENTS, RELOAD_WITHIN_MS } from '../../src/web/wire.ts';
import type { Line } from './captions.ts';

export interface SavedCall {
  readonly resumeToken: string;
  readonly talkedMs: number;
  /** What stood in the captions. */
  readonly lines: readonly Line[];
}

interface Kept extends SavedCall {
  readonly savedAtMs: number;
}

const keyOf = (server: string): string => `trunkline-call ${server}`;

export function saveCall(server: string, call: SavedCall): void {
  try {
    sessionStorage.setItem(keyOf(server), JSON.stringify({ ...call, savedAtMs: Date.now() } satisfies Kept));
  } catch {
    // Storage that is full or forbidden: the call ends with its page, as if it were closed.
  }
}

/** What was saved a moment ago, once; undefined when there is nothing, or nobody waits for it any more. */
export function takeCall(server: string): SavedCall | undefined {
  try {
    const text = sessionStorage.getItem(keyOf(server));
    sessionStorage.removeItem(keyOf(server));
    const kept = JSON.parse(text ?? 'null') as Kept | null;
    if (kept === null) return undefined;
    const awayMs = Date.now() - kept.savedAtMs;
    if (!(awayMs <= RELOAD_WITHIN_MS) || typeof kept.resumeToken !== 'string') return undefined;
    const lines = kept.lines.filter(isLine);
    return { resumeToken: kept.resumeToken, talkedMs: kept.talkedMs + awayMs, lines };
  } catch {
    return undefined;
  }
}

/** Any page of the site may have written there. */
function isLine(value: unknown): value is Line {
  return EVENTS.caption.safeParse(value).success || EVENTS.tool.safeParse(value).success;
}
