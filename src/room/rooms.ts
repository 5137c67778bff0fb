/** All rooms of this gateway, by id. */
import { systemClock, type Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Sfu } from '../media/sfu.ts';
import { Room } from './room.ts';
import type { RoomTrackCodec } from './router-link.ts';
import type { ThreadCommands } from './wiring.ts';

/** What a room is opened with; see `RoomOptions`. */
export interface NewRoom {
  readonly roomId: string;
  readonly thread: ThreadCommands;
  readonly trackCodec?: RoomTrackCodec;
}

export class Rooms {
  readonly #options: { readonly sfu: Sfu; readonly log: Log; readonly clock?: Clock };
  readonly #rooms = new Map<string, Room>();
  #closed = false;

  constructor(options: { readonly sfu: Sfu; readonly log: Log; readonly clock?: Clock }) {
    this.#options = options;
  }

  get size(): number {
    return this.#rooms.size;
  }

  /**
   * Opens a room whose legs and agents live in `thread`. Its router is made meanwhile: no call waits for it.
   * @throws TrunklineError ROOM_CLOSED once the gateway is stopping, MEDIA_THREAD_DIED
   */
  async open(options: NewRoom): Promise<Room> {
    const { roomId } = options;
    if (this.#closed) throw new TrunklineError('ROOM_CLOSED', 'no room is opened any more');
    if (this.#rooms.has(roomId)) throw new Error(`room ${roomId} is open already`);
    const { sfu, log, clock = systemClock } = this.#options;
    const room = new Room({ ...options, sfu, log, clock });
    this.#rooms.set(roomId, room);
    room.events.once('closed', () => this.#rooms.delete(roomId));
    try {
      await room.opened();
    } catch (error) {
      await room.close();
      throw error;
    }
    return room;
  }

  get(roomId: string): Room | undefined {
    return this.#rooms.get(roomId);
  }

  /** Closes every room, and opens no more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#rooms.values()].map((room) => room.close()));
  }
}
