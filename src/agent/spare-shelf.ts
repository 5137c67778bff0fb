/**
 * The spare sessions of one profile in one thread: opened one at a time, replaced when they are taken, die or
 * grow old. Whoever fails waits, twice as long each time, so that a wrong key does not hammer the vendor.
 */
import { messageOf, TrunklineError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import type { OpensPerHour } from './opens-per-hour.ts';
import type { AgentProfile } from './profile.ts';
import type { SpareEvent, SpareFigures } from './spares.ts';
import type { WarmOptions, WarmSession } from './voice-model.ts';

/** The first wait, and the longest: what will not do however often it is tried waits so long at once. */
export const retry_ms_min = 1000;
export const retry_ms_max = 300_000;
/** A session that lived for so long was no failure when it ends, in ms. */
export const proved_ms = 30_000;

export interface SpareShelfOptions {
  readonly profile: AgentProfile;
  readonly size: number;
  readonly ageMaxMs: number;
  readonly opens: OpensPerHour;
  /** @throws when there is no such model */
  readonly warm: (options: WarmOptions) => Promise<WarmSession>;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly report: (event: SpareEvent) => void;
}

interface Spare {
  readonly session: WarmSession;
  readonly openedMs: number;
  readonly cancelAge: () => void;
}

export class SpareShelf {
  readonly profile: AgentProfile;
  readonly #options: SpareShelfOptions;
  /** Oldest first. */
  readonly #spares: Spare[] = [];
  readonly #counts = { taken: 0, missed: 0, opened: 0, failed: 0, aged: 0, died: 0 };
  #opening = false;
  /** Ends the pause that is kept; null: none is. */
  #cancelPause: (() => void) | null = null;
  /** In a row. */
  #failures = 0;
  #closed = false;

  constructor(options: SpareShelfOptions) {
    this.#options = options;
    this.profile = options.profile;
    // Whoever is to be told is listening by then.
    this.#pause(0);
  }

  get figures(): SpareFigures {
    return { profile: this.profile.name, waiting: this.#spares.length, ...this.#counts };
  }

  /** The oldest one that lives; another takes its place. null: there is none. */
  take(): WarmSession | null {
    const spare = this.#spares.find(({ session }) => session.usable);
    if (spare === undefined) {
      this.#counts.missed += 1;
      return null;
    }
    this.#remove(spare);
    this.#counts.taken += 1;
    this.#failures = 0;
    this.#fill();
    return spare.session;
  }

  /** Closes what waits; nothing is opened any more. */
  close(): void {
    this.#closed = true;
    this.#cancelPause?.();
    for (const spare of [...this.#spares]) {
      this.#remove(spare);
      spare.session.close();
    }
  }

  #remove(spare: Spare): void {
    spare.cancelAge();
    this.#spares.splice(this.#spares.indexOf(spare), 1);
  }

  #fill(): void {
    if (this.#closed || this.#opening || this.#cancelPause !== null) return;
    if (this.#spares.length >= this.#options.size) return;
    const { clock, opens } = this.#options;
    const nowMs = clock.nowMs();
    if (!opens.take(nowMs)) {
      const retryMs = opens.freeInMs(nowMs);
      this.#pause(retryMs);
      this.#report({ what: 'limited', retryMs });
      return;
    }
    this.#opening = true;
    void this.#open().finally(() => {
      this.#opening = false;
      this.#fill();
    });
  }

  async #open(): Promise<void> {
    const { profile, now, warm } = this.#options;
    let spare: Spare | undefined;
    let gone: string | undefined;
    const spent = (reason: string): void => {
      gone = reason;
      if (spare !== undefined) this.#died(spare, reason);
    };
    try {
      const session = await warm({ profile, now, spent });
      if (this.#closed) {
        session.close();
        return;
      }
      this.#counts.opened += 1;
      this.#report({ what: 'opened' });
      spare = this.#shelve(session);
      if (gone !== undefined) this.#died(spare, gone);
    } catch (failure) {
      this.#counts.failed += 1;
      const detail = failure instanceof TrunklineError ? failure.detail : messageOf(failure);
      const retryable = failure instanceof TrunklineError && 'retryable' in failure && failure.retryable;
      const retryMs = this.#failed(retryable === true);
      if (!this.#closed) this.#report({ what: 'failed', detail, retryMs });
    }
  }

  #shelve(session: WarmSession): Spare {
    const { clock, ageMaxMs } = this.#options;
    const spare: Spare = {
      session,
      openedMs: clock.nowMs(),
      cancelAge: clock.after(ageMaxMs, () => {
        this.#remove(spare);
        session.close();
        this.#counts.aged += 1;
        this.#failures = 0;
        this.#report({ what: 'aged' });
        this.#fill();
      }),
    };
    this.#spares.push(spare);
    return spare;
  }

  #died(spare: Spare, detail: string): void {
    if (!this.#spares.includes(spare)) return;
    this.#remove(spare);
    spare.session.close();
    this.#counts.died += 1;
    if (this.#options.clock.nowMs() - spare.openedMs >= proved_ms) {
      this.#failures = 0;
      this.#report({ what: 'died', detail });
      this.#fill();
    } else this.#report({ what: 'died', detail, retryMs: this.#failed(true) });
  }

  /** How long nothing is opened now. */
  #failed(retryable: boolean): number {
    this.#failures += 1;
    const retryMs = retryable
      ? Math.min(retry_ms_max, retry_ms_min * 2 ** (this.#failures - 1))
      : retry_ms_max;
    this.#pause(retryMs);
    return retryMs;
  }

  #pause(ms: number): void {
    this.#cancelPause?.();
    if (this.#closed) return;
    this.#cancelPause = this.#options.clock.after(ms, () => {
      this.#cancelPause = null;
      this.#fill();
    });
  }

  #report(event: Omit<SpareEvent, 'type' | 'profile'>): void {
    this.#options.report({ type: 'spare', profile: this.profile.name, ...event });
  }
}
