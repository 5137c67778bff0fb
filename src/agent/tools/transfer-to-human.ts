/** The tool `transfer_to_human`: queues the call for a human agent. Who sits there is injected. */
import { z } from 'zod';
import type { HumanDesk } from '../../room/human-desk.ts';
import type { Tool } from './tool.ts';

/** It only queues: whether somebody comes is told later, by whoever comes back. */
const TIMEOUT_MS = 2000;

export const transferToHumanArguments = z.strictObject({
  reason: z.string().max(200).default('asks for a person').describe('Why, in a few words'),
  briefing: z
    .string()
    .min(1)
    .max(600)
    .optional()
    .describe('Two short lines for the colleague: who calls, and what was said so far'),
});
export type TransferToHuman = z.infer<typeof transferToHumanArguments>;

export function transferToHuman(desk: Pick<HumanDesk, 'request'>): Tool<TransferToHuman> {
  return {
    name: 'transfer_to_human',
    description:
      'Connects the caller to a human colleague. Use it when the caller asks for a person, or you cannot ' +
      'help. Afterwards say in one short sentence that you connect them, and nothing else.',
    arguments: transferToHumanArguments,
    timeoutMs: TIMEOUT_MS,
    // Whoever was not reached the first time may be asked for again.
    repeatable: true,
    run({ reason, briefing }, { callId, profile }) {
      const { handed_back, human_left, unanswered } = profile.back;
      const answer = desk.request({
        ...{ callId, reason },
        say: { 'handed-back': handed_back, 'human-left': human_left, unanswered },
        ...(briefing === undefined ? {} : { briefing }),
      });
      if (answer.taken || answer.why === 'under-way')
        return Promise.resolve({ ok: true, state: 'connecting' });
      return Promise.resolve({ ok: false, reason: 'Nobody can take the call at the moment.' });
    },
  };
}
