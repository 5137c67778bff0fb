import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Vad } from '../../../src/media/vad.ts';

/** Speech of espeak-ng at 8 kHz with a second of silence before and after. */
function spoken(): Int16Array {
  const wav = execFileSync('espeak-ng', ['-v', 'en-us', '--stdout', 'I would like an appointment tomorrow']);
  const toRaw = ['-t', 'wav', '-', '-t', 'raw', '-r', '8000', '-e', 'signed', '-b', '16', '-c', '1', '-'];
  const raw = execFileSync('sox', [...toRaw, 'norm', '-6', 'pad', '1', '1'], { input: wav });
  return new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + (raw.length & ~1)));
}

function decisions(samples: Int16Array): boolean[] {
  const vad = new Vad();
  const voiced: boolean[] = [];
  for (let at = 0; at + 160 <= samples.length; at += 160)
    voiced.push(vad.isSpeech(samples.subarray(at, at + 160)));
  vad.close();
  return voiced;
}

const share = (voiced: boolean[]): number => voiced.filter(Boolean).length / voiced.length;

describe('Vad', () => {
  it('hears speech, and the silence around it', () => {
    const voiced = decisions(spoken());
    expect(share(voiced.slice(0, 45))).toBe(0);
    expect(share(voiced.slice(-40))).toBe(0);
    expect(share(voiced.slice(55, -55))).toBeGreaterThan(0.75);
  });

  it('takes neither silence nor faint noise for speech', () => {
    expect(share(decisions(new Int16Array(16_000)))).toBe(0);
    const noise = Int16Array.from({ length: 16_000 }, (_, index) => ((index * 7919) % 61) - 30);
    expect(share(decisions(noise))).toBe(0);
  });

  it('does not hear speech that is far too soft', () => {
    expect(share(decisions(spoken().map((sample) => Math.round(sample / 400))))).toBe(0);
  });

  it('serves many calls that do not disturb each other', () => {
    const samples = spoken();
    const alone = decisions(samples);
    const one = new Vad();
    const two = new Vad();
    const silence = new Int16Array(160);
    alone.forEach((expected, index) => {
      expect(two.isSpeech(silence)).toBe(false);
      expect(one.isSpeech(samples.subarray(index * 160, (index + 1) * 160))).toBe(expected);
    });
    one.close();
    two.close();
    two.close();
  });
});
