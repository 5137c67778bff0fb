/**
 * How loud a packet is, written into its RTP header for those who only forward it (RFC 6464): mediasoup tells
 * by it who speaks, without decoding anything.
 */

export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
/** The extension's number in our own packets; the router translates it for each receiver. */
export const AUDIO_LEVEL_ID = 1;
/** A header of 4 bytes, one element of 2, filled up to whole words (RFC 8285 §4.2). */
export const AUDIO_LEVEL_BYTES = 8;

/** "-dBov" of silence; the range ends there. */
const SILENCE = 127;
const FULL_SCALE = 32_768;
const EXTENSION_BIT = 0x10;

/** Loudness as the extension counts it: 0 is overload, 127 silence, in dB below it. */
export function audioLevel(samples: Int16Array): number {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  if (energy === 0) return SILENCE;
  const dbov = 10 * Math.log10(energy / samples.length / FULL_SCALE ** 2);
  return Math.max(0, Math.min(SILENCE, Math.round(-dbov)));
}

/** Puts the extension at `offset`, right behind a fixed RTP header that stands at the packet's start. */
export function writeAudioLevel(packet: Buffer, offset: number, level: number): void {
  packet.writeUInt8(packet.readUInt8(0) | EXTENSION_BIT, 0);
  packet.writeUInt16BE(0xbede, offset);
  packet.writeUInt16BE(1, offset + 2);
  packet.writeUInt8(AUDIO_LEVEL_ID << 4, offset + 4);
  packet.writeUInt8(level, offset + 5);
  packet.writeUInt16BE(0, offset + 6);
}
