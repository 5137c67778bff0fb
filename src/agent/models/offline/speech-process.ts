/**
 * A child process that does speech, watched over: it is started again with growing delay when it dies,
 * and requests that were under way are refused, not lost.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { ERROR_CATALOGUE, TrunklineError, type ErrorCode } from '../../../base/errors.ts';
import { Events } from '../../../base/events.ts';
import { speechAnswerSchema } from './speech-messages.ts';

/** Delay before a restart: doubles from the first to the last, and falls back after a quiet while. */
const RESTART_MS_FIRST = 100;
const RESTART_MS_MAX = 10_000;
const QUIET_MS = 30_000;
/** Requests that may wait for an answer; more means the process is stuck. */
const PENDING_MAX = 1000;

export interface SpeechProcessEvents {
  /** The process takes requests: at the start, and after every restart. */
  up: { restarts: number };
  /** It died; `detail` says how. */
  down: { detail: string };
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (failure: TrunklineError) => void;
  readonly stopTimer: () => void;
}

export class SpeechProcess {
  readonly events = new Events<SpeechProcessEvents>();
  readonly #script: URL;
  readonly #args: readonly string[];
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting = new Set<(up: boolean) => void>();
  #child: ChildProcess | null = null;
  #up = false;
  #closed = false;
  #restarts = 0;
  #delayMs = RESTART_MS_FIRST;
  #startedMs = 0;
  #nextRequest = 0;
  #stopRestart: (() => void) | null = null;

  constructor(options: { script: URL; args?: readonly string[]; clock?: Clock }) {
    this.#script = options.script;
    this.#args = options.args ?? [];
    this.#clock = options.clock ?? systemClock;
    this.#start();
  }

  /** A process that died is not, before its exit is told, too: its channel closes first. */
  get isUp(): boolean {
    return this.#up && this.#child?.connected === true;
  }

  /** Counts the processes there have been: who remembers it knows whether it is still the same one. */
  get generation(): number {
    return this.#restarts;
  }

  /** Process id of the child that runs now, for operators and tests. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  #start(): void {
    this.#startedMs = this.#clock.nowMs();
    const child = fork(this.#script, [...this.#args], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message) => this.#answered(message));
    // It cannot be asked any more, whatever it does.
    child.on('disconnect', () => child.kill('SIGKILL'));
    child.on('error', (failure) => this.#died(child, failure.message));
    child.on('exit', (code, signal) => this.#died(child, signal ?? `exit code ${String(code)}`));
  }

  #answered(message: unknown): void {
    const parsed = speechAnswerSchema.safeParse(message);
    if (!parsed.success) return;
    const answer = parsed.data;
    if (answer.type === 'up') {
      this.#up = true;
      this.events.emit('up', { restarts: this.#restarts });
      return;
    }
    const pending = this.#take(answer.requestId);
    if (answer.type === 'done') pending?.resolve(answer.result);
    else pending?.reject(new TrunklineError(codeOf(answer.code), answer.detail));
  }

  #take(requestId: number): Pending | undefined {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.stopTimer();
    return pending;
  }

  #died(child: ChildProcess, detail: string): void {
    if (child !== this.#child) return;
    this.#child = null;
    this.#up = false;
    this.#refuseAll(`the speech process ended (${detail})`);
    if (this.#closed) return;
    this.events.emit('down', { detail });
    if (this.#clock.nowMs() - this.#startedMs > QUIET_MS) this.#delayMs = RESTART_MS_FIRST;
    this.#stopRestart = this.#clock.after(this.#delayMs, () => {
      this.#restarts += 1;
      this.#start();
    });
    this.#delayMs = Math.min(RESTART_MS_MAX, this.#delayMs * 2);
  }

  #refuseAll(detail: string): void {
    for (const requestId of [...this.#pending.keys()])
      this.#take(requestId)?.reject(new TrunklineError('SPEECH_UNAVAILABLE', detail));
  }

  /** Resolves true once the process takes requests, false after `timeoutMs` or when it is closed. */
  whenUp(timeoutMs: number): Promise<boolean> {
    if (this.isUp || this.#closed) return Promise.resolve(this.isUp);
    return new Promise((resolve) => {
      const stopTimer = this.#clock.after(timeoutMs, () => settle(false));
      const stopUp = this.events.on('up', () => settle(true));
      const settle = (up: boolean): void => {
        this.#waiting.delete(settle);
        stopTimer();
        stopUp();
        resolve(up);
      };
      this.#waiting.add(settle);
    });
  }

  /** Why a request cannot be answered while the process is down. */
  lost(): TrunklineError {
    return new TrunklineError('SPEECH_UNAVAILABLE', 'the speech process ended while it was needed');
  }

  /** Sends a message that has no answer; false when the process is down: it is then not sent. */
  tell(message: object): boolean {
    if (!this.#child?.connected) return false;
    this.#child.send(message, () => {
      // A send that fails is followed by the exit, which is handled there.
    });
    return true;
  }

  /**
   * Sends a request (with a `requestId` added) and waits for its answer.
   * Rejects with the process's own code, or SPEECH_UNAVAILABLE when it is down, dies, or takes too long.
   */
  ask(request: object, timeoutMs: number): Promise<unknown> {
    const requestId = this.#nextRequest;
    this.#nextRequest += 1;
    return new Promise((resolve, reject) => {
      const stopTimer = this.#clock.after(timeoutMs, () => {
        this.#take(requestId)?.reject(
          new TrunklineError('SPEECH_UNAVAILABLE', `no answer within ${timeoutMs} ms`),
        );
      });
      this.#pending.set(requestId, { resolve, reject, stopTimer });
      const full = this.#pending.size > PENDING_MAX;
      if (full || !this.tell({ ...request, requestId })) {
        const detail = full ? 'too many requests are waiting' : 'the speech process is not running';
        this.#take(requestId)?.reject(new TrunklineError('SPEECH_UNAVAILABLE', detail));
      }
    });
  }

  /** Ends the process; resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopRestart?.();
    this.events.removeAll();
    this.#refuseAll('the speech process was closed');
    for (const settle of [...this.#waiting]) settle(false);
    const child = this.#child;
    if (!child) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      if (!child.kill('SIGKILL')) resolve();
    });
  }
}

function codeOf(code: string): ErrorCode {
  return code in ERROR_CATALOGUE ? (code as ErrorCode) : 'SPEECH_UNAVAILABLE';
}
