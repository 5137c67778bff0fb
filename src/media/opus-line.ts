import { SAMPLE_RATE_HZ } from './frame.ts';
import type { Source } from './frame.ts';
import { encode } from './g711.ts';
import { OPUS_CLOCK_HZ, OPUS_SAMPLES_MAX, OpusDecoder } from './opus.ts';
import { PAYLOAD_BYTES_MAX, ReceivedLine } from './received-line.ts';
import type { Reception } from './reception.ts';
import { RtpHeader } from './rtp.ts';

const CLOCK_RATIO = OPUS_CLOCK_HZ / SAMPLE_RATE_HZ;

/**
 * One line of Opus from the network, as its sinks see it: 20 ms frames of PCMU, whatever the packets hold.
 * What was lost is made up, to 120 ms; where nothing was sent (DTX) there is a gap, which counts as silence.
 */
export class OpusLine {
  readonly #line = new ReceivedLine('pcmu');
  readonly #decoder: OpusDecoder;
  readonly #packet = Buffer.alloc(PAYLOAD_BYTES_MAX);
  readonly #samples = new Int16Array(OPUS_SAMPLES_MAX);
  readonly #sound = Buffer.alloc(OPUS_SAMPLES_MAX);
  /** The decoded sound on the 8 kHz clock: the sender's own one does not wrap where ours does. */
  readonly #header = new RtpHeader();
  /** As many of `#samples` as there were last time: nearly always the same. */
  #decoded: Int16Array = this.#samples;
  #started = false;
  #sequence = 0;
  #timestamp = 0;
  /** 8 kHz clock at the end of what was decoded. */
  #end = 0;
  #lastSamples = 0;

  /** Throws OPUS_UNAVAILABLE. */
  constructor() {
    this.#decoder = new OpusDecoder();
  }

  get reception(): Reception {
    return this.#line.reception;
  }

  /** Gives the sound of a packet to the sinks of `source`. false: it holds no Opus. */
  receive(packet: Buffer, header: RtpHeader, nowMs: number, source: Source): boolean {
    if (!this.#line.accept(header)) return true;
    const bytes = packet.copy(this.#packet, 0, header.payloadStart, header.payloadEnd);
    const start = this.#startOf(header);
    if (this.#lostBefore(header)) {
      const missing = (start - this.#end) | 0;
      if (missing <= OPUS_SAMPLES_MAX) {
        const made = this.#decoder.recover(this.#packet, bytes, this.#samples, missing);
        this.#deliver(made, this.#end, nowMs, source);
      }
    }
    const samples = this.#decoder.decode(this.#packet, bytes, this.#samples);
    if (samples === 0) return false;
    this.#header.marker = header.marker;
    this.#deliver(samples, start, nowMs, source);
    this.#started = true;
    this.#sequence = header.sequence;
    this.#timestamp = header.timestamp;
    this.#lastSamples = samples;
    return true;
  }

  /** Idempotent. */
  free(): void {
    this.#decoder.free();
  }

  #startOf(header: RtpHeader): number {
    if (!this.#started) return 0;
    const step = (header.timestamp - this.#timestamp) | 0;
    return (this.#end - this.#lastSamples + Math.round(step / CLOCK_RATIO)) >>> 0;
  }

  /** A hole in the sequence is loss; a hole in the timestamps alone is a sender that had nothing to say. */
  #lostBefore(header: RtpHeader): boolean {
    return this.#started && ((header.sequence - this.#sequence) & 0xffff) > 1;
  }

  #deliver(samples: number, start: number, nowMs: number, source: Source): void {
    if (samples === 0) return;
    if (this.#decoded.length !== samples) this.#decoded = this.#samples.subarray(0, samples);
    encode('pcmu', this.#decoded, this.#sound);
    this.#header.timestamp = start;
    this.#header.payloadStart = 0;
    this.#header.payloadEnd = samples;
    this.#line.deliver(this.#sound, this.#header, nowMs, source);
    this.#header.marker = false;
    this.#end = (start + samples) >>> 0;
  }
}
