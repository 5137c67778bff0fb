/** Tools that the model asked for and that have not answered yet. */

import { COLLECT_DIGITS } from './keypad.ts';

/** More at once is a model gone wild. */
const TOOL_CALLS_MAX = 16;

/** Who asked for a tool: the session that is up, one that is gone, or nobody. */
export type Asker = 'session' | 'lost session' | 'nobody';

export class ToolsUnderWay {
  /** Call id -> what was called, and whether the session that asked is gone. */
  readonly #calls = new Map<string, { readonly name: string; readonly orphaned: boolean }>();

  get size(): number {
    return this.#calls.size;
  }

  /** One of them waits for the caller's keys: it is not the caller who waits. */
  get waitForCaller(): boolean {
    return [...this.#calls.values()].some(({ name }) => name === COLLECT_DIGITS);
  }

  /** false: there are too many. */
  begin(callId: string, name: string): boolean {
    if (this.#calls.size >= TOOL_CALLS_MAX) return false;
    this.#calls.set(callId, { name, orphaned: false });
    return true;
  }

  /** The session is gone; the tools work on. */
  orphan(): void {
    for (const [callId, { name }] of this.#calls) this.#calls.set(callId, { name, orphaned: true });
  }

  /** It answered; who waits for that. */
  end(callId: string): Asker {
    const call = this.#calls.get(callId);
    this.#calls.delete(callId);
    if (call === undefined) return 'nobody';
    return call.orphaned ? 'lost session' : 'session';
  }
}
