/** What an answer will probably be, by the question: a model knows what it has just asked. */
import {
  EXPECT_CLOSING,
  EXPECT_OPEN,
  answerExpected,
  expectConfirmation,
} from '../../../../src/agent/models/offline/phrasebook.ts';
import type { AgentProfile } from '../../../../src/agent/profile.ts';

/** One of the phrasebook's expectations. */
export function expectationAfter(said: string, profile: AgentProfile): string {
  for (const task of profile.tasks) {
    const readBack = task.confirm.split('}').at(-1)?.trim() ?? '';
    if (readBack !== '' && said.endsWith(readBack)) return expectConfirmation(task.name);
    const asked = task.slots.find((slot) => said.endsWith(slot.ask) || said.endsWith(slot.ask_again));
    if (asked !== undefined) return answerExpected(profile, task, asked);
  }
  return said.endsWith(profile.anything_else) ? EXPECT_CLOSING : EXPECT_OPEN;
}
