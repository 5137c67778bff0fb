import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { ERROR_CATALOGUE, messageOf, TrunklineError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import { answerSchema, eventSchema, resultSchemas } from './control.ts';
import type { Command, Envelope, ResultOf, ThreadEvent, ThreadOptions } from './control.ts';
import type { Placed } from '../base/precedence.ts';

/** Commands under way in one thread; more mean that it hangs. */
const PENDING_MAX = 10_000;
/** How long a thread may take to end by itself after it closed everything. */
const EXIT_TIMEOUT_MS = 2000;
/** Longest start: voices may build language models first. */
const START_TIMEOUT_MS = 120_000;

export interface LegEvents {
  digit: { digit: string; durationMs: number };
  latched: { address: string; port: number };
  silent: { silentMs: number };
}

export interface VoiceEvents {
  /** As the voice reported it; the reader parses it. */
  event: unknown;
}

export interface HandleEvents {
  /** As the voices' shared parts told it; the reader parses it. */
  voices: { event: unknown };
  /** Once, when the worker ended without being asked to. Its calls have no sound any more. */
  died: { reason: string };
  /** A failure that the thread contained, or a message of it that nobody understands. */
  error: { where: string; detail: string };
}

export interface HandleOptions {
  readonly thread: ThreadOptions;
  readonly entry: URL;
  readonly commandTimeoutMs: number;
  readonly clock: Clock;
}

interface Pending {
  readonly type: Command['type'];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: TrunklineError) => void;
  readonly stopTimer: () => void;
}

/** One media thread as the main thread sees it. */
export class MediaThreadHandle {
  readonly name: string;
  readonly events = new Events<HandleEvents>();
  /** Failures told by `error` since the start. */
  errors = 0;
  readonly #options: HandleOptions;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #legs = new Map<string, Events<LegEvents>>();
  readonly #voices = new Map<string, Events<VoiceEvents>>();
  readonly #openLegs = new Set<string>();
  readonly #ready = Promise.withResolvers<Placed>();
  readonly #exited = Promise.withResolvers<null>();
  #placed: Placed | null = null;
  #seq = 0;
  #reason: string | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: HandleOptions) {
    this.name = options.thread.name;
    this.#options = options;
    this.#worker = new Worker(options.entry, { workerData: options.thread, name: options.thread.name });
    this.#worker.on('message', (message) => this.#onMessage(message));
    this.#worker.on('messageerror', (error) => this.#fail('message', error.message));
    this.#worker.on('error', (error) => {
      this.#reason = messageOf(error);
      this.#fail('uncaught', this.#reason);
    });
    this.#worker.on('exit', (code) => this.#onExit(code));
  }

  /** Resolves when the thread takes commands. Rejects with MEDIA_THREAD_DIED. */
  static async start(options: HandleOptions): Promise<MediaThreadHandle> {
    const handle = new MediaThreadHandle(options);
    const stopTimer = options.clock.after(START_TIMEOUT_MS, () => {
      handle.#reason = `not ready within ${START_TIMEOUT_MS} ms`;
      void handle.#worker.terminate();
    });
    try {
      handle.#placed = await handle.#ready.promise;
      return handle;
    } finally {
      stopTimer();
    }
  }

  /** Legs that it holds or is about to open. */
  get load(): number {
    return this.#openLegs.size;
  }

  /** Where it stands on a busy machine; null before it is ready. */
  get placed(): Placed | null {
    return this.#placed;
  }

  get alive(): boolean {
    return this.#reason === null && this.#closing === null;
  }

  /**
   * Asks the thread. Rejects with the code that it answered, MEDIA_COMMAND_TIMEOUT when it answers nothing,
   * or MEDIA_THREAD_DIED.
   */
  request<T extends Command['type']>(command: Command & { readonly type: T }): Promise<ResultOf<T>> {
    if (!this.alive) return Promise.reject(this.#dead());
    return this.#ask(command) as Promise<ResultOf<T>>;
  }

  /** What happens on a leg. Ends with its `leg.close`. */
  legEvents(legId: string): Events<LegEvents> {
    return eventsOf(this.#legs, legId);
  }

  /** What a voice reports. Ends with its `voice.close`. */
  voiceEvents(voiceId: string): Events<VoiceEvents> {
    return eventsOf(this.#voices, voiceId);
  }

  /** Closes everything in the thread and waits for its end; by force when it does not come. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (this.#reason !== null) {
      await this.#exited.promise;
      return;
    }
    await this.#ask({ type: 'thread.close' }).catch((error: unknown) =>
      this.#fail('close', messageOf(error)),
    );
    const stopTimer = this.#options.clock.after(EXIT_TIMEOUT_MS, () => {
      this.#fail('close', 'the thread did not end by itself');
      void this.#worker.terminate();
    });
    await this.#exited.promise;
    stopTimer();
  }

  #ask(command: Command): Promise<unknown> {
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(new TrunklineError('MEDIA_COMMAND_TIMEOUT', `${this.name}: ${PENDING_MAX} wait`));
    }
    const seq = ++this.#seq;
    this.#count(command);
    return new Promise((resolve, reject) => {
      const stopTimer = this.#options.clock.after(this.#options.commandTimeoutMs, () => {
        this.#pending.delete(seq);
        reject(new TrunklineError('MEDIA_COMMAND_TIMEOUT', `${this.name}: ${command.type}`));
      });
      this.#pending.set(seq, { type: command.type, resolve, reject, stopTimer });
      this.#worker.postMessage({ seq, command } satisfies Envelope);
    }).then(
      (result) => {
        this.#forget(command);
        return result;
      },
      (error: unknown) => {
        // A leg that never opened is no load; one whose closing failed is gone for its callers all the same.
        if (command.type === 'leg.open') this.#openLegs.delete(command.legId);
        this.#forget(command);
        throw error;
      },
    );
  }

  #count(command: Command): void {
    if (command.type === 'leg.open') this.#openLegs.add(command.legId);
    if (command.type === 'leg.close') this.#openLegs.delete(command.legId);
  }

  #forget(command: Command): void {
    if (command.type === 'leg.close') this.#legs.delete(command.legId);
    if (command.type === 'voice.close') this.#voices.delete(command.voiceId);
  }

  #onMessage(message: unknown): void {
    const answer = answerSchema.safeParse(message);
    if (!answer.success) {
      this.#fail('message', answer.error.message);
      return;
    }
    if ('event' in answer.data) {
      this.#onEvent(answer.data.event);
      return;
    }
    const pending = this.#pending.get(answer.data.seq);
    // Too late: it was timed out.
    if (pending === undefined) return;
    this.#pending.delete(answer.data.seq);
    pending.stopTimer();
    if ('error' in answer.data) {
      const { code, detail } = answer.data.error;
      pending.reject(new TrunklineError(isErrorCode(code) ? code : 'MEDIA_FAILED', detail));
      return;
    }
    this.#settle(pending, answer.data.result);
  }

  #settle(pending: Pending, result: unknown): void {
    const schemas: Partial<Record<Command['type'], (typeof resultSchemas)[keyof typeof resultSchemas]>> =
      resultSchemas;
    const schema = schemas[pending.type];
    if (schema === undefined) {
      pending.resolve(null);
      return;
    }
    const parsed = schema.safeParse(result);
    if (parsed.success) pending.resolve(parsed.data);
    else pending.reject(new TrunklineError('MEDIA_FAILED', `${pending.type}: ${parsed.error.message}`));
  }

  #onEvent(raw: unknown): void {
    const parsed = eventSchema.safeParse(raw);
    if (!parsed.success) {
      this.#fail('event', parsed.error.message);
      return;
    }
    this.#dispatch(parsed.data);
  }

  #dispatch(event: ThreadEvent): void {
    switch (event.type) {
      case 'leg.digit':
        this.#legs.get(event.legId)?.emit('digit', { digit: event.digit, durationMs: event.durationMs });
        return;
      case 'leg.latched':
        this.#legs.get(event.legId)?.emit('latched', { address: event.address, port: event.port });
        return;
      case 'leg.silent':
        this.#legs.get(event.legId)?.emit('silent', { silentMs: event.silentMs });
        return;
      case 'voice.event':
        this.#voices.get(event.voiceId)?.emit('event', event.event);
        return;
      case 'voices.event':
        this.events.emit('voices', { event: event.event });
        return;
      case 'thread.ready':
        this.#ready.resolve(event.placed);
        return;
      case 'thread.error':
        this.#fail(event.where, event.detail);
        return;
    }
  }

  #onExit(code: number): void {
    this.#reason ??= `exit code ${code}`;
    const asked = this.#closing !== null;
    this.#ready.reject(this.#dead());
    for (const pending of this.#pending.values()) {
      pending.stopTimer();
      pending.reject(this.#dead());
    }
    this.#pending.clear();
    this.#openLegs.clear();
    this.#exited.resolve(null);
    if (!asked) this.events.emit('died', { reason: this.#reason });
    this.#legs.clear();
    this.#voices.clear();
  }

  #fail(where: string, detail: string): void {
    this.errors++;
    this.events.emit('error', { where, detail });
  }

  #dead(): TrunklineError {
    return new TrunklineError('MEDIA_THREAD_DIED', `${this.name}: ${this.#reason ?? 'it is closing'}`);
  }
}

function eventsOf<M extends object>(all: Map<string, Events<M>>, id: string): Events<M> {
  let events = all.get(id);
  if (events === undefined) {
    events = new Events<M>();
    all.set(id, events);
  }
  return events;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, code);
}
