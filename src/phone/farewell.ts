/** The tone that a caller hears when the agent is gone and the call has to end. */
import { newId } from '../base/ids.ts';
import type { Codec } from '../media/frame.ts';
import type { MediaThreadHandle } from '../media/thread-handle.ts';

export const farewell_ms = 1500;
/** The frequency of European tones (ITU-T E.180), well below full scale. */
const farewell_tone_hz = 425;
const farewell_level_db = -16;

/**
 * Plays the tone to a leg for `farewell_ms`, or until `over`.
 * @throws TrunklineError when the media thread cannot
 */
export async function playFarewell(
  { thread, legId, codec }: { thread: MediaThreadHandle; legId: string; codec: Codec },
  after: (delayMs: number, fire: () => void) => void,
  over: Promise<undefined>,
): Promise<void> {
  const playerId = newId('player');
  await thread.request({
    type: 'player.open',
    playerId,
    codec,
    play: { kind: 'tone', frequencyHz: farewell_tone_hz, level: farewell_level_db },
  });
  try {
    await thread.request({ type: 'patch', from: playerId, to: legId });
    await Promise.race([new Promise<void>((resolve) => after(farewell_ms, resolve)), over]);
  } finally {
    await thread.request({ type: 'player.close', playerId });
  }
}
