/**
 * Replies out of a line that never ends. A Live server sends its voice in real time, silence and all, and
 * says neither when a reply begins nor when it is over; the loudness does.
 *
 *   quiet --sound--> lead (kept back until `lead_ms` are in hand) --> speaking --quiet_ms of silence--> quiet
 *   lead, speaking --mute--> muted (the caller interrupted) --quiet_ms of silence--> quiet
 */
import { SAMPLE_RATE_HZ, type Codec } from '../../../media/frame.ts';
import { G711 } from '../../../media/g711.ts';
import { lead_ms, quiet_level_max, quiet_ms } from './limits.ts';

const bytes_per_ms = SAMPLE_RATE_HZ / 1000;
const block_bytes = 20 * bytes_per_ms;

export interface SpeechGateOptions {
  readonly codec: Codec;
  /** There is sound in hand: it follows at once. */
  readonly began: () => void;
  /** Sound of the reply that began last; the bytes belong to the receiver. */
  readonly sound: (bytes: Uint8Array) => void;
  /** Not told for a reply that was muted. */
  readonly ended: () => void;
}

type State = 'quiet' | 'lead' | 'speaking' | 'muted';

export class SpeechGate {
  readonly #options: SpeechGateOptions;
  readonly #expand: Int16Array;
  #state: State = 'quiet';
  /** Sound kept back. */
  #lead: Uint8Array[] = [];
  #leadBytes = 0;
  #silentMs = 0;

  constructor(options: SpeechGateOptions) {
    this.#options = options;
    this.#expand = G711[options.codec].expand;
  }

  get state(): State {
    return this.#state;
  }

  /** The next sound of the line, any length. */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += block_bytes) this.#block(bytes.subarray(at, at + block_bytes));
  }

  /** The caller interrupted: nothing more of this reply is told, not even its end. */
  mute(): void {
    if (this.#state !== 'lead' && this.#state !== 'speaking') return;
    this.#state = 'muted';
    this.#drop();
  }

  /** The line broke off, or stands still: a reply that was under way is over. */
  finish(): void {
    if (this.#state === 'lead') this.#open();
    if (this.#state === 'speaking') this.#options.ended();
    this.#state = 'quiet';
    this.#silentMs = 0;
    this.#drop();
  }

  #block(block: Uint8Array): void {
    const loud = this.#isLoud(block);
    this.#silentMs = loud ? 0 : this.#silentMs + block.length / bytes_per_ms;
    if (this.#state === 'quiet') {
      if (!loud) return;
      this.#state = 'lead';
    }
    if (this.#state === 'lead') this.#keep(block);
    else if (this.#state === 'speaking') this.#options.sound(block);
    if (this.#silentMs < quiet_ms) return;
    if (this.#state === 'muted') this.#state = 'quiet';
    else this.finish();
  }

  #isLoud(block: Uint8Array): boolean {
    let sum = 0;
    for (const byte of block) sum += Math.abs(this.#expand[byte] ?? 0);
    return sum > quiet_level_max * block.length;
  }

  #keep(block: Uint8Array): void {
    this.#lead.push(block);
    this.#leadBytes += block.length;
    if (this.#leadBytes >= lead_ms * bytes_per_ms) this.#open();
  }

  #open(): void {
    this.#state = 'speaking';
    this.#options.began();
    for (const block of this.#lead) this.#options.sound(block);
    this.#drop();
  }

  #drop(): void {
    this.#lead = [];
    this.#leadBytes = 0;
  }
}
