import type { AgentProfile } from '../profile.ts';

/** The profile schema's default voice belongs to the offline synthesiser; no other server knows it. */
const offline_voice = 'slt';

/** The voice that the profile names, or the other one when it names none. */
export function profileVoice({ model }: AgentProfile, otherwise: string): string {
  return model.voice === offline_voice ? otherwise : model.voice;
}
