/**
 * What the telephone does to the sound's cepstra. The recogniser's acoustic model was trained on full-band
 * speech; here its means are moved to where speech of 300 to 3400 Hz lies whose samples were doubled (MLLR,
 * Leggetter and Woodland 1995, but estimated from pairs).
 *
 * Least squares over 50 minutes of pairs of frames, the same speech at 16 kHz and through the telephone's
 * band and u-law: Asterisk's English prompts (a human speaker, CC BY-SA) and flite's four voices reading the
 * GPL, each utterance less its mean. Of the human speaker alone such a map explains 70 to 98 % of the
 * variance of each coefficient, where the unchanged one explains -7 to 91 %.
 */

/** Row by row: a telephone's coefficient (c0 to c12) from those of the full band. */
const MATRIX = [
  [0.81, 0.1, -0.14, 0.05, -0.05, -0.03, -0.01, -0.03, -0.02, -0.0, -0.02, -0.0, -0.0],
  [-0.0, 0.64, 0.23, -0.19, 0.02, 0.0, -0.05, 0.01, -0.02, -0.03, 0.03, -0.02, -0.01],
  [-0.13, 0.31, 0.48, 0.26, -0.11, -0.05, -0.01, -0.06, -0.03, -0.02, -0.05, -0.0, -0.03],
  [-0.24, -0.24, 0.4, 0.66, 0.06, -0.1, 0.02, -0.07, -0.03, -0.03, -0.08, -0.03, -0.03],
  [0.22, -0.03, -0.38, 0.23, 0.84, 0.1, -0.16, 0.07, -0.01, -0.06, 0.07, -0.05, -0.06],
  [-0.58, 0.06, 0.15, -0.16, -0.01, 0.7, 0.23, -0.26, 0.0, -0.02, -0.19, 0.0, -0.06],
  [0.25, -0.15, -0.23, -0.02, 0.01, 0.17, 0.62, 0.26, -0.14, -0.01, 0.06, -0.05, -0.05],
  [-0.25, -0.14, -0.02, 0.09, -0.18, -0.21, 0.33, 0.59, 0.18, -0.14, -0.06, -0.01, -0.08],
  [-0.32, 0.26, -0.12, -0.24, 0.11, 0.03, -0.32, 0.26, 0.71, 0.15, -0.16, 0.05, -0.08],
  [0.31, -0.51, -0.07, 0.24, -0.21, -0.1, 0.24, -0.2, 0.2, 0.78, 0.19, -0.16, 0.05],
  [-0.54, 0.41, -0.08, -0.25, 0.1, 0.01, -0.2, 0.03, -0.1, 0.13, 0.68, 0.26, -0.25],
  [0.23, -0.35, -0.07, 0.16, -0.09, -0.11, 0.16, 0.02, -0.01, -0.06, 0.21, 0.7, 0.26],
  [-0.08, 0.02, -0.05, -0.11, -0.0, 0.09, -0.07, -0.11, 0.15, 0.0, -0.14, 0.28, 0.64],
] as const;
/** What is added to the static coefficients; deltas have none. */
const OFFSETS = [
  -0.21, -0.15, -0.13, -0.05, -0.03, -0.18, -0.06, -0.18, -0.2, 0.04, -0.25, 0.11, -0.07,
] as const;
/** Static coefficients, their deltas, and the deltas of these: all change alike, as it is linear. */
const STREAMS = 3;

/** The text of pocketsphinx's option `-mllr`: one class for all Gaussians, variances as they are. */
export function telephoneTransform(): string {
  const size = MATRIX.length;
  const streams = Array.from({ length: STREAMS }, (_, stream) => [
    [size],
    ...MATRIX,
    stream === 0 ? OFFSETS : OFFSETS.map(() => 0),
    OFFSETS.map(() => 1),
  ]);
  const lines = [[1], [STREAMS], ...streams.flat()].map((row) => row.join(' '));
  return `${lines.join('\n')}\n`;
}
