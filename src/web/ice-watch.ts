/**
 * Watches whether a browser's transports have their peer. One that has been without for a while is told, so
 * that an ICE restart can be tried; after a longer while the participant is given up.
 */
import type { Clock } from '../base/clock.ts';
import { Events } from '../base/events.ts';
import type { WatchSettings } from './settings.ts';

export type IceState = 'new' | 'connected' | 'completed' | 'disconnected' | 'closed';

export interface IceWatchEvents {
  /** Without its peer for `alert_after_ms`, or so the browser says. */
  alert: { transportId: string };
  /** It was told of, and has its peer again. */
  recovered: { transportId: string };
  /** Without its peer for `give_up_after_ms`. */
  gaveUp: { transportId: string };
}

interface Absence {
  alerted: boolean;
  readonly cancels: (() => void)[];
}

export class IceWatch {
  readonly events = new Events<IceWatchEvents>();
  readonly #settings: WatchSettings;
  readonly #clock: Clock;
  readonly #absences = new Map<string, Absence>();

  constructor(settings: WatchSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** `new` counts as absent: told when the browser has said that it begins to connect. */
  state(transportId: string, state: IceState): void {
    switch (state) {
      case 'new':
      case 'disconnected':
        this.#absent(transportId);
        return;
      case 'connected':
      case 'completed':
        if (this.#forget(transportId)?.alerted === true) this.events.emit('recovered', { transportId });
        return;
      case 'closed':
        this.#forget(transportId);
    }
  }

  /**
   * The browser has noticed before us, and tries a restart by itself: told as an alert, once for each
   * absence. It notices after some 5 s, mediasoup after 10 s.
   */
  reported(transportId: string): void {
    const absence = this.#absences.get(transportId);
    if (absence?.alerted === true) return;
    if (absence !== undefined) absence.alerted = true;
    this.events.emit('alert', { transportId });
  }

  close(): void {
    for (const transportId of [...this.#absences.keys()]) this.#forget(transportId);
    this.events.removeAll();
  }

  #absent(transportId: string): void {
    if (this.#absences.has(transportId)) return;
    const { alert_after_ms, give_up_after_ms } = this.#settings;
    const absence: Absence = { alerted: false, cancels: [] };
    this.#absences.set(transportId, absence);
    const alert = (): void => {
      if (absence.alerted) return;
      absence.alerted = true;
      this.events.emit('alert', { transportId });
    };
    absence.cancels.push(this.#clock.after(alert_after_ms, alert));
    if (give_up_after_ms === 0) return;
    const giveUp = (): void => {
      this.events.emit('gaveUp', { transportId });
    };
    absence.cancels.push(this.#clock.after(give_up_after_ms, giveUp));
  }

  #forget(transportId: string): Absence | undefined {
    const absence = this.#absences.get(transportId);
    this.#absences.delete(transportId);
    for (const cancel of absence?.cancels ?? []) cancel();
    return absence;
  }
}
