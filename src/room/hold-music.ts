/** Music for held callers of one room: a player in the room's media thread, that the hears-matrix lets in. */
import { messageOf } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../media/frame.ts';
import type { Room } from './room.ts';
import type { ThreadCommands } from './wiring.ts';

/** When the file cannot be played: soft, and better than silence. */
const FALLBACK_TONE = { kind: 'tone', frequencyHz: 440, level: -34 } as const;

export interface HoldMusicOptions {
  readonly room: Room;
  readonly thread: ThreadCommands;
  readonly codec: Codec;
  readonly path: string;
  readonly log: Log;
}

export class HoldMusic {
  readonly #options: HoldMusicOptions;
  readonly #playerId = newId('music');

  private constructor(options: HoldMusicOptions) {
    this.#options = options;
  }

  /**
   * Lets the music in. It sounds for whoever is held, and stands still while nobody is.
   * @throws TrunklineError ROOM_CLOSED, MEDIA_THREAD_DIED
   */
  static async start(options: HoldMusicOptions): Promise<HoldMusic> {
    const music = new HoldMusic(options);
    await music.#open();
    return music;
  }

  async #open(): Promise<void> {
    const { room, thread, codec, path, log } = this.#options;
    const opening = { type: 'player.open', playerId: this.#playerId, codec } as const;
    try {
      await thread.request({ ...opening, play: { kind: 'file', path, loop: true } });
    } catch (error) {
      log.error({ path, detail: messageOf(error) }, 'hold music cannot be played: a tone takes its place');
      await thread.request({ ...opening, play: FALLBACK_TONE });
    }
    try {
      await room.admitMusic({ participantId: this.#playerId, portId: this.#playerId, codec });
    } catch (error) {
      await this.#closePlayer();
      throw error;
    }
  }

  /** Never throws. */
  async close(): Promise<void> {
    await this.#options.room.remove(this.#playerId);
    await this.#closePlayer();
  }

  async #closePlayer(): Promise<void> {
    const { thread, log } = this.#options;
    try {
      await thread.request({ type: 'player.close', playerId: this.#playerId });
    } catch (error) {
      log.debug({ detail: messageOf(error) }, 'player was gone');
    }
  }
}
