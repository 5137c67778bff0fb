/**
 * Whose packets a leg believes. The answer to "RTP bleed": a port that takes sound from anybody
 * lets anybody speak into a call.
 *
 *   closed ──settle──> learning ──first packet of the SDP address, or 3 that hold──> latched
 *                                       ^                                              │
 *                                       └── new SDP address; silence of 1 s if allowed ┘
 */
import type { LegPolicy } from './control.ts';

/** Packets of one source, SSRC and payload type that make it believable. */
export const HOLD_PACKETS = 3;
/** A latched source that was silent for so long may be replaced, when the policy allows. */
export const SILENCE_MS = 1000;
/** In a learning window after a re-INVITE a latched source must be this quiet to lose its place. */
export const QUIET_MS = 200;

export type LatchPolicy = Pick<LegPolicy, 'learnSource' | 'learnWindowMs' | 'relatchAfterSilence'>;

/** refused: foreign. accepted: known. latched: accepted, and it is a new source. */
export type Admission = 'refused' | 'accepted' | 'latched';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export class Latch {
  readonly #policy: LatchPolicy;
  #expected: Endpoint | null = null;
  #windowEndsMs = 0;
  #settledMs = 0;
  #address = '';
  #port = 0;
  #latched = false;
  #heardMs = 0;
  #candidateAddress = '';
  #candidatePort = 0;
  #candidateSsrc = 0;
  #candidatePayloadType = 0;
  #candidatePackets = 0;

  constructor(policy: LatchPolicy) {
    this.#policy = policy;
  }

  /**
   * A negotiation is done: the far end names `expected`.
   * Opens the learning window; a new address ends the old latch.
   */
  settle(expected: Endpoint, nowMs: number): void {
    const moved = expected.address !== this.#expected?.address || expected.port !== this.#expected.port;
    this.#expected = { address: expected.address, port: expected.port };
    this.#windowEndsMs = nowMs + this.#policy.learnWindowMs;
    this.#settledMs = nowMs;
    this.#candidatePackets = 0;
    if (moved) this.#latched = false;
  }

  /** The source in use, or null before the first packet was let in. */
  get source(): Endpoint | null {
    return this.#latched ? { address: this.#address, port: this.#port } : null;
  }

  /** true: `address` may send us control packets (its port is not the one of sound). */
  knows(address: string): boolean {
    return (this.#latched && address === this.#address) || address === this.#expected?.address;
  }

  /**
   * `knownPayloadType`: the packet's payload type was negotiated; strangers with another one learn nothing.
   */
  admit(
    source: Endpoint,
    ssrc: number,
    payloadType: number,
    knownPayloadType: boolean,
    nowMs: number,
  ): Admission {
    if (this.#latched && source.port === this.#port && source.address === this.#address) {
      this.#heardMs = nowMs;
      return 'accepted';
    }
    if (this.#expected === null) return 'refused';
    if (source.port === this.#expected.port && source.address === this.#expected.address) {
      // The address that signalling named needs no proof, but it takes over only from silence or in the
      // window.
      if (!this.#latched || this.#mayReplace(nowMs) || nowMs < this.#windowEndsMs) {
        return this.#latch(source, nowMs);
      }
      return 'refused';
    }
    if (!knownPayloadType || !this.#mayLearn(nowMs)) return 'refused';
    return this.#holds(source, ssrc, payloadType) ? this.#latch(source, nowMs) : 'refused';
  }

  #mayLearn(nowMs: number): boolean {
    if (!this.#policy.learnSource) return false;
    if (nowMs < this.#windowEndsMs) {
      return !this.#latched || nowMs - Math.max(this.#heardMs, this.#settledMs) >= QUIET_MS;
    }
    return this.#mayReplace(nowMs);
  }

  #mayReplace(nowMs: number): boolean {
    const quietSinceMs = this.#latched ? this.#heardMs : this.#settledMs;
    return this.#policy.relatchAfterSilence && nowMs - quietSinceMs >= SILENCE_MS;
  }

  #holds(source: Endpoint, ssrc: number, payloadType: number): boolean {
    const same =
      this.#candidatePackets > 0 &&
      source.port === this.#candidatePort &&
      source.address === this.#candidateAddress &&
      ssrc === this.#candidateSsrc &&
      payloadType === this.#candidatePayloadType;
    if (!same) {
      this.#candidateAddress = source.address;
      this.#candidatePort = source.port;
      this.#candidateSsrc = ssrc;
      this.#candidatePayloadType = payloadType;
      this.#candidatePackets = 0;
    }
    this.#candidatePackets++;
    return this.#candidatePackets >= HOLD_PACKETS;
  }

  #latch(source: Endpoint, nowMs: number): Admission {
    this.#latched = true;
    this.#address = source.address;
    this.#port = source.port;
    this.#heardMs = nowMs;
    this.#candidatePackets = 0;
    return 'latched';
  }
}
