/** The caller's words out of transcript pieces that have no ends: a pause makes an utterance of them. */
import type { Clock } from '../../../base/clock.ts';
import { newId } from '../../../base/ids.ts';
import { text_chars_max } from '../limits.ts';
import { heard_settle_ms, heard_soon_ms, wordless_ms } from './limits.ts';

export interface Utterance {
  readonly utteranceId: string;
  readonly text: string;
  readonly final: boolean;
}

export class HeardWords {
  readonly #clock: Clock;
  readonly #tell: (utterance: Utterance) => void;
  #utteranceId = '';
  #text = '';
  #endMs = 0;
  /** The caller is known to have stopped. */
  #stopped = false;
  #cancelTimer: () => void = () => undefined;

  constructor(clock: Clock, tell: (utterance: Utterance) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** A piece, with its place on the session's time. */
  add({ delta, start_ms, end_ms }: { delta: string; start_ms: number; end_ms: number }): void {
    if (this.#text !== '' && start_ms - this.#endMs > heard_settle_ms) this.finish();
    if (this.#text === '') this.#utteranceId = newId('utterance');
    this.#text = (this.#text + delta).slice(0, text_chars_max);
    this.#endMs = end_ms;
    this.#tell({ utteranceId: this.#utteranceId, text: this.#text.trim(), final: false });
    this.#finishIn(this.#stopped ? heard_soon_ms : heard_settle_ms);
  }

  /** The caller has stopped, and somebody waits for the words: they come soon, or there are none. */
  callerStopped(): void {
    this.#stopped = true;
    this.#finishIn(this.#text === '' ? wordless_ms : heard_soon_ms);
  }

  #finishIn(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(ms, () => this.finish());
  }

  /** Whatever was said is whole; a sound without words is told only to those who wait for them. */
  finish(): void {
    this.#cancelTimer();
    const text = this.#text.trim();
    const waitedFor = this.#stopped;
    this.#text = '';
    this.#stopped = false;
    if (text !== '') this.#tell({ utteranceId: this.#utteranceId, text, final: true });
    else if (waitedFor) this.#tell({ utteranceId: newId('utterance'), text, final: true });
  }

  close(): void {
    this.#cancelTimer();
    this.#text = '';
  }
}
