/** Keys that the caller pressed, told to the model together once the caller pauses. */
import type { Clock } from '../../base/clock.ts';
import { digit_pause_ms, digits_max } from './limits.ts';

export class Digits {
  readonly #clock: Clock;
  readonly #tell: (digits: string) => void;
  #pressed = '';
  #cancelPause: () => void = () => undefined;

  constructor(clock: Clock, tell: (digits: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  press(digit: string): void {
    this.#cancelPause();
    this.#pressed += digit;
    if (this.#pressed.length >= digits_max) this.#flush();
    else this.#cancelPause = this.#clock.after(digit_pause_ms, () => this.#flush());
  }

  close(): void {
    this.#cancelPause();
    this.#pressed = '';
  }

  #flush(): void {
    const digits = this.#pressed;
    this.#pressed = '';
    if (digits !== '') this.#tell(digits);
  }
}
