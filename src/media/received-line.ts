import { random32 } from '../base/ids.ts';
import { emit, FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.ts';
import type { Codec, Frame, Source } from './frame.ts';
import { G711 } from './g711.ts';
import { Reception } from './reception.ts';
import type { RtpHeader } from './rtp.ts';

const SAMPLES_PER_MS = SAMPLE_RATE_HZ / 1000;
/** A timestamp that runs ahead of the wall clock by more than this has jumped. */
const JUMP_SAMPLES_MAX = SAMPLE_RATE_HZ;
/** More sound in one packet than this is no telephony (200 ms). */
export const PAYLOAD_BYTES_MAX = 1600;

/**
 * One line of sound from the network, as its sinks see it: 20 ms frames whatever the far end's ptime,
 * timestamps that never jump although SSRC, sequence and timestamps of the far end may.
 */
export class ReceivedLine {
  readonly reception = new Reception();
  ssrcChanges = 0;
  readonly #frame: Frame;
  readonly #carry = new Uint8Array(FRAME_SAMPLES);
  #carried = 0;
  #ssrc: number | null = null;
  #started = false;
  /** The far end's timestamps mean something new: the wall clock bridges. */
  #rebase = false;
  #nextTimestamp = 0;
  #lastMs = 0;
  #lastSamples = 0;

  constructor(codec: Codec) {
    this.#frame = {
      codec,
      sampleRateHz: SAMPLE_RATE_HZ,
      payload: this.#carry,
      rtpTimestamp: random32(),
      marker: false,
      gapMs: 0,
    };
  }

  set codec(codec: Codec) {
    this.#frame.codec = codec;
  }

  get codec(): Codec {
    return this.#frame.codec;
  }

  /** SSRC of the last packet that was let in, or null. */
  get ssrc(): number | null {
    return this.#ssrc;
  }

  /**
   * Takes note of a packet that belongs to this line, sound or not.
   * false: duplicate, late or doubtful; it is counted and must not be used.
   */
  accept(header: RtpHeader): boolean {
    if (header.ssrc !== this.#ssrc) {
      if (this.#ssrc !== null) {
        this.ssrcChanges++;
        this.reception.restart();
        this.#rebase = true;
      }
      this.#ssrc = header.ssrc;
    }
    const verdict = this.reception.receive(header.sequence, header.payloadEnd - header.payloadStart);
    if (verdict === 'restarted') this.#rebase = true;
    return verdict === 'fresh' || verdict === 'restarted';
  }

  /** Gives the sound of an accepted packet to the sinks of `source`, in frames of 20 ms. */
  deliver(packet: Buffer, header: RtpHeader, nowMs: number, source: Source): void {
    const samples = header.payloadEnd - header.payloadStart;
    if (samples === 0) return;
    const rebased = this.#rebase;
    let gap = this.#gapBefore(header.timestamp, nowMs);
    this.reception.arrived(header.timestamp, nowMs * SAMPLES_PER_MS);
    this.#nextTimestamp = (header.timestamp + samples) >>> 0;
    this.#lastMs = nowMs;
    this.#lastSamples = samples;
    // What comes after a hole, or from another sender, begins a frame of its own.
    if ((gap > 0 || rebased) && this.#carried > 0) {
      const missing = FRAME_SAMPLES - this.#carried;
      this.#carry.fill(G711[this.#frame.codec].silence, this.#carried);
      this.#carried = 0;
      this.#send(this.#carry, source);
      gap = Math.max(0, gap - missing);
    }
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + gap) >>> 0;
    this.#frame.gapMs = gap / SAMPLES_PER_MS;
    this.#frame.marker = header.marker || gap > 0;
    this.#cut(packet, header.payloadStart, header.payloadEnd, source);
  }

  /** Samples of sound that are missing before a packet with this timestamp. */
  #gapBefore(timestamp: number, nowMs: number): number {
    if (!this.#started) {
      this.#started = true;
      return 0;
    }
    const elapsed = (nowMs - this.#lastMs) * SAMPLES_PER_MS;
    const step = (timestamp - this.#nextTimestamp) | 0;
    if (!this.#rebase && step >= 0 && step <= elapsed + JUMP_SAMPLES_MAX) return step;
    if (step !== 0) this.reception.forgetTransit();
    this.#rebase = false;
    const missingFrames = Math.round((elapsed - this.#lastSamples) / FRAME_SAMPLES);
    return Math.max(0, missingFrames) * FRAME_SAMPLES;
  }

  #cut(packet: Buffer, start: number, end: number, source: Source): void {
    let at = start;
    while (at < end) {
      if (this.#carried === 0 && end - at >= FRAME_SAMPLES) {
        this.#send(packet.subarray(at, at + FRAME_SAMPLES), source);
        at += FRAME_SAMPLES;
        continue;
      }
      const taken = Math.min(FRAME_SAMPLES - this.#carried, end - at);
      packet.copy(this.#carry, this.#carried, at, at + taken);
      this.#carried += taken;
      at += taken;
      if (this.#carried === FRAME_SAMPLES) {
        this.#carried = 0;
        this.#send(this.#carry, source);
      }
    }
  }

  #send(payload: Uint8Array, source: Source): void {
    this.#frame.payload = payload;
    emit(source, this.#frame);
    this.#frame.rtpTimestamp = (this.#frame.rtpTimestamp + FRAME_SAMPLES) >>> 0;
    this.#frame.gapMs = 0;
    this.#frame.marker = false;
  }
}
