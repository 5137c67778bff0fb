/** Sound on the patchbay: frames, sources and sinks. */

/** One codec name per encoding, lower case; both run at 8 kHz, 8 bits a sample (RFC 3551 §4.5.14). */
export type Codec = 'pcmu' | 'pcma';

/** What a track of the router may hold; a link turns Opus into frames of G.711, and frames into Opus. */
export type TrackCodec = Codec | 'opus';

export const SAMPLE_RATE_HZ = 8000;
export const FRAME_MS = 20;
/** Samples, and for G.711 bytes, in one frame. */
export const FRAME_SAMPLES = 160;

/**
 * 20 ms of sound, usually. The object and its payload belong to the source and are reused:
 * a sink that keeps either past `take` copies it.
 */
export interface Frame {
  codec: Codec;
  sampleRateHz: number;
  /** Encoded samples: one byte each for G.711. */
  payload: Uint8Array;
  /** RTP clock (8 kHz), 32 bits, of the source's own line. */
  rtpTimestamp: number;
  /** First frame after a silence (RFC 3551 §4.1). */
  marker: boolean;
  /** Sound that is missing right before this frame, in ms (0 when none). */
  gapMs: number;
}

/** Takes sound. `from` tells sources apart when several are patched to one sink. */
export interface Sink {
  readonly id: string;
  take(frame: Frame, from: Source): void;
  sourceAdded?(from: Source): void;
  sourceRemoved?(from: Source): void;
}

/** Emits sound to every sink that is patched to it. */
export interface Source {
  readonly id: string;
  /**
   * true: emits at most one frame per tick of the thread's pacer, in step with it (voice, player, mixer).
   * false: emits when the network delivers (anchor, SFU link): a paced sink puts a jitter buffer in front.
   */
  readonly paced: boolean;
  /** Set by the patchbay, never by others. */
  sinks: readonly Sink[];
}

/** A part that the pacer drives: sources tick first, then sinks, in the same 20 ms slot. */
export interface Ticked {
  /** `tick` counts 20 ms steps since the thread started; `lateMs` is how late this one runs. */
  tick(tick: number, lateMs: number): void;
}

/** What a media thread can host. Anything with `close` that is patched is closed with its leg or voice. */
export interface Port {
  readonly id: string;
  close(): void;
}

/** Gives a frame to every sink of a source. */
export function emit(source: Source, frame: Frame): void {
  for (const sink of source.sinks) sink.take(frame, source);
}
