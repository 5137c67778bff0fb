/** Questions about sound: how loud, which tone. */

/** RMS level in dB below full scale; -Infinity for digital silence. */
export function levelDbfs(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length) / 32768 ** 2);
}

/** Share of the sound's power at one frequency, 0 to 1 (Goertzel). */
export function toneShare(samples: Int16Array, frequencyHz: number, sampleRateHz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz);
  let [last, before, power] = [0, 0, 0];
  for (const sample of samples) {
    [last, before] = [sample + turn * last - before, last];
    power += sample * sample;
  }
  if (power === 0) return 0;
  const atTone = last * last + before * before - turn * last * before;
  return Math.min(1, (2 * atTone) / (samples.length * power));
}

export function tone(frequencyHz: number, durationMs: number, sampleRateHz = 8000): Int16Array {
  const samples = new Int16Array(Math.round((durationMs * sampleRateHz) / 1000));
  for (let i = 0; i < samples.length; i += 1)
    samples[i] = Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz));
  return samples;
}

export function silence(durationMs: number, sampleRateHz = 8000): Int16Array {
  return new Int16Array(Math.round((durationMs * sampleRateHz) / 1000));
}

export function joined(...parts: Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
