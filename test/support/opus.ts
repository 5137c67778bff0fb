/** Opus packets for tests, in any bandwidth: what browsers send, which our own encoder does not make. */
import { loadLibrary } from '../../src/base/native-library.ts';

const opus = loadLibrary(
  ['libopus.so.0'],
  {
    create: 'void* opus_encoder_create(int32_t, int, int, void*)',
    control: 'int opus_encoder_ctl(void*, int, ...)',
    encode: 'int32_t opus_encode(void*, const void*, int, void*, int32_t)',
    free: 'void opus_encoder_destroy(void*)',
  },
  'OPUS_UNAVAILABLE',
);
const application_voip = 2048;
const set_inband_fec = 4012;
const set_packet_loss_perc = 4014;
const set_dtx = 4016;
const packet_bytes_max = 1500;
const amplitude = 8000;

export const browser_rate_hz = 48_000;

export interface BrowserFormat {
  readonly frameMs?: number;
  readonly channels?: 1 | 2;
  readonly dtx?: boolean;
  readonly fec?: boolean;
}

/** A browser's encoder: 48 kHz. Free it. */
export class BrowserEncoder {
  readonly frameSamples: number;
  readonly #state: unknown;
  readonly #channels: number;
  #sample = 0;

  constructor({ frameMs = 20, channels = 1, dtx = false, fec = true }: BrowserFormat = {}) {
    this.frameSamples = (browser_rate_hz * frameMs) / 1000;
    this.#channels = channels;
    this.#state = opus.create(browser_rate_hz, channels, application_voip, null);
    opus.control(this.#state, set_inband_fec, 'int', fec ? 1 : 0);
    opus.control(this.#state, set_packet_loss_perc, 'int', fec ? 20 : 0);
    opus.control(this.#state, set_dtx, 'int', dtx ? 1 : 0);
  }

  /** The next frame of a tone; 0 Hz is silence. */
  tone(frequencyHz: number): Buffer {
    const pcm = new Int16Array(this.frameSamples * this.#channels);
    for (let i = 0; i < pcm.length; i++) {
      const at = this.#sample + Math.floor(i / this.#channels);
      pcm[i] = Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * at) / browser_rate_hz));
    }
    this.#sample += this.frameSamples;
    const packet = Buffer.alloc(packet_bytes_max);
    const bytes = opus.encode(this.#state, pcm, this.frameSamples, packet, packet.length) as number;
    if (bytes < 1) throw new Error(`libopus refused to encode: ${bytes}`);
    return packet.subarray(0, bytes);
  }

  free(): void {
    opus.free(this.#state);
  }
}
