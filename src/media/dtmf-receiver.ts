/**
 * Key presses from RFC 4733 telephone-events. One press is one event timestamp: the marker may be missing,
 * the end bit may be missing, packets may be lost, ends come three times.
 */
import { SAMPLE_RATE_HZ } from './frame.ts';

/** Events 0 to 15 (RFC 4733 §3.2). */
export const DTMF_DIGITS = '0123456789*#ABCD';
const END_BIT = 0x80;
/** Without an end bit a press is over when nothing was heard of it for so long. */
export const QUIET_MS = 100;
/**
 * Some senders move the timestamp with every packet: no two presses begin this close (Q.24 wants 40 + 40 ms).
 */
const SAME_PRESS_SAMPLES = 400;
/** Duration is 16 bits; a longer press goes on with a new timestamp (RFC 4733 §2.5.1.3). */
const SEGMENT_SAMPLES = 0xffff;
/** Steps back beyond this are another clock, not an old packet. */
const OLD_SAMPLES_MAX = 10 * SAMPLE_RATE_HZ;

export type OnDigit = (digit: string, durationMs: number) => void;

export class DtmfReceiver {
  readonly #onDigit: OnDigit;
  #active = false;
  #known = false;
  #event = 0;
  #timestamp = 0;
  #durationSamples = 0;
  #segmentsSamples = 0;
  #heardMs = 0;

  constructor(onDigit: OnDigit) {
    this.#onDigit = onDigit;
  }

  /**
   * One packet of the negotiated telephone-event type. Tells the digit when its press is over.
   * false: not a key (too short, flash, tones of modems).
   */
  receive(packet: Buffer, start: number, end: number, timestamp: number, nowMs: number): boolean {
    if (end - start < 4) return false;
    const event = packet.readUInt8(start);
    if (event >= DTMF_DIGITS.length) return false;
    const ended = (packet.readUInt8(start + 1) & END_BIT) !== 0;
    const durationSamples = packet.readUInt16BE(start + 2);
    if (this.#known && timestamp !== this.#timestamp) {
      const step = (timestamp - this.#timestamp) | 0;
      if (step < 0 && step > -OLD_SAMPLES_MAX) return true;
      this.#move(event, timestamp, step);
    } else if (!this.#known) {
      this.#begin(event, timestamp);
    }
    this.#known = true;
    if (!this.#active) return true;
    this.#durationSamples = Math.max(this.#durationSamples, durationSamples);
    this.#heardMs = nowMs;
    if (ended) this.#finish();
    return true;
  }

  /** Ends a press that fell silent. Called on every tick. */
  expire(nowMs: number): void {
    if (this.#active && nowMs - this.#heardMs >= QUIET_MS) this.#finish();
  }

  /** The sender became another one: its timestamps mean something else. An unfinished press counts. */
  reset(): void {
    if (this.#active) this.#finish();
    this.#known = false;
  }

  #move(event: number, timestamp: number, step: number): void {
    const samePress = event === this.#event && step > 0 && step <= SAME_PRESS_SAMPLES;
    const nextSegment =
      this.#active && event === this.#event && step === SEGMENT_SAMPLES && this.#durationSamples === step;
    if (nextSegment) {
      this.#segmentsSamples += this.#durationSamples;
      this.#durationSamples = 0;
      this.#timestamp = timestamp;
    } else if (samePress) {
      this.#timestamp = timestamp;
    } else {
      if (this.#active) this.#finish();
      this.#begin(event, timestamp);
    }
  }

  #begin(event: number, timestamp: number): void {
    this.#active = true;
    this.#event = event;
    this.#timestamp = timestamp;
    this.#durationSamples = 0;
    this.#segmentsSamples = 0;
  }

  #finish(): void {
    this.#active = false;
    const samples = this.#segmentsSamples + this.#durationSamples;
    this.#onDigit(DTMF_DIGITS.charAt(this.#event), Math.round((samples * 1000) / SAMPLE_RATE_HZ));
  }
}
