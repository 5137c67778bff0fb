/**
 * A child process that is there: started again, with growing pauses, whenever it ends without being asked
 * to.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { systemClock, type Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import { Events } from './events.ts';
import { letOthersFirst } from './precedence.ts';

export interface KeptProcessEvents {
  started: { pid: number };
  /** `words`: the last that it wrote to its standard error. */
  ended: { code: number | null; signal: string | null; words: string; againInMs: number };
}

export interface KeptProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Asked before every start; what it throws is as good as an early end. */
  readonly prepare?: () => Promise<void>;
  /** Opens a channel: a child of ours notices by it that its parent is gone. */
  readonly ipc?: boolean;
  /** Each line of its standard output. */
  readonly onLine?: (line: string) => void;
  /** First and longest pause before it is started again, in ms. */
  readonly pauseFirstMs?: number;
  readonly pauseMaxMs?: number;
  /** Of Linux's scale, 0 (as its parent) to 19: how far it lets others go first on a busy machine. */
  readonly niceness?: number;
  /** How long it may take to end when it is asked to, in ms; then it is killed. */
  readonly patienceMs?: number;
  readonly clock?: Clock;
}

/** One that ran for so long was well: its next pause is the first one again. */
const well_after_ms = 30_000;
const words_characters_max = 4000;

export class KeptProcess {
  readonly events = new Events<KeptProcessEvents>();
  readonly #options: Required<Omit<KeptProcessOptions, 'prepare' | 'onLine'>> & KeptProcessOptions;
  #child: ChildProcess | undefined;
  #pauseMs: number;
  #cancel: (() => void) | undefined;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: KeptProcessOptions) {
    this.#options = {
      ...{ pauseFirstMs: 200, pauseMaxMs: 10_000, patienceMs: 10_000, ipc: false, niceness: 0 },
      clock: systemClock,
      ...options,
    };
    this.#pauseMs = this.#options.pauseFirstMs;
    this.#start();
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** SIGTERM, and SIGKILL when that does not help. It is not started again. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancel?.();
    await this.#starting;
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'close');
    child.kill('SIGTERM');
    const cancel = this.#options.clock.after(this.#options.patienceMs, () => child.kill('SIGKILL'));
    await gone;
    cancel();
  }

  #start(): void {
    this.#starting = this.#spawn().catch((error: unknown) => this.#again(null, null, messageOf(error), 0));
  }

  async #spawn(): Promise<void> {
    const { program, args, prepare, ipc, onLine, niceness, clock } = this.#options;
    await prepare?.();
    if (this.#closing !== undefined) return;
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])];
    // A group of its own: Ctrl-C in a terminal is for the parent, who asks its children in its own good time.
    const child = spawn(program, args, { stdio, detached: true });
    if (child.pid !== undefined) letOthersFirst(child.pid, niceness);
    const startedMs = clock.nowMs();
    let words = '';
    let line = '';
    child.stderr?.on(
      'data',
      (bytes: Buffer) => (words = (words + String(bytes)).slice(-words_characters_max)),
    );
    child.stdout?.on('data', (bytes: Buffer) => {
      const lines = (line + String(bytes)).split('\n');
      line = lines.pop() ?? '';
      for (const one of lines) onLine?.(one);
    });
    child.once('error', (error) => (words += messageOf(error)));
    child.once('close', (code, signal) => {
      this.#child = undefined;
      this.#again(code, signal, words, clock.nowMs() - startedMs);
    });
    this.#child = child;
    if (child.pid !== undefined) this.events.emit('started', { pid: child.pid });
  }

  #again(code: number | null, signal: string | null, words: string, ranMs: number): void {
    if (this.#closing !== undefined) return;
    const { pauseFirstMs, pauseMaxMs, clock } = this.#options;
    if (ranMs >= well_after_ms) this.#pauseMs = pauseFirstMs;
    const againInMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMaxMs, againInMs * 2);
    this.events.emit('ended', { code, signal, words, againInMs });
    this.#cancel = clock.after(againInMs, () => this.#start());
  }
}
