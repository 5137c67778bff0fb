/** Any rate to any rate with a windowed sinc low-pass, so that nothing above the new band folds back. */

const lobes = 16;
/** Of the narrower band: leaves room for the filter's slope. */
const passband = 0.92;

export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples;
  const step = fromHz / toHz;
  const cutoff = Math.min(1, toHz / fromHz) * passband;
  const reach = lobes / cutoff;
  const result = new Int16Array(Math.floor(samples.length / step));
  for (let i = 0; i < result.length; i += 1) {
    const centre = i * step;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(samples.length - 1, Math.floor(centre + reach));
    let sum = 0;
    for (let k = first; k <= last; k += 1) sum += (samples[k] ?? 0) * kernel(k - centre, cutoff, reach);
    result[i] = Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
  return result;
}

function kernel(distance: number, cutoff: number, reach: number): number {
  const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / reach);
  const angle = Math.PI * distance * cutoff;
  return (angle === 0 ? 1 : Math.sin(angle) / angle) * cutoff * window;
}
