/**
 * Opus, straight from and to 8 kHz mono (RFC 6716 §2.1.1), by the distribution's libopus. One encoder or
 * decoder per track: each is memory of the library, and must be freed by whoever made it.
 */
import { loadLibrary } from '../base/native-library.ts';
import { FRAME_SAMPLES, SAMPLE_RATE_HZ } from './frame.ts';

/** RTP clock of every Opus stream (RFC 7587 §4.1). */
export const OPUS_CLOCK_HZ = 48_000;
/** Most sound that one packet may hold: 120 ms (RFC 6716 §3.2.5). */
export const OPUS_SAMPLES_MAX = (120 * SAMPLE_RATE_HZ) / 1000;
/** Lost sound is made up in steps of 2.5 ms. */
const STEP_SAMPLES = SAMPLE_RATE_HZ / 400;

/** Speech at 8 kHz gains nothing above this. */
const BITRATE = 24_000;
/** 0 to 10; measured on speech, 2 costs 75 us a frame, 5 costs 100 us and 0 costs 35 us. */
const COMPLEXITY = 2;
/** What the encoder prepares for, in per cent: without an expected loss it spends no bits on FEC. */
const EXPECTED_LOSS = 10;

/** From opus_defines.h. VOIP, because the low-delay mode has no in-band FEC. */
const OPUS_APPLICATION_VOIP = 2048;
const OPUS_SET_BITRATE = 4002;
const OPUS_SET_COMPLEXITY = 4010;
const OPUS_SET_INBAND_FEC = 4012;
const OPUS_SET_PACKET_LOSS_PERC = 4014;

function bind() {
  return loadLibrary(
    ['libopus.so.0'],
    {
      createEncoder: 'void* opus_encoder_create(int32_t, int, int, void*)',
      control: 'int opus_encoder_ctl(void*, int, ...)',
      encode: 'int32_t opus_encode(void*, const void*, int, void*, int32_t)',
      freeEncoder: 'void opus_encoder_destroy(void*)',
      createDecoder: 'void* opus_decoder_create(int32_t, int, void*)',
      decode: 'int opus_decode(void*, const void*, int32_t, void*, int, int)',
      freeDecoder: 'void opus_decoder_destroy(void*)',
    },
    'OPUS_UNAVAILABLE',
  );
}

let bound: ReturnType<typeof bind> | null = null;
let open = 0;

function library(): ReturnType<typeof bind> {
  bound ??= bind();
  return bound;
}

/** Encoders and decoders of this thread that are not freed yet. */
export function openOpusStates(): number {
  return open;
}

/** One outgoing track. */
export class OpusEncoder {
  #state: unknown;

  /** Throws OPUS_UNAVAILABLE. */
  constructor() {
    const opus = library();
    this.#state = opus.createEncoder(SAMPLE_RATE_HZ, 1, OPUS_APPLICATION_VOIP, null);
    open++;
    opus.control(this.#state, OPUS_SET_BITRATE, 'int', BITRATE);
    opus.control(this.#state, OPUS_SET_COMPLEXITY, 'int', COMPLEXITY);
    opus.control(this.#state, OPUS_SET_INBAND_FEC, 'int', 1);
    opus.control(this.#state, OPUS_SET_PACKET_LOSS_PERC, 'int', EXPECTED_LOSS);
  }

  /** Encodes 20 ms into `packet`, whose length is the limit; how many bytes it wrote. 0 after `free`. */
  encode(samples: Int16Array, packet: Uint8Array): number {
    if (this.#state === null) return 0;
    const bytes = library().encode(this.#state, samples, FRAME_SAMPLES, packet, packet.length) as number;
    return Math.max(0, bytes);
  }

  /** Idempotent. */
  free(): void {
    if (this.#state === null) return;
    library().freeEncoder(this.#state);
    this.#state = null;
    open--;
  }
}

/** One incoming track; stereo is mixed down. */
export class OpusDecoder {
  #state: unknown;

  /** Throws OPUS_UNAVAILABLE. */
  constructor() {
    this.#state = library().createDecoder(SAMPLE_RATE_HZ, 1, null);
    open++;
  }

  /**
   * Decodes the first `bytes` of `packet` into `samples`, which holds OPUS_SAMPLES_MAX; how many there are.
   * 0: no Opus packet, or after `free`.
   */
  decode(packet: Uint8Array, bytes: number, samples: Int16Array): number {
    if (this.#state === null || bytes === 0) return 0;
    const got = library().decode(this.#state, packet, bytes, samples, OPUS_SAMPLES_MAX, 0) as number;
    return Math.max(0, got);
  }

  /**
   * Makes up what was lost right before `packet`: its last frame from the packet's in-band FEC where there is
   * some (RFC 6716 §2.1.7), the rest from the sound before (§4.4). To be called before `decode`.
   * How many samples of `missing` were made: whole steps of 2.5 ms, at most OPUS_SAMPLES_MAX.
   */
  recover(packet: Uint8Array, bytes: number, samples: Int16Array, missing: number): number {
    const wanted = Math.floor(Math.min(OPUS_SAMPLES_MAX, missing) / STEP_SAMPLES) * STEP_SAMPLES;
    if (this.#state === null || bytes === 0 || wanted <= 0) return 0;
    const got = library().decode(this.#state, packet, bytes, samples, wanted, 1) as number;
    return Math.max(0, got);
  }

  /** Idempotent. */
  free(): void {
    if (this.#state === null) return;
    library().freeDecoder(this.#state);
    this.#state = null;
    open--;
  }
}
