import { EventEmitter } from 'node:events';

/** An event map: event name -> the one payload it carries. */
export type EventMap = object;

/**
 * A typed emitter. Children report upward with it; nobody asks a question with an event
 * (inject a function instead). `error` has no special meaning here.
 */
export class Events<M extends EventMap> {
  readonly #emitter = new EventEmitter();

  on<K extends keyof M & string>(name: K, listener: (payload: M[K]) => void): () => void {
    this.#emitter.on(`:${name}`, listener);
    return () => this.#emitter.off(`:${name}`, listener);
  }

  once<K extends keyof M & string>(name: K, listener: (payload: M[K]) => void): () => void {
    this.#emitter.once(`:${name}`, listener);
    return () => this.#emitter.off(`:${name}`, listener);
  }

  /** Returns whether anybody listened. */
  emit<K extends keyof M & string>(name: K, payload: M[K]): boolean {
    return this.#emitter.emit(`:${name}`, payload);
  }

  removeAll(): void {
    this.#emitter.removeAllListeners();
  }
}
