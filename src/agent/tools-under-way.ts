/** Tools that the model asked for and that have not answered yet. */

/** More at once is a model gone wild. */
const TOOL_CALLS_MAX = 16;

/** Who asked for a tool: the session that is up, one that is gone, or nobody. */
export type Asker = 'session' | 'lost session' | 'nobody';

export class ToolsUnderWay {
  /** Call id -> whether the session that asked is gone. */
  readonly #calls = new Map<string, boolean>();

  get size(): number {
    return this.#calls.size;
  }

  /** false: there are too many. */
  begin(callId: string): boolean {
    if (this.#calls.size >= TOOL_CALLS_MAX) return false;
    this.#calls.set(callId, false);
    return true;
  }

  /** The session is gone; the tools work on. */
  orphan(): void {
    for (const callId of this.#calls.keys()) this.#calls.set(callId, true);
  }

  /** It answered; who waits for that. */
  end(callId: string): Asker {
    const orphaned = this.#calls.get(callId);
    this.#calls.delete(callId);
    if (orphaned === undefined) return 'nobody';
    return orphaned ? 'lost session' : 'session';
  }
}
