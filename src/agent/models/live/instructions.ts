/** A profile as the speaking half of a Live conversation reads it. The thinking half has its own words. */
import type { AgentProfile } from '../../profile.ts';

/** How to speak and when to delegate. Business rules belong to the backend. */
export function voiceInstructions(profile: AgentProfile): string {
  const tasks = profile.tasks.map((task) => task.name.replaceAll('_', ' ')).join(', ');
  const parts = [
    profile.prompt,
    'You are speaking on the telephone. Keep every reply short. Ask one question at a time.',
    'A backend knows the facts and does the work. Delegate to it whatever the caller wants ' +
      `(${tasks}), every answer to one of its questions, and every goodbye.`,
    'Do not answer such things yourself, and do not guess.',
    'Commentary is what you have to say next: say it at once, in exactly these words, and nothing else.',
    'When the caller begins to speak, stop. A cough or a mere "mhm" is no reason: go on, do not answer it, ' +
      'and delegate nothing.',
  ];
  return parts.filter((part) => part !== '').join('\n');
}
