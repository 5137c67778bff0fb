/**
 * The life of this gateway's process, as the store knows it: it says every few seconds that it goes on, so
 * that operators see who is there. One that was declared gone nevertheless goes on as another run: its next
 * calls are not ended with those of the old one.
 */
import { systemClock, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { beginRun } from '../jobs/gateway-runs.ts';
import type { Spool } from '../jobs/spool/spool.ts';
import { SYSTEM_TENANT, type Store } from '../store/store.ts';
import { hearRun } from '../store/tables/gateway-runs.ts';

const tell_every_ms = 10_000;
/** While the database is away, or not yet up to date. */
const tell_again_ms = 1000;

export interface KeptRunOptions {
  readonly spool: Spool;
  readonly store: Pick<Store, 'tenant' | 'ensureTenants'>;
  /** Of the spool. */
  readonly folder: string;
  /** Whose calls it may have. */
  readonly tenants: readonly string[];
  readonly log: Log;
  readonly clock?: Clock;
}

export class KeptRun {
  readonly #options: KeptRunOptions;
  readonly #clock: Clock;
  #name: string;
  #closed = false;
  #cancel = (): void => undefined;
  #underWay: Promise<void> = Promise.resolve();

  private constructor(options: KeptRunOptions, name: string) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#name = name;
  }

  /** Before the first word: that a life of before is over is told behind what it left in the spool. */
  static async begin(options: KeptRunOptions): Promise<KeptRun> {
    const run = new KeptRun(options, await beginRun(options.spool, beginning(options)));
    run.#tell();
    return run;
  }

  /** Of calls that open now. */
  get name(): string {
    return this.#name;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#underWay;
  }

  #tell(): void {
    const told = this.#tellOnce().then(
      () => tell_every_ms,
      (error: unknown) => {
        this.#options.log.debug({ detail: messageOf(error) }, 'the store cannot be told that we live');
        return tell_again_ms;
      },
    );
    this.#underWay = told.then((pauseMs) => {
      if (!this.#closed) this.#cancel = this.#clock.after(pauseMs, () => this.#tell());
    });
  }

  async #tellOnce(): Promise<void> {
    const { store, spool, tenants, log } = this.#options;
    await store.ensureTenants([]);
    const hear = (): Promise<boolean> =>
      store.tenant(SYSTEM_TENANT, (unit) =>
        hearRun(unit, { gateway: spool.gateway, run: this.#name, tenants }),
      );
    if (!(await hear()) || this.#closed) return;
    const run = this.#name;
    this.#name = await beginRun(spool, beginning(this.#options));
    log.warn({ run, next: this.#name }, 'this gateway was declared gone: new calls are of another run');
    await hear();
  }
}

/** The system's tenant is told, too, that runs are over: there operators see it. */
function beginning({ folder, tenants, log }: KeptRunOptions): Parameters<typeof beginRun>[1] {
  return { folder, tenants: [...tenants, SYSTEM_TENANT], log };
}
