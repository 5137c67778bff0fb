/** Keys that we press: RFC 4733 events, one packet per tick in place of sound. */
import { DTMF_DIGITS } from './dtmf-receiver.ts';
import { FRAME_MS, FRAME_SAMPLES } from './frame.ts';

/** Digits waiting to be sent; more are refused. */
export const DIGITS_QUEUED_MAX = 128;
/** The last packet goes out three times, in case one is lost (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;
/** -10 dBm0, as most phones (RFC 4733 §2.3.3). */
const VOLUME = 10;

export interface Press {
  readonly digit: string;
  readonly toneMs: number;
  readonly gapMs: number;
}

export class DtmfSender {
  /** Payload of the event packet of this tick. */
  readonly payload = new Uint8Array(4);
  /** Timestamp of the event: the line's time when it began, frozen while it lasts. */
  timestamp = 0;
  /** First packet of an event. */
  marker = false;
  readonly #presses: Press[] = [];
  #current: Press | null = null;
  #ticks = 0;

  get idle(): boolean {
    return this.#current === null && this.#presses.length === 0;
  }

  /** false: the queue is full, nothing was taken. */
  enqueue(digits: string, timing: { toneMs: number; gapMs: number }): boolean {
    if (this.#presses.length + digits.length > DIGITS_QUEUED_MAX) return false;
    for (const digit of digits) this.#presses.push({ digit, ...timing });
    return true;
  }

  /** Forgets all that was not sent yet. */
  clear(): void {
    this.#presses.length = 0;
    this.#current = null;
  }

  /** Moves on by one tick at the line's time `now`. true: send `payload`; false: sound has its turn. */
  step(now: number): boolean {
    if (this.#current === null) {
      const next = this.#presses.shift();
      if (next === undefined) return false;
      this.#current = next;
      this.#ticks = 0;
      this.timestamp = now;
    }
    const toneTicks = Math.ceil(this.#current.toneMs / FRAME_MS);
    const gapTicks = Math.max(END_PACKETS - 1, Math.ceil(this.#current.gapMs / FRAME_MS));
    this.#ticks++;
    const sendsEvent = this.#ticks < toneTicks + END_PACKETS;
    if (sendsEvent) this.#fill(this.#current.digit, toneTicks);
    if (this.#ticks >= toneTicks + gapTicks) this.#current = null;
    return sendsEvent;
  }

  #fill(digit: string, toneTicks: number): void {
    const ended = this.#ticks >= toneTicks;
    const durationSamples = Math.min(this.#ticks, toneTicks) * FRAME_SAMPLES;
    this.marker = this.#ticks === 1;
    this.payload[0] = DTMF_DIGITS.indexOf(digit);
    this.payload[1] = (ended ? 0x80 : 0) | VOLUME;
    this.payload[2] = durationSamples >> 8;
    this.payload[3] = durationSamples & 0xff;
  }
}
