/** What is counted of one tenant. */
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Entry, LimitReached, Place } from '../room/tenant-gate.ts';
import { HeldPlace } from './held-place.ts';
import { Minutes, type MinutesAnswer } from './minutes.ts';
import { Places } from './places.ts';
import { Rate } from './rate.ts';
import type { TenantLimitSettings } from './settings.ts';
import { Patience, type SharedRedis } from './shared-answer.ts';

/** When to try again if all places are taken, in seconds: nobody knows when a call ends. */
const full_retry_s = 10;
/** Longest wait of a call for all that Redis is asked, in ms: with its own work, not more than 25. */
export const wait_ms_max = 20;
/** How long the end waits for Redis to take the last minutes, in ms. */
const close_ms_max = 1000;

export interface CountOptions extends SharedRedis {
  readonly clock: Clock;
  readonly now: () => Date;
  readonly placeMs?: number;
  /** Longest wait for Redis, in ms. */
  readonly waitMs?: number;
}

/** A kind of entry: how many at a time, and how many within a span. */
interface Doorway {
  readonly places: Places | undefined;
  readonly rate: Rate | undefined;
  readonly full: LimitReached;
  readonly tooFast: (waitMs: number) => LimitReached;
}

export interface EntryAnswer {
  readonly outcome: Place | LimitReached;
  /** Redis had no part in it. */
  readonly alone: boolean;
}

export class TenantCount {
  readonly #limits: TenantLimitSettings;
  readonly #options: CountOptions;
  readonly #doorways: Readonly<Record<Entry['kind'], Doorway>>;
  readonly #minutes: Minutes | undefined;
  readonly #held = new Set<HeldPlace>();

  constructor(limits: TenantLimitSettings, options: CountOptions) {
    this.#limits = limits;
    this.#options = options;
    const { tenant, minutes_per_day_max: max, time_zone: timeZone } = limits;
    this.#doorways = { call: this.#callDoorway(), visit: this.#visitDoorway() };
    if (max > 0) this.#minutes = new Minutes({ ...options, name: `limits:minutes:${tenant}`, max, timeZone });
  }

  /** Never rejects. */
  async enter(kind: Entry['kind']): Promise<EntryAnswer> {
    const { places, rate, full, tooFast } = this.#doorways[kind];
    const id = newId('place');
    const patience = new Patience(this.#options.waitMs ?? wait_ms_max);
    const [minutes, place] = await Promise.all([
      this.#minutes?.ask(
        [...this.#held].reduce((sum, one) => sum + one.unbookedMs, 0),
        patience,
      ),
      places?.take(id, patience),
    ]);
    const alone = (minutes?.alone ?? false) || (place?.alone ?? false);
    const refuse = (reached: LimitReached): EntryAnswer => {
      places?.leave(id);
      return { outcome: reached, alone };
    };
    if (minutes?.isSpent === true) return refuse(this.#spent(minutes));
    if (place?.isFree === false) return refuse(full);
    // Last: who finds no room must not use up the turn of one that does.
    const pace = await rate?.take(patience);
    if (pace !== undefined && pace.waitMs > 0) return refuse(tooFast(pace.waitMs));
    return { outcome: this.#hold(places, id), alone: alone || (pace?.alone ?? false) };
  }

  /** Whether anybody is in. */
  get isBusy(): boolean {
    return this.#held.size > 0;
  }

  /** Books what has passed of all that are in, and ends them if they are to end with the minutes. */
  async book(): Promise<void> {
    const minutes = this.#minutes;
    if (minutes === undefined) return;
    await minutes.book([...this.#held].reduce((sum, one) => sum + one.book(), 0));
    const today = minutes.known;
    if (!this.#limits.minutes_end_calls || !today.isSpent) return;
    for (const one of [...this.#held]) one.spent(this.#spent(today));
  }

  /** Redis is there (again). */
  renew(): void {
    for (const { places } of Object.values(this.#doorways)) places?.renew();
  }

  /** Everybody is out; resolves when Redis knows, if it can be told. */
  async close(): Promise<void> {
    for (const one of [...this.#held]) one.leave();
    for (const { places } of Object.values(this.#doorways)) places?.close();
    const minutes = this.#minutes;
    if (minutes !== undefined) await new Patience(close_ms_max).await(() => minutes.book(0));
  }

  #hold(places: Places | undefined, id: string): Place {
    const { clock } = this.#options;
    const held: HeldPlace = new HeldPlace({
      clock,
      left: (unbookedMs) => {
        this.#held.delete(held);
        places?.leave(id);
        void this.#minutes?.book(unbookedMs);
      },
    });
    this.#held.add(held);
    return held;
  }

  #callDoorway(): Doorway {
    const { calls_max: atOnce, calls_per_second_max: fast } = this.#limits;
    return {
      places: this.#places('calls', atOnce),
      rate: this.#rate('calls-per-second', fast, 1),
      full: this.#reached('TENANT_CALLS_FULL', 'calls_max', full_retry_s),
      tooFast: (ms) => this.#reached('TENANT_CALLS_TOO_FAST', 'calls_per_second_max', ms / 1000),
    };
  }

  #visitDoorway(): Doorway {
    const { visits_max: atOnce, visits_per_minute_max: fast } = this.#limits;
    return {
      places: this.#places('visits', atOnce),
      rate: this.#rate('visits-per-minute', fast, 60),
      full: this.#reached('TENANT_VISITS_FULL', 'visits_max', full_retry_s),
      tooFast: (ms) => this.#reached('TENANT_VISITS_TOO_FAST', 'visits_per_minute_max', ms / 1000),
    };
  }

  #places(what: string, max: number): Places | undefined {
    const name = `limits:${what}:${this.#limits.tenant}`;
    return max === 0 ? undefined : new Places({ ...this.#options, name, max });
  }

  #rate(what: string, max: number, durationS: number): Rate | undefined {
    const name = `limits:${what}:${this.#limits.tenant}`;
    return max === 0 ? undefined : new Rate({ ...this.#options, name, max, durationS });
  }

  #spent({ dayEnds }: Pick<MinutesAnswer, 'dayEnds'>): LimitReached {
    const untilS = (dayEnds.getTime() - this.#options.now().getTime()) / 1000;
    return this.#reached('TENANT_MINUTES_SPENT', 'minutes_per_day_max', untilS);
  }

  #reached(code: LimitReached['code'], limit: LimitKey, retryS: number): LimitReached {
    const detail = `${limit} (${this.#limits[limit]}) of tenant ${this.#limits.tenant} is reached`;
    return { code, limit, detail, retryAfterS: Math.max(1, Math.ceil(retryS)) };
  }
}

type LimitKey = Extract<keyof TenantLimitSettings, `${string}_max`>;
