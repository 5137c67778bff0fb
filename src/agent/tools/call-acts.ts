/** The tools of one call: how many are under way, and what was done already. */
import type { ToolResult } from './tool.ts';

/** Acts of one call that are remembered; the oldest is forgotten first. */
const ACTS_MAX = 200;

export class CallActs {
  readonly #acts = new Map<string, Promise<ToolResult>>();
  #underWay = 0;

  get underWay(): number {
    return this.#underWay;
  }

  /** An act with this key that is under way, or was done. */
  known(key: string): Promise<ToolResult> | undefined {
    return this.#acts.get(key);
  }

  /**
   * Runs an act. One that succeeds is remembered, so that asking again gives its result; one that failed
   * may be tried again.
   */
  run(key: string, options: { remember: boolean }, act: () => Promise<ToolResult>): Promise<ToolResult> {
    this.#underWay += 1;
    const running = act().finally(() => (this.#underWay -= 1));
    if (!options.remember) return running;
    this.#acts.set(key, running);
    const forget = (): void => void this.#acts.delete(key);
    running.then((result) => {
      if (!result.ok) forget();
    }, forget);
    for (const oldest of this.#acts.keys()) {
      if (this.#acts.size <= ACTS_MAX) break;
      this.#acts.delete(oldest);
    }
    return running;
  }
}
