/** The human agents' side of the gateway: the queue of callers who wait, and who reads briefings out. */
import { join } from 'node:path';
import { Synthesiser } from '../agent/models/offline/synthesiser.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { packageRoot, type Settings } from '../config.ts';
import { loadSound, wavOf } from '../media/sound-file.ts';
import { HandoffQueue } from '../room/handoff-queue.ts';
import type { Journal } from '../room/journal.ts';
import { LiveCalls } from '../room/live-calls.ts';
import type { DeskServices } from '../web/web-door.ts';
import type { ClosingOrder } from './closing-order.ts';

/** @throws TrunklineError MEDIA_FILE_UNPLAYABLE when the hold music cannot be played */
export async function startDesk(
  parts: { readonly settings: Settings; readonly journal: Journal; readonly log: Log },
  order: ClosingOrder,
): Promise<DeskServices> {
  const { settings, journal, log } = parts;
  const { desk } = settings.config;
  const musicPath = desk.hold_music || join(packageRoot, 'sounds', 'hold-music.wav');
  // Better now than while a caller waits.
  await loadSound(musicPath, 'pcmu');
  const calls = new LiveCalls();
  const queue = new HandoffQueue({ calls, journal, settings: desk, musicPath, clock: systemClock, log });
  order.add('desk', queue);
  let synthesiser: Synthesiser | undefined;
  order.add('desk voice', { close: async () => synthesiser?.close() });
  const speak = async (text: string): Promise<Uint8Array> => {
    // Most gateways have nobody at a desk: no process is started for them.
    synthesiser ??= new Synthesiser();
    return wavOf('pcmu', await synthesiser.speak({ text, voice: desk.voice, codec: 'pcmu' }));
  };
  return { access: desk, queue, calls, speak };
}
