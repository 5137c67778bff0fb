/**
 * A child of a gateway that does not come up: killed, and killed again whenever its parent has started it
 * anew, until it is let go.
 */
import { readFileSync } from 'node:fs';
import { until } from './until.ts';

const look_every_ms = 50;
const patience_ms = 30_000;

/** Process ids of a process's children in whose command line `word` stands; cheap enough to ask often. */
export function childrenNamed(pid: number, word: string): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children
    .filter((child) => child !== '')
    .map(Number)
    .filter((child) => commandOf(child).includes(word));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended between the listing and the reading.
    return '';
  }
}

export class KeptDown {
  readonly #pid: number;
  readonly #word: string;
  readonly #timer: NodeJS.Timeout;
  #deaths = 0;

  private constructor(pid: number, word: string) {
    this.#pid = pid;
    this.#word = word;
    this.#timer = setInterval(() => this.#strike(), look_every_ms);
  }

  /** Resolves when it died for the first time. @throws Error when there is no such child */
  static async begin(pid: number, word: string): Promise<KeptDown> {
    const down = new KeptDown(pid, word);
    await until(`${word} dies`, () => down.deaths > 0, patience_ms);
    return down;
  }

  /** How often it was killed. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Resolves when it has been started again. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    const { length } = childrenNamed(this.#pid, this.#word);
    if (length === 0)
      await until(`${this.#word} again`, () => childrenNamed(this.#pid, this.#word).length > 0, patience_ms);
  }

  #strike(): void {
    for (const child of childrenNamed(this.#pid, this.#word))
      try {
        process.kill(child, 'SIGKILL');
        this.#deaths += 1;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
  }
}
