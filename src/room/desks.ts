/** The desks of human agents: who is signed in, who is free, and who has waited longest for a call. */
import type { Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';

export type DeskPresence =
  /** Takes calls. */
  | 'available'
  /** Signed in, and rung for nothing. */
  | 'away';

export interface Desk {
  readonly deskId: string;
  readonly tenant: string;
  readonly name: string;
  presence: DeskPresence;
  /** The handoff that it is rung for. */
  ringing: string | undefined;
  /** The handoff that it has accepted. */
  handling: string | undefined;
  /** Since when it has nothing to do, by the clock. */
  idleSinceMs: number;
}

export const desks_per_tenant_max = 1000;

export class Desks {
  readonly #desks = new Map<string, Desk>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** undefined: the tenant has as many desks as one may have. */
  signIn(tenant: string, name: string): Desk | undefined {
    if (this.of(tenant).length >= desks_per_tenant_max) return undefined;
    const desk: Desk = {
      deskId: newId('desk'),
      ...{ tenant, name, presence: 'away' },
      ringing: undefined,
      handling: undefined,
      idleSinceMs: this.#clock.nowMs(),
    };
    this.#desks.set(desk.deskId, desk);
    return desk;
  }

  signOut(deskId: string): void {
    this.#desks.delete(deskId);
  }

  get(deskId: string): Desk | undefined {
    return this.#desks.get(deskId);
  }

  of(tenant: string): Desk[] {
    return [...this.#desks.values()].filter((desk) => desk.tenant === tenant);
  }

  /** Desks of the tenant that can be rung now, whoever waited longest first. */
  free(tenant: string): Desk[] {
    return this.of(tenant)
      .filter((desk) => desk.presence === 'available' && desk.ringing === undefined && !desk.handling)
      .sort((a, b) => a.idleSinceMs - b.idleSinceMs);
  }

  /** It has nothing to do from now on. */
  release(deskId: string): void {
    const desk = this.#desks.get(deskId);
    if (desk === undefined) return;
    desk.handling = undefined;
    desk.idleSinceMs = this.#clock.nowMs();
  }
}
