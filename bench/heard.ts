/** What a caller heard, by the RTP packets that arrived: when it went softer, and when it was silent. */
import { FRAME_MS } from '../src/media/frame.ts';
import { G711 } from '../src/media/g711.ts';

/** Softer than this is silence: some 15 dB under the faintest telephone speech. */
export const silence_dbfs = -50;
/** A fall by so much is no wobble of a steady sound; the frame in which a voice is being ducked has 3.8. */
const softer_db = 3;
/** Packets whose level is taken for the level of before. */
const level_packets = 10;

/** One packet as it arrived. */
export interface Heard {
  readonly atMs: number;
  /** RMS of its sound, in dB of full scale; -Infinity for digital silence. */
  readonly levelDbfs: number;
  /** RTP sequence number. */
  readonly sequence: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** RMS level of u-law bytes, in dB of full scale; -Infinity for silence and for nothing. */
export function levelOfUlaw(bytes: Uint8Array): number {
  const { expand } = G711.pcmu;
  let sum = 0;
  for (const byte of bytes) sum += (expand[byte] ?? 0) ** 2;
  return 10 * Math.log10(sum / Math.max(1, bytes.length) / 32_768 ** 2);
}

/** What was more than silence between two moments. */
export function soundsIn(heard: readonly Heard[], { fromMs, toMs }: Span): Heard[] {
  return heard.filter((one) => one.atMs >= fromMs && one.atMs <= toMs && one.levelDbfs > silence_dbfs);
}

/** Sound that was heard between two moments, in ms: every packet holds 20. */
export function soundMs(heard: readonly Heard[], span: Span): number {
  return soundsIn(heard, span).length * FRAME_MS;
}

/**
 * How long after `fromMs` a steady sound went softer, in ms; also null when it was not heard before. A pause
 * in the packets is no softer sound.
 */
export function softerAfter(heard: readonly Heard[], { fromMs, toMs }: Span): number | null {
  const before = soundsIn(heard, { fromMs: 0, toMs: fromMs }).slice(-level_packets);
  if (before.length < level_packets) return null;
  const levels = before.map((one) => one.levelDbfs).sort((a, b) => a - b);
  const usual = levels[Math.floor(levels.length / 2)] ?? 0;
  const softer = heard.find(
    (one) => one.atMs >= fromMs && one.atMs <= toMs && one.levelDbfs <= usual - softer_db,
  );
  return softer === undefined ? null : softer.atMs - fromMs;
}

/**
 * How long after `fromMs` the first silence of at least `lastingMs` began, in ms: 20 ms after the last sound
 * arrived, which is when it had been played. null when there was none before `toMs`.
 */
export function silenceAfter(
  heard: readonly Heard[],
  { fromMs, toMs, lastingMs }: Span & { readonly lastingMs: number },
): number | null {
  let endedMs = fromMs;
  for (const { atMs } of soundsIn(heard, { fromMs, toMs })) {
    if (atMs - endedMs >= lastingMs) break;
    endedMs = atMs + FRAME_MS;
  }
  return toMs - endedMs >= lastingMs ? endedMs - fromMs : null;
}

/** The longest time without sound between two moments, in ms, and when it began. */
export function longestSilence(heard: readonly Heard[], span: Span): { ms: number; fromMs: number } {
  let longest = { ms: 0, fromMs: span.fromMs };
  let endedMs = span.fromMs;
  for (const atMs of [...soundsIn(heard, span).map((one) => one.atMs), span.toMs]) {
    if (atMs - endedMs > longest.ms) longest = { ms: atMs - endedMs, fromMs: endedMs };
    endedMs = Math.max(endedMs, atMs + FRAME_MS);
  }
  return longest;
}

/** Packets that never came, by the gaps in their numbers; a repeated or late one counts as none. */
export function missingIn(heard: readonly Heard[]): number {
  let missing = 0;
  for (const [index, { sequence }] of heard.entries()) {
    const before = heard[index - 1];
    const step = before === undefined ? 1 : (sequence - before.sequence) & 0xffff;
    if (step > 1 && step < 0x8000) missing += step - 1;
  }
  return missing;
}
