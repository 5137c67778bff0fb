/** 16-bit PCM WAV files, as espeak-ng, baresip and people's players read and write them. */
import { readFile, writeFile } from 'node:fs/promises';

export interface Sound {
  readonly sampleRateHz: number;
  /** One array per channel, equally long. */
  readonly channels: readonly Int16Array[];
}

const wav_header_bytes = 44;

/** Reads RIFF/WAVE with 16-bit PCM. A length field that a pipe left open means: until the end. */
export function decodeWav(file: Buffer): Sound {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE')
    throw new Error('not a WAV file');
  let sampleRateHz = 0;
  let channelCount = 0;
  for (let offset = 12; offset + 8 <= file.length;) {
    const name = file.toString('latin1', offset, offset + 4);
    const length = Math.min(file.readUInt32LE(offset + 4), file.length - offset - 8);
    if (name === 'fmt ') {
      channelCount = file.readUInt16LE(offset + 10);
      sampleRateHz = file.readUInt32LE(offset + 12);
      const bits = file.readUInt16LE(offset + 22);
      if (bits !== 16) throw new Error(`a WAV file of ${bits} bits, not 16`);
    }
    if (name === 'data') return { sampleRateHz, channels: split(file, offset + 8, length, channelCount) };
    offset += 8 + length + (length % 2);
  }
  throw new Error('a WAV file without sound');
}

function split(file: Buffer, start: number, length: number, channelCount: number): Int16Array[] {
  const frames = Math.floor(length / (2 * channelCount));
  return Array.from({ length: channelCount }, (_, channel) => {
    const samples = new Int16Array(frames);
    for (let i = 0; i < frames; i += 1)
      samples[i] = file.readInt16LE(start + 2 * (i * channelCount + channel));
    return samples;
  });
}

export function encodeWav(sound: Sound): Buffer {
  const channelCount = sound.channels.length;
  const frames = Math.max(0, ...sound.channels.map((channel) => channel.length));
  const file = Buffer.alloc(wav_header_bytes + 2 * frames * channelCount);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channelCount, 22);
  file.writeUInt32LE(sound.sampleRateHz, 24);
  file.writeUInt32LE(sound.sampleRateHz * 2 * channelCount, 28);
  file.writeUInt16LE(2 * channelCount, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(file.length - wav_header_bytes, 40);
  sound.channels.forEach((samples, channel) => {
    for (let i = 0; i < samples.length; i += 1)
      file.writeInt16LE(samples[i] ?? 0, wav_header_bytes + 2 * (i * channelCount + channel));
  });
  return file;
}

export async function readWav(path: string): Promise<Sound> {
  return decodeWav(await readFile(path));
}

export async function writeWav(path: string, sound: Sound): Promise<void> {
  await writeFile(path, encodeWav(sound));
}
