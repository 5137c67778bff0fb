/**
 * Writes down what a phone hears of the agent. It is the gateway's own offline recogniser, turned around: its
 * language model is made of the sentences that the agent's profile lets it say.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addDays, dayIn, sayDay } from '../../../src/agent/models/offline/day.ts';
import { Recogniser, type Ear as RecogniserEar } from '../../../src/agent/models/offline/recogniser.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import type { Codec } from '../../../src/media/frame.ts';

/** Days that an agent may name: every day of a month is among them. */
const days_ahead = 31;
/** How often a sentence without a day is taught. */
const plain_copies = 6;
/** Silence that ends a sentence, in packets of 20 ms. */
const pause_packets = 30;
/** Sound from before the voice was noticed. */
const lead_packets = 12;

export class Transcriber {
  readonly #recogniser: Recogniser;
  readonly #ear: RecogniserEar;
  readonly #told: (text: string) => void;
  #lead: Uint8Array[] = [];
  #silentPackets = 0;
  #listening = false;
  #last: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(recogniser: Recogniser, ear: RecogniserEar, told: (text: string) => void) {
    this.#recogniser = recogniser;
    this.#ear = ear;
    this.#told = told;
  }

  /** `told` gets each sentence once it is over. Rejects when the offline recogniser is not installed. */
  static async start(
    profile: AgentProfile,
    codec: Codec,
    told: (text: string) => void,
  ): Promise<Transcriber> {
    const recogniser = new Recogniser({ cacheFolder: join(tmpdir(), 'trunkline-phone') });
    try {
      const model = await recogniser.prepare(asSpeaker(profile));
      return new Transcriber(recogniser, recogniser.ear({ model, codec }), told);
    } catch (error) {
      await recogniser.close();
      throw error;
    }
  }

  /** Takes every packet of sound in order. */
  take(bytes: Uint8Array, voiced: boolean): void {
    if (!this.#listening) {
      this.#lead.push(bytes);
      if (this.#lead.length > lead_packets) this.#lead.shift();
      if (!voiced) return;
      this.#listening = true;
      this.#ear.start();
      for (const packet of this.#lead.splice(0)) this.#ear.hear(packet);
    } else this.#ear.hear(bytes);
    this.#silentPackets = voiced ? 0 : this.#silentPackets + 1;
    if (this.#silentPackets >= pause_packets) this.#finish();
  }

  /** Writes down what was being said, and stops. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#listening) this.#finish();
    await this.#last;
    this.#ear.close();
    await this.#recogniser.close();
  }

  #finish(): void {
    this.#listening = false;
    this.#silentPackets = 0;
    this.#last = this.#ear.end().then(
      ({ text }) => {
        if (text !== '') this.#told(text);
      },
      (error: unknown) => this.#told(`(not recognised: ${String(error)})`),
    );
  }
}

/** A profile whose "callers" say what this agent says. */
export function asSpeaker(profile: AgentProfile, now = new Date()): AgentProfile {
  const slots = profile.tasks.flatMap((task) => task.slots);
  const names = new Set(slots.map((slot) => slot.name));
  const today = dayIn(profile.time_zone, now);
  const days = Array.from({ length: days_ahead }, (_, ahead) => sayDay(addDays(today, ahead)));
  const dayNames = slots.filter((slot) => slot.kind === 'day').map((slot) => `{${slot.name}}`);
  const phrases = sayings(profile)
    // As it is said, and each sentence by itself.
    .flatMap((text) => [text, ...text.split(/(?<=[.?!])\s+/)])
    // A field of a tool's result has no vocabulary.
    .filter((text) => [...text.matchAll(/\{(\w+)\}/g)].every(([, name = '']) => names.has(name)))
    .flatMap((text) => {
      const named = dayNames.find((name) => text.includes(name));
      // Sentences without a day must not be drowned by those with one.
      if (named === undefined) return Array.from({ length: plain_copies }, () => text);
      return days.map((day) => text.replaceAll(named, day));
    });
  const unique = slots.filter((slot, index) => slots.findIndex(({ name }) => name === slot.name) === index);
  const [first] = profile.tasks;
  return agentProfileSchema.parse({
    ...profile,
    name: `${profile.name}-speaker`,
    tasks: [{ ...first, name: 'speaks', phrases, slots: unique }],
  });
}

function sayings(profile: AgentProfile): string[] {
  const own = [profile.greeting, profile.anything_else, profile.goodbye];
  const tasks = profile.tasks.flatMap((task) => [
    task.confirm,
    task.done,
    task.failed,
    ...task.slots.flatMap((slot) => [slot.ask, slot.ask_again]),
  ]);
  return [...own, ...profile.not_understood, ...profile.still_there, ...tasks].filter((text) => text !== '');
}
