/**
 * Composes sounds/hold-music.wav: soft arpeggios over a pad, made of sine waves by this file alone, so that
 * nobody's rights are on it. Deterministic: a test compares. Run: node scripts/hold-music.ts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encode } from '../src/media/g711.ts';

export const HOLD_MUSIC_FILE = fileURLToPath(new URL('../sounds/hold-music.wav', import.meta.url));

const rate_hz = 8000;
const beat_s = 0.4;
const beats_per_bar = 8;
/** As loud as a voice on the telephone, not louder: -17 dBFS at the peaks. */
const peak = 32_767 * 0.14;

/** A bar each, as MIDI note numbers: bass, then the chord that is played up and down. */
const BARS = [
  [48, 60, 64, 67, 71],
  [45, 57, 60, 64, 67],
  [41, 57, 60, 65, 69],
  [43, 59, 62, 67, 71],
  [48, 60, 64, 67, 72],
  [45, 60, 64, 69, 72],
  [50, 57, 62, 65, 69],
  [43, 59, 62, 65, 71],
] as const;
const ARPEGGIO = [1, 2, 3, 4, 3, 2, 3, 2] as const;

const hertzOf = (note: number): number => 440 * 2 ** ((note - 69) / 12);

/** Adds a note to the round: what sounds past its end goes on at its beginning, so the loop has no seam. */
function add(
  round: Float64Array,
  note: { atS: number; hertz: number; level: number; shape: (s: number) => number; s: number },
): void {
  const start = Math.round(note.atS * rate_hz);
  const samples = Math.round(note.s * rate_hz);
  for (let i = 0; i < samples; i += 1) {
    const s = i / rate_hz;
    const wave = Math.sin(2 * Math.PI * note.hertz * s) + 0.2 * Math.sin(4 * Math.PI * note.hertz * s);
    const at = (start + i) % round.length;
    round[at] = (round[at] ?? 0) + wave * note.level * note.shape(s);
  }
}

const plucked = (s: number): number => Math.min(1, s / 0.01) * Math.exp(-2.4 * s);
const swelling = (lengthS: number) => (s: number) => Math.sin((Math.PI * s) / lengthS) ** 0.5;

/** 25.6 s of 16-bit sound at 8 kHz. */
export function compose(): Int16Array {
  const barS = beat_s * beats_per_bar;
  const round = new Float64Array(Math.round(BARS.length * barS * rate_hz));
  BARS.forEach((bar, index) => {
    const barAtS = index * barS;
    const padS = barS * 1.25;
    for (const place of [0, 2, 3] as const)
      add(round, {
        atS: barAtS,
        hertz: hertzOf(bar[place]) * 2,
        level: 0.22,
        shape: swelling(padS),
        s: padS,
      });
    ARPEGGIO.forEach((place, beat) =>
      add(round, {
        ...{ atS: barAtS + beat * beat_s, hertz: hertzOf(bar[place]) },
        ...{ level: 0.55, shape: plucked, s: 1.6 },
      }),
    );
  });
  const loudest = round.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return Int16Array.from(round, (sample) => Math.round((sample / loudest) * peak));
}

/** WAV of G.711 u-law (RFC 2361, format 7). */
export function wavOf(samples: Int16Array): Buffer {
  const bytes = new Uint8Array(samples.length);
  encode('pcmu', samples, bytes);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + bytes.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(7, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate_hz, 24);
  header.writeUInt32LE(rate_hz, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(bytes.length, 40);
  return Buffer.concat([header, bytes]);
}

if (import.meta.main) writeFileSync(HOLD_MUSIC_FILE, wavOf(compose()));
