/** The tool `transfer_to_number`: hands the call to another number, without asking there first. */
import { z } from 'zod';
import type { TransferOutcome } from '../../room/call-control.ts';
import { onList, readNumber } from './destinations.ts';
import type { Tool, ToolResult } from './tool.ts';

/** Beyond the time that the profile gives a transfer, for everything around it. */
const MARGIN_MS = 5000;
export const TRANSFER_MS_MAX = 120_000;

const transferArguments = z.strictObject({
  number: z.string().min(2).max(40).describe('Telephone number, such as +15550123'),
});

/** Only numbers on the profile's `transfer.numbers` are called: whatever a model was talked into. */
export function transferToNumber(): Tool<z.infer<typeof transferArguments>> {
  return {
    name: 'transfer_to_number',
    description:
      'Hands the call to another telephone number. Tell the caller before. Your part ends with it.',
    arguments: transferArguments,
    timeoutMs: TRANSFER_MS_MAX + MARGIN_MS,
    async run({ number: given }, { call, profile }) {
      const number = readNumber(given);
      if (number === null) return { ok: false, reason: 'That is not a telephone number.', ask: 'number' };
      if (!onList(profile.transfer.numbers, number))
        return { ok: false, reason: 'I may not transfer calls to that number.' };
      if (call?.transfer === undefined)
        return { ok: false, reason: 'A call from a web page cannot be transferred to a telephone number.' };
      return told(await call.transfer(number, { timeoutMs: profile.transfer.timeout_ms }), number);
    },
  };
}

/** Why a called number was not reached, by SIP status (RFC 3261 section 21). */
const REASONS: Readonly<Record<number, string>> = {
  404: 'That number does not exist.',
  408: 'Nobody answers at that number.',
  410: 'That number does not exist any more.',
  480: 'Nobody can be reached at that number.',
  484: 'That number is not complete.',
  486: 'That number is busy.',
  487: 'Nobody answers at that number.',
  600: 'That number is busy.',
  603: 'The call was declined there.',
};

/** What the model may say of it: no more than is known. */
function told(outcome: TransferOutcome, number: string): ToolResult {
  switch (outcome.outcome) {
    case 'transferred':
      return { ok: true, number };
    case 'refused': {
      const reason = 'This call cannot be transferred by the telephone network.';
      return { ok: false, reason, status: outcome.status };
    }
    case 'failed': {
      const reason = REASONS[outcome.status] ?? 'That number could not be reached.';
      return { ok: false, reason, status: outcome.status };
    }
    case 'unknown':
      return { ok: false, reason: 'I was not told in time whether the transfer worked.' };
    case 'ended':
      return { ok: false, reason: 'The call is over.' };
  }
}
