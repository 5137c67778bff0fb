/**
 * Sentences that need no model: synthesised on this machine ahead of time, kept per voice and codec. A
 * sentence that is not there when it is needed, or cannot be spoken at all, becomes a soft tone.
 */
import { SAMPLE_RATE_HZ, type Codec } from '../media/frame.ts';
import { G711 } from '../media/g711.ts';
import { Tone } from '../media/tone.ts';
import type { AgentProfile } from './profile.ts';

/** What speaks them; the offline voice's synthesiser does. */
export interface PhraseSpeaker {
  speak(phrase: { text: string; voice: string; codec: Codec }): Promise<Uint8Array>;
}

/** Two short sounds: somebody is still there. */
const TONE_HZ = 425;
const TONE_LEVEL_DB = -26;
const TONE_MS = 120;
const PAUSE_MS = 140;
/** Kept sentences; the one that was used longest ago is forgotten. */
const KEPT_MAX = 500;

export class Phrases {
  readonly #speaker: () => PhraseSpeaker;
  readonly #kept = new Map<string, Uint8Array>();
  readonly #underWay = new Set<string>();
  readonly #tones = new Map<Codec, Uint8Array>();
  /** One at a time: whoever speaks in a call meanwhile gets in between. */
  #queue: Promise<void> = Promise.resolve();

  /** `speaker` is asked for once the first sentence is wanted; it may throw. */
  constructor(options: { speaker: () => PhraseSpeaker }) {
    this.#speaker = options.speaker;
  }

  /** Gets everything ready that a call of this profile may need. Returns at once. */
  prepare(profile: AgentProfile, codec: Codec): void {
    const { voice } = profile.failover;
    for (const text of phrasesOf(profile)) this.#make({ text, voice, codec });
  }

  /** Whether the sentence is there. */
  has(phrase: { text: string; voice: string; codec: Codec }): boolean {
    return this.#kept.has(keyOf(phrase));
  }

  /** The sentence's sound, or the tone when there is none yet. The bytes belong to the receiver. */
  sound(phrase: { text: string; voice: string; codec: Codec }): Uint8Array {
    const key = keyOf(phrase);
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      this.#make(phrase);
      return this.tone(phrase.codec);
    }
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.slice();
  }

  tone(codec: Codec): Uint8Array {
    const known = this.#tones.get(codec);
    if (known) return known.slice();
    const [sound, pause] = [TONE_MS, PAUSE_MS].map((ms) => (ms * SAMPLE_RATE_HZ) / 1000) as [number, number];
    const bytes = new Uint8Array(2 * sound + pause).fill(G711[codec].silence);
    for (const start of [0, sound + pause])
      new Tone([TONE_HZ], TONE_LEVEL_DB).fill(codec, bytes.subarray(start, start + sound));
    this.#tones.set(codec, bytes);
    return bytes.slice();
  }

  #make(phrase: { text: string; voice: string; codec: Codec }): void {
    const key = keyOf(phrase);
    if (this.#kept.has(key) || this.#underWay.has(key)) return;
    this.#underWay.add(key);
    this.#queue = this.#queue
      .then(() => this.#speaker().speak(phrase))
      .then((bytes) => {
        this.#kept.set(key, bytes);
        for (const oldest of this.#kept.keys()) {
          if (this.#kept.size <= KEPT_MAX) break;
          this.#kept.delete(oldest);
        }
      })
      // The tone stands in for it; the next call tries again.
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(key));
  }
}

function keyOf({ text, voice, codec }: { text: string; voice: string; codec: Codec }): string {
  return `${voice}\n${codec}\n${text}`;
}

/** Everything that a voice may have to say without its model. */
export function phrasesOf(profile: AgentProfile): string[] {
  const { reply, tool, trouble } = profile.fillers;
  const handOvers = profile.fallbacks.flatMap((fallback) => {
    if (fallback.type === 'voicemail') return [fallback.say, fallback.thanks];
    return 'say' in fallback ? [fallback.say] : [];
  });
  return [...new Set([...reply, ...tool, ...trouble, ...handOvers, profile.trouble, profile.goodbye])];
}
