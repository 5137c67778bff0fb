/** The caller's keys while a tool waits for some: whoever listens takes them, the model never sees them. */
import { SpokenSecrets } from './spoken-secrets.ts';

/** The tool that waits for the caller, and for nothing else. */
export const COLLECT_DIGITS = 'collect_digits';

export interface KeyListener {
  /** true: what is pressed or said now is nobody else's business. */
  readonly secret: boolean;
  pressed(key: string): void;
  /** The caller said something. */
  heard(text: string): void;
  /** The call is over, or somebody else listens now. */
  ended(): void;
}

/** What became of a key: nobody waited for it, a tool took it, or it is part of a secret, too. */
export type KeyFate = 'free' | 'taken' | 'secret';

export class Keypad {
  readonly secrets = new SpokenSecrets();
  #listener: KeyListener | undefined;
  #ended = false;

  /**
   * Gives the keys to a listener until the returned function is called. Whoever listened before is told that
   * it is over; null: the call is.
   */
  listen(listener: KeyListener): (() => void) | null {
    if (this.#ended) return null;
    this.#listener?.ended();
    this.#listener = listener;
    this.secrets.listening = listener.secret;
    return () => {
      if (this.#listener !== listener) return;
      this.#listener = undefined;
      this.secrets.listening = false;
    };
  }

  pressed(key: string): KeyFate {
    const listener = this.#listener;
    if (listener === undefined) return 'free';
    listener.pressed(key);
    return listener.secret ? 'secret' : 'taken';
  }

  heard(text: string): void {
    this.#listener?.heard(text);
  }

  end(): void {
    this.#ended = true;
    this.#listener?.ended();
  }
}
