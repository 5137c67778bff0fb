/** The offline voice: recognition, a dialog engine and synthesis on this machine, without an account. */
import { mkdirSync } from 'node:fs';
import type { AgentProfile } from '../../profile.ts';
import type { ConnectOptions, VoiceModel, VoiceSession } from '../../voice-model.ts';
import { Recogniser } from './recogniser.ts';
import { OfflineSession, sentencesIn } from './session.ts';
import { Synthesiser } from './synthesiser.ts';

export interface OfflineOptions {
  /** Keeps language models between runs; made when missing. */
  readonly cacheFolder: string;
  /** Profiles that are got ready at once. */
  readonly warm?: readonly AgentProfile[];
  /** Shared with whoever else speaks in this thread; the owner closes it. */
  readonly synthesiser?: Synthesiser;
}

export interface OfflineModel extends VoiceModel {
  /** The processes behind it, for operators and tests. */
  readonly recogniser: Recogniser;
  readonly synthesiser: Synthesiser;
}

/** What an agent says word for word in every call. */
function fixedPhrases(profile: AgentProfile): string[] {
  const asked = profile.tasks.flatMap((task) => task.slots.flatMap((slot) => [slot.ask, slot.ask_again]));
  const told = profile.tasks.filter((task) => !task.done.includes('{')).map((task) => task.done);
  const general = [profile.anything_else, profile.goodbye, profile.invite, profile.correction];
  return [profile.greeting, ...asked, ...general, profile.trouble, ...profile.not_understood, ...told];
}

/**
 * Two child processes serve all sessions of a thread. `connect` rejects with SPEECH_UNAVAILABLE when Debian's
 * speech libraries are missing, PROFILE_UNSPEAKABLE when the profile uses words nobody can pronounce.
 */
export function createOfflineModel(options: OfflineOptions): OfflineModel {
  mkdirSync(options.cacheFolder, { recursive: true });
  const recogniser = new Recogniser({ cacheFolder: options.cacheFolder });
  const synthesiser = options.synthesiser ?? new Synthesiser();

  const warm = async (profile: AgentProfile): Promise<void> => {
    await recogniser.prepare(profile);
    // One at a time: a call that begins meanwhile gets its greeting in between.
    for (const text of fixedPhrases(profile).flatMap(sentencesIn)) {
      for (const codec of ['pcmu', 'pcma'] as const)
        await synthesiser.speak({ text, voice: profile.model.voice, codec });
    }
  };
  for (const profile of options.warm ?? []) {
    warm(profile).catch(() => {
      // The first call of the profile meets the same failure and reports it.
    });
  }

  return {
    name: 'offline',
    recogniser,
    synthesiser,
    async connect(call: ConnectOptions): Promise<VoiceSession> {
      const { profile, codec } = call;
      const greeting = sentencesIn(profile.greeting).map((text) =>
        synthesiser.speak({ text, voice: profile.model.voice, codec }),
      );
      const [model] = await Promise.all([recogniser.prepare(profile), ...greeting]);
      const ear = recogniser.ear({ model, codec, noiseSuppression: profile.hearing.noise_suppression });
      return new OfflineSession({ call, ear, synthesiser });
    },
    async close(): Promise<void> {
      await Promise.all([recogniser.close(), synthesiser.close()]);
    },
  };
}
