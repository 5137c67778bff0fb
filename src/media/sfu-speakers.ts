/**
 * Who speaks in a router, by the sound levels that come along with packets (RFC 6464): browsers write them,
 * and so do media threads for phones and agents (audio-level.ts). Others are never told of.
 */
import type { types } from 'mediasoup';
import { Events } from '../base/events.ts';

/** Quieter than this is silence, in dBov. */
const LOUD_DBOV = -55;
const LOOK_EVERY_MS = 300;
/** How many may speak at once; the loudest are told. */
export const speakers_max = 8;

export interface SfuSpeakersEvents {
  speaking: { participantId: string; speaking: boolean };
}

export class SfuSpeakers {
  readonly events = new Events<SfuSpeakersEvents>();
  readonly #observer: types.AudioLevelObserver;
  #speaking = new Set<string>();

  private constructor(observer: types.AudioLevelObserver) {
    this.#observer = observer;
    observer.on('volumes', (volumes) =>
      this.#told(volumes.map(({ producer }) => String(producer.appData['participantId']))),
    );
    observer.on('silence', () => this.#told([]));
  }

  static async create(router: types.Router): Promise<SfuSpeakers> {
    const observer = await router.createAudioLevelObserver({
      maxEntries: speakers_max,
      threshold: LOUD_DBOV,
      interval: LOOK_EVERY_MS,
    });
    return new SfuSpeakers(observer);
  }

  /** Listens to a producer until it is closed. */
  async watch(producerId: string): Promise<void> {
    await this.#observer.addProducer({ producerId });
  }

  #told(loud: readonly string[]): void {
    const before = this.#speaking;
    this.#speaking = new Set(loud);
    for (const participantId of before)
      if (!this.#speaking.has(participantId))
        this.events.emit('speaking', { participantId, speaking: false });
    for (const participantId of this.#speaking)
      if (!before.has(participantId)) this.events.emit('speaking', { participantId, speaking: true });
  }
}
