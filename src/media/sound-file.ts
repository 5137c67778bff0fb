/** Sound files for players: WAV, and raw by the name's ending. All at 8 kHz mono. */
import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { messageOf, TrunklineError } from '../base/errors.ts';
import { SAMPLE_RATE_HZ } from './frame.ts';
import type { Codec } from './frame.ts';
import { decode, encode, transcode } from './g711.ts';

/** About an hour of G.711. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
const WAVE_HEADER_BYTES = 44;
const WAVE_PCM = 1;
const WAVE_ALAW = 6;
const WAVE_ULAW = 7;

type Encoding = Codec | 'linear16';

const RAW_ENDINGS: Readonly<Record<string, Encoding>> = {
  '.ulaw': 'pcmu',
  '.ul': 'pcmu',
  '.pcmu': 'pcmu',
  '.alaw': 'pcma',
  '.al': 'pcma',
  '.pcma': 'pcma',
  '.raw': 'linear16',
  '.sln': 'linear16',
};

/** The whole file in `codec`. Rejects with MEDIA_FILE_UNPLAYABLE. */
export async function loadSound(path: string, codec: Codec): Promise<Uint8Array> {
  const bytes = await read(path);
  const encoding = RAW_ENDINGS[extname(path).toLowerCase()];
  if (encoding !== undefined) return convert(bytes, encoding, codec);
  const wave = parseWave(bytes);
  if (typeof wave === 'string') throw new TrunklineError('MEDIA_FILE_UNPLAYABLE', `${path}: ${wave}`);
  return convert(wave.data, wave.encoding, codec);
}

/** A WAV file of 16-bit mono at 8 kHz, which every player plays. */
export function wavOf(codec: Codec, sound: Uint8Array): Uint8Array {
  const samples = new Int16Array(sound.length);
  decode(codec, sound, samples);
  const file = Buffer.alloc(WAVE_HEADER_BYTES + samples.length * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(WAVE_PCM, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  file.writeUInt32LE(SAMPLE_RATE_HZ * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, at) => file.writeInt16LE(sample, WAVE_HEADER_BYTES + at * 2));
  return file;
}

async function read(path: string): Promise<Buffer> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
    return await file.readFile();
  } catch (error) {
    throw new TrunklineError('MEDIA_FILE_UNPLAYABLE', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

function convert(data: Buffer, encoding: Encoding, codec: Codec): Uint8Array {
  if (encoding === codec) return data;
  if (encoding !== 'linear16') {
    const other = new Uint8Array(data.length);
    transcode(encoding, data, other);
    return other;
  }
  const samples = Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(i * 2));
  const encoded = new Uint8Array(samples.length);
  encode(codec, samples, encoded);
  return encoded;
}

/** The sound of a RIFF/WAVE file, or a sentence that says why not. */
function parseWave(file: Buffer): { data: Buffer; encoding: Encoding } | string {
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  ) {
    return 'not a WAV file, and its ending names no raw format';
  }
  let encoding: Encoding | null = null;
  for (let at = 12; at + 8 <= file.length;) {
    const name = file.toString('latin1', at, at + 4);
    const start = at + 8;
    const end = Math.min(file.length, start + file.readUInt32LE(at + 4));
    if (name === 'fmt ') {
      const format = parseFormat(file.subarray(start, end));
      if (typeof format === 'object') return format.refusal;
      encoding = format;
    }
    if (name === 'data') {
      return encoding === null ? 'no format before the sound' : { data: file.subarray(start, end), encoding };
    }
    // Chunks stand on even offsets.
    at = end + (end % 2);
  }
  return 'no sound in it';
}

function parseFormat(chunk: Buffer): Encoding | { refusal: string } {
  if (chunk.length < 16) return { refusal: 'its format is cut short' };
  const rateHz = chunk.readUInt32LE(4);
  if (chunk.readUInt16LE(2) !== 1) return { refusal: 'not mono' };
  if (rateHz !== SAMPLE_RATE_HZ) return { refusal: `${rateHz} Hz instead of ${SAMPLE_RATE_HZ}` };
  const bits = chunk.readUInt16LE(14);
  switch (chunk.readUInt16LE(0)) {
    case WAVE_PCM:
      return bits === 16 ? 'linear16' : { refusal: `${bits} bit instead of 16` };
    case WAVE_ALAW:
      return 'pcma';
    case WAVE_ULAW:
      return 'pcmu';
    default:
      return { refusal: 'neither PCM nor G.711' };
  }
}
