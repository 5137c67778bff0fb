/** Tools that the model asked for and that have not answered yet. */

/** More at once is a model gone wild. */
const TOOL_CALLS_MAX = 16;

export class ToolsUnderWay {
  readonly #calls = new Set<string>();

  get size(): number {
    return this.#calls.size;
  }

  /** false: there are too many. */
  begin(callId: string): boolean {
    if (this.#calls.size >= TOOL_CALLS_MAX) return false;
    this.#calls.add(callId);
    return true;
  }

  /** false: nobody asked, or it was answered already. */
  end(callId: string): boolean {
    return this.#calls.delete(callId);
  }
}
