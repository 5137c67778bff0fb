/** The spare sessions of one media thread: those of every profile that wants some. */
import { isDeepStrictEqual } from 'node:util';
import { TrunklineError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { OpensPerHour } from './opens-per-hour.ts';
import type { AgentProfile } from './profile.ts';
import { SpareShelf } from './spare-shelf.ts';
import { shareOf, type SpareEvent, type SpareFigures, type SpareLimits } from './spares.ts';
import type { VoiceModel, WarmSession } from './voice-model.ts';

export interface SpareSessionsOptions {
  readonly profiles: readonly AgentProfile[];
  readonly limits: SpareLimits;
  /** Which of how many threads this is. */
  readonly share: { readonly place: number; readonly threads: number };
  /** @throws TrunklineError MODEL_UNAVAILABLE for an adapter that is not set up */
  readonly model: (adapter: string) => VoiceModel;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly report: (event: SpareEvent) => void;
}

export class SpareSessions {
  readonly #shelves: ReadonlyMap<string, SpareShelf>;

  constructor({ profiles, limits, share, model, ...shared }: SpareSessionsOptions) {
    const opens = new OpensPerHour(shareOf(limits.opensPerHourMax, share));
    const shelves = profiles.flatMap((profile): [string, SpareShelf][] => {
      const size = shareOf(profile.model.spares, share);
      if (size === 0) return [];
      const warm: VoiceModel['warm'] = async (options) => {
        const opened = await model(profile.model.adapter).warm?.(options);
        if (opened === undefined)
          throw new TrunklineError('MODEL_UNAVAILABLE', `${profile.model.adapter} has no sessions to keep`);
        return opened;
      };
      const { ageMaxMs } = limits;
      return [[profile.name, new SpareShelf({ ...shared, profile, size, ageMaxMs, opens, warm })]];
    });
    this.#shelves = new Map(shelves);
  }

  get figures(): readonly SpareFigures[] {
    return [...this.#shelves.values()].map((shelf) => shelf.figures);
  }

  /**
   * A session that was opened for exactly this profile; null: none is there. A profile of the same name that
   * says anything else (a fallback's model, a tenant's own words) gets none.
   */
  take(profile: AgentProfile): WarmSession | null {
    const shelf = this.#shelves.get(profile.name);
    return shelf !== undefined && isDeepStrictEqual(shelf.profile, profile) ? shelf.take() : null;
  }

  /** Closes those that wait, and opens none any more. Idempotent. */
  close(): void {
    for (const shelf of this.#shelves.values()) shelf.close();
  }
}
