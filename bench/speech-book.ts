/** Sentences as callers of the bench send them, made before anything is measured. */
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import { encode } from '../src/media/g711.ts';
import { Speakers } from './test-set.ts';

/** Softer samples at the end of a sentence count as silence (-46 dB of full scale). */
const silence_below = 160;

const bookSchema = z.map(z.string(), z.instanceof(Uint8Array));

/** The sound between the first and the last sample that one can hear. */
export function audiblePart(samples: Int16Array): Int16Array {
  const loud = (sample: number): boolean => Math.abs(sample) >= silence_below;
  return samples.subarray(Math.max(0, samples.findIndex(loud)), samples.findLastIndex(loud) + 1);
}

export class SpeechBook {
  readonly #sentences: Map<string, Uint8Array>;

  constructor(sentences = new Map<string, Uint8Array>()) {
    this.#sentences = sentences;
  }

  static read(path: string): SpeechBook {
    return new SpeechBook(bookSchema.parse(deserialize(readFileSync(path))));
  }

  write(path: string): void {
    writeFileSync(path, serialize(this.#sentences));
  }

  /** Has these sentences spoken, unless they are there. */
  async add(wanted: readonly { readonly text: string; readonly voice: string }[]): Promise<void> {
    const speakers = new Speakers();
    try {
      for (const { text, voice } of wanted) {
        const key = `${voice} ${text}`;
        if (this.#sentences.has(key)) continue;
        const samples = audiblePart(await speakers.say(text, voice));
        const bytes = new Uint8Array(samples.length);
        encode('pcmu', samples, bytes);
        this.#sentences.set(key, bytes);
      }
    } finally {
      await speakers.close();
    }
  }

  /** u-law without silence at its ends. @throws Error when nobody has spoken it */
  sound(text: string, voice: string): Uint8Array {
    const bytes = this.#sentences.get(`${voice} ${text}`);
    if (bytes === undefined) throw new Error(`nobody has spoken "${text}" as ${voice}`);
    return bytes;
  }
}
