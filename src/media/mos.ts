/** Listening quality from what was measured: the E-model (ITU-T G.107, with G.113 values for G.711). */

/** R of a perfect narrow-band connection with G.107's default values. */
const R_DEFAULT = 93.2;
/** G.711 with packet loss concealment: equipment impairment and robustness (G.113 appendix I). */
const IE_G711 = 0;
const BPL_G711 = 25.1;

export interface Path {
  /** Packets that never came, 0 to 1. */
  readonly lossRatio: number;
  /** Mouth to ear, in ms. */
  readonly oneWayDelayMs: number;
}

/** Transmission rating R, 0 to 93.2. */
export function rating(path: Path): number {
  const lossPercent = Math.min(1, Math.max(0, path.lossRatio)) * 100;
  const impairment = IE_G711 + ((95 - IE_G711) * lossPercent) / (lossPercent + BPL_G711);
  return Math.max(0, R_DEFAULT - impairment - delayImpairment(path.oneWayDelayMs));
}

/** Idd of G.107 §7.4 (eq. 27): nothing up to 100 ms. */
function delayImpairment(delayMs: number): number {
  if (delayMs <= 100) return 0;
  const x = Math.log2(delayMs / 100);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** MOS-CQE, 1.0 to 4.5 (G.107 annex B). */
export function mosOfRating(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** MOS of a path, rounded to two places. */
export function mosOf(path: Path): number {
  return Math.round(mosOfRating(rating(path)) * 100) / 100;
}

/**
 * Delay that a receiver's buffer is likely to add, from jitter:
 * twice, and a frame (G.107 has no jitter of its own).
 */
export function bufferDelayMs(jitterMs: number): number {
  return 2 * jitterMs + 20;
}
