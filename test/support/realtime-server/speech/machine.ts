/**
 * The speech of the local server's live mode, shared by all of its connections: the offline recogniser and
 * synthesiser, in processes of their own.
 */
import type { AgentProfile } from '../../../../src/agent/profile.ts';
import { Recogniser, type Ear } from '../../../../src/agent/models/offline/recogniser.ts';
import { sentencesIn } from '../../../../src/agent/models/offline/session.ts';
import { Synthesiser } from '../../../../src/agent/models/offline/synthesiser.ts';
import type { Codec } from '../../../../src/media/frame.ts';

export class SpeechMachine {
  readonly profile: AgentProfile;
  readonly #recogniser: Recogniser;
  readonly #synthesiser = new Synthesiser();
  readonly #model: string;

  private constructor(profile: AgentProfile, recogniser: Recogniser, model: string) {
    this.profile = profile;
    this.#recogniser = recogniser;
    this.#model = model;
  }

  /** Ready to hear callers of a profile. `cacheFolder` keeps its language model between runs. */
  static async create(options: { profile: AgentProfile; cacheFolder: string }): Promise<SpeechMachine> {
    const recogniser = new Recogniser({ cacheFolder: options.cacheFolder });
    try {
      return new SpeechMachine(options.profile, recogniser, await recogniser.prepare(options.profile));
    } catch (error) {
      await recogniser.close();
      throw error;
    }
  }

  ear(codec: Codec): Ear {
    return this.#recogniser.ear({ model: this.#model, codec });
  }

  /** The sentences of a text, each with its sound, as soon as there is any. */
  async *speak(text: string, codec: Codec): AsyncGenerator<{ sentence: string; bytes: Uint8Array }> {
    const { voice } = this.profile.model;
    const sentences = sentencesIn(text).map((sentence) => {
      const bytes = this.#synthesiser.speak({ text: sentence, voice, codec });
      // All are under way at once; one that fails after the others were cut must not count as unhandled.
      bytes.catch(() => undefined);
      return { sentence, bytes };
    });
    for (const { sentence, bytes } of sentences) yield { sentence, bytes: await bytes };
  }

  async close(): Promise<void> {
    await Promise.all([this.#recogniser.close(), this.#synthesiser.close()]);
  }
}
