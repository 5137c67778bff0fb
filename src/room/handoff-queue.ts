/**
 * Calls that wait for a human, and the desks that are rung for them. One winner when two accept at once;
 * a tenant's desks know of that tenant's calls only.
 */
import type { Clock } from '../base/clock.ts';
import { TrunklineError } from '../base/errors.ts';
import { Events } from '../base/events.ts';
import type { Log } from '../base/log.ts';
import { briefingOf } from './briefing.ts';
import { Desks, type Desk, type DeskPresence } from './desks.ts';
import { Handoff } from './handoff.ts';
import type { HandoffEvent } from './handoff-state.ts';
import type { HandoffAnswer, HandoffWish, HumanDesk } from './human-desk.ts';
import type { HandoffStep, Journal } from './journal.ts';
import type { LiveCalls } from './live-calls.ts';

/** How long the agent may take to say that it connects the caller, in ms; then the music begins anyway. */
export const announce_ms_max = 8000;

export interface HandoffSettings {
  /** Everybody who is free at once, or whoever waited longest, one after another. */
  readonly ring: 'all' | 'longest_idle';
  readonly ring_ms: number;
  /** How long a caller waits for a human before the agent is back. */
  readonly wait_ms: number;
  /** How long a human's page may take into the room. */
  readonly join_ms: number;
}

export interface HandoffQueueEvents {
  /** What the desks of this tenant show has changed. */
  changed: { readonly tenant: string };
}

export interface HandoffQueueOptions {
  readonly calls: LiveCalls;
  readonly journal: Journal;
  readonly settings: HandoffSettings;
  readonly musicPath: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A handoff with what the queue knows of it. */
interface Entry {
  readonly handoff: Handoff;
  readonly startedMs: number;
  /** Desks that do not want it. */
  readonly declined: Set<string>;
  /** Desks that let it ring: asked again when nobody else is there. */
  readonly missed: Set<string>;
  readonly ringing: Set<string>;
  deskId: string | undefined;
  readonly cancels: Map<'announce' | 'wait' | 'ring' | 'join', () => void>;
}

/** What a desk may know of a handoff of its tenant. */
export interface HandoffView {
  readonly handoff: Handoff;
  readonly waitedMs: number;
  /** The desk that has accepted it. */
  readonly deskId: string | undefined;
}

export class HandoffQueue implements HumanDesk {
  readonly events = new Events<HandoffQueueEvents>();
  readonly #options: HandoffQueueOptions;
  readonly #desks: Desks;
  /** By handoffId, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #subscriptions: (() => void)[];

  constructor(options: HandoffQueueOptions) {
    this.#options = options;
    this.#desks = new Desks(options.clock);
    const { calls, journal } = options;
    this.#subscriptions = [
      calls.events.on('closed', ({ callId }) => this.#tell(this.#entryOf(callId), 'call_over')),
      journal.events.on('added', ({ callId, fact }) => {
        if (fact.type === 'said') this.#announced(callId);
      }),
    ];
  }

  // What agents ask.

  isStaffed(tenant: string): boolean {
    const staff = this.#desks.of(tenant);
    return staff.some((desk) => desk.presence === 'available' || desk.handling !== undefined);
  }

  isHandedOver(callId: string): boolean {
    const entry = this.#entryOf(callId);
    return entry !== undefined && entry.handoff.state !== 'announcing';
  }

  request(wish: HandoffWish): HandoffAnswer {
    const { calls, journal, clock, settings, musicPath, log } = this.#options;
    const call = calls.get(wish.callId);
    if (call === undefined) return { taken: false, why: 'no-such-call' };
    if (this.#entryOf(wish.callId) !== undefined) return { taken: false, why: 'under-way' };
    if (!this.isStaffed(call.tenant)) return { taken: false, why: 'nobody' };
    const record = journal.get(wish.callId);
    const briefing = wish.briefing ?? briefingOf(record?.from ?? '', record?.timeline ?? []);
    const handoff = new Handoff(
      call,
      { ...wish, briefing },
      {
        ...{ musicPath, log },
        moved: (event) => this.#moved(entry, event),
      },
    );
    const entry: Entry = {
      ...{ handoff, startedMs: clock.nowMs(), deskId: undefined },
      ...{ declined: new Set(), missed: new Set(), ringing: new Set(), cancels: new Map() },
    };
    this.#entries.set(handoff.handoffId, entry);
    this.#record(entry, 'requested', { detail: wish.reason });
    this.#after(entry, 'wait', settings.wait_ms, () => this.#tell(entry, 'gave_up'));
    if (wish.announced === true) handoff.move('announced');
    else {
      this.#after(entry, 'announce', announce_ms_max, () => this.#tell(entry, 'announced'));
      this.#changed(entry);
    }
    return { taken: true, handoffId: handoff.handoffId };
  }

  // What desks do.

  /** @throws TrunklineError DESK_FULL */
  signIn(tenant: string, name: string): Desk {
    const desk = this.#desks.signIn(tenant, name);
    if (desk === undefined) throw new TrunklineError('DESK_FULL', tenant);
    this.events.emit('changed', { tenant });
    return desk;
  }

  /** The desk is gone. A call that it has already goes on as long as its page is in the room. Idempotent. */
  signOut(deskId: string): void {
    const desk = this.#desks.get(deskId);
    if (desk === undefined) return;
    this.#desks.signOut(deskId);
    const entry = this.#entries.get(desk.ringing ?? '');
    if (entry !== undefined) this.#silence(entry, desk, 'missed');
    this.events.emit('changed', { tenant: desk.tenant });
  }

  setPresence(deskId: string, presence: DeskPresence): void {
    const desk = this.#desk(deskId);
    desk.presence = presence;
    const entry = this.#entries.get(desk.ringing ?? '');
    if (presence === 'away' && entry !== undefined) this.#silence(entry, desk, 'missed');
    this.#offerAll(desk.tenant);
    this.events.emit('changed', { tenant: desk.tenant });
  }

  /** @throws TrunklineError DESK_CALL_TAKEN when somebody else was quicker, or it rings no more */
  accept(deskId: string, handoffId: string): Handoff {
    const entry = this.#rung(deskId, handoffId);
    const desk = this.#desk(deskId);
    entry.deskId = deskId;
    desk.handling = handoffId;
    this.#after(entry, 'join', this.#options.settings.join_ms, () => this.#tell(entry, 'left'));
    entry.handoff.move('accepted');
    return entry.handoff;
  }

  /** @throws TrunklineError DESK_CALL_TAKEN when it does not ring (any more) */
  decline(deskId: string, handoffId: string): void {
    const entry = this.#rung(deskId, handoffId);
    this.#silence(entry, this.#desk(deskId), 'declined');
  }

  /** What a tenant's desks may know, oldest first. */
  views(tenant: string): HandoffView[] {
    return [...this.#entries.values()]
      .filter(({ handoff }) => handoff.call.tenant === tenant)
      .map(({ handoff, startedMs, deskId }) => ({
        ...{ handoff, deskId, waitedMs: Math.round(this.#options.clock.nowMs() - startedMs) },
      }));
  }

  /** How many of a tenant's desks take calls, have one, and take none. */
  staff(tenant: string): { available: number; busy: number; away: number } {
    const desks = this.#desks.of(tenant);
    const busy = desks.filter((desk) => desk.handling !== undefined).length;
    const away = desks.filter((desk) => desk.handling === undefined && desk.presence === 'away').length;
    return { available: desks.length - busy - away, busy, away };
  }

  desk(deskId: string): Readonly<Desk> | undefined {
    return this.#desks.get(deskId);
  }

  // What the human's page does in the room.

  /** Moves the handoff when its table allows the step now; whether it did. */
  tell(handoffId: string, event: 'joined' | 'held' | 'resumed' | 'handed_back' | 'left'): boolean {
    return this.#tell(this.#entries.get(handoffId), event);
  }

  close(): Promise<void> {
    for (const stop of this.#subscriptions) stop();
    for (const entry of this.#entries.values()) this.#tell(entry, 'call_over');
    this.events.removeAll();
    return Promise.resolve();
  }

  #desk(deskId: string): Desk {
    const desk = this.#desks.get(deskId);
    if (desk === undefined) throw new TrunklineError('DESK_SIGNED_OUT', deskId);
    return desk;
  }

  #rung(deskId: string, handoffId: string): Entry {
    const entry = this.#entries.get(handoffId);
    if (entry?.handoff.state !== 'ringing' || !entry.ringing.has(deskId))
      throw new TrunklineError('DESK_CALL_TAKEN', handoffId);
    return entry;
  }

  #entryOf(callId: string): Entry | undefined {
    return [...this.#entries.values()].find(({ handoff }) => handoff.call.callId === callId);
  }

  #announced(callId: string): void {
    const entry = this.#entryOf(callId);
    if (entry?.handoff.state === 'announcing') this.#tell(entry, 'announced');
  }

  #tell(entry: Entry | undefined, event: HandoffEvent): boolean {
    if (entry?.handoff.can(event) !== true) return false;
    entry.handoff.move(event);
    return true;
  }

  /** After every move: timers and bells as the new state wants them. */
  #moved(entry: Entry, event: HandoffEvent): void {
    const { handoff } = entry;
    const by = this.#desks.get(entry.deskId ?? '')?.name;
    this.#record(entry, event, by === undefined ? {} : { by });
    if (handoff.state !== 'announcing') this.#cancel(entry, 'announce');
    if (handoff.state !== 'joining') this.#cancel(entry, 'join');
    if (handoff.state !== 'ringing') this.#stopBells(entry);
    if (handoff.state === 'talking') this.#cancel(entry, 'wait');
    if (handoff.state === 'waiting' || !handoff.isOpen) this.#releaseDesk(entry);
    if (!handoff.isOpen) {
      for (const cancel of entry.cancels.values()) cancel();
      this.#entries.delete(handoff.handoffId);
    }
    this.#changed(entry);
    if (handoff.state === 'waiting') this.#offer(entry);
    if (!handoff.isOpen) this.#offerAll(handoff.call.tenant);
  }

  #offerAll(tenant: string): void {
    for (const entry of [...this.#entries.values()])
      if (entry.handoff.call.tenant === tenant && entry.handoff.state === 'waiting') this.#offer(entry);
  }

  /** Rings whoever is free. When all who are signed in have declined, waiting longer is of no use. */
  #offer(entry: Entry): void {
    const { settings } = this.#options;
    const { tenant } = entry.handoff.call;
    if (this.#desks.of(tenant).every(({ deskId }) => entry.declined.has(deskId))) {
      this.#tell(entry, 'gave_up');
      return;
    }
    const willing = this.#desks.free(tenant).filter(({ deskId }) => !entry.declined.has(deskId));
    const fresh = willing.filter(({ deskId }) => !entry.missed.has(deskId));
    const rung = settings.ring === 'all' ? willing : (fresh.length > 0 ? fresh : willing).slice(0, 1);
    if (rung.length === 0) return;
    for (const desk of rung) {
      desk.ringing = entry.handoff.handoffId;
      entry.ringing.add(desk.deskId);
    }
    this.#after(entry, 'ring', settings.ring_ms, () => this.#ranOut(entry));
    entry.handoff.move('rang');
  }

  #ranOut(entry: Entry): void {
    for (const deskId of entry.ringing) {
      entry.missed.add(deskId);
      const by = this.#desks.get(deskId)?.name;
      this.#record(entry, 'missed', by === undefined ? {} : { by });
    }
    this.#tell(entry, 'stopped');
  }

  /** One desk rings no more; the call rings on while another does. */
  #silence(entry: Entry, desk: Desk, why: 'declined' | 'missed'): void {
    desk.ringing = undefined;
    entry.ringing.delete(desk.deskId);
    entry[why].add(desk.deskId);
    this.#record(entry, why, { by: desk.name });
    if (entry.ringing.size === 0) this.#tell(entry, 'stopped');
    else this.#changed(entry);
  }

  #stopBells(entry: Entry): void {
    this.#cancel(entry, 'ring');
    for (const deskId of entry.ringing) {
      const desk = this.#desks.get(deskId);
      if (desk !== undefined) desk.ringing = undefined;
    }
    entry.ringing.clear();
  }

  #releaseDesk(entry: Entry): void {
    if (entry.deskId === undefined) return;
    this.#desks.release(entry.deskId);
    entry.deskId = undefined;
  }

  #after(entry: Entry, name: 'announce' | 'wait' | 'ring' | 'join', delayMs: number, fire: () => void): void {
    this.#cancel(entry, name);
    entry.cancels.set(name, this.#options.clock.after(delayMs, fire));
  }

  #cancel(entry: Entry, name: 'announce' | 'wait' | 'ring' | 'join'): void {
    entry.cancels.get(name)?.();
    entry.cancels.delete(name);
  }

  #record(entry: Entry, step: HandoffStep, more: { by?: string; detail?: string }): void {
    const { handoffId, call } = entry.handoff;
    this.#options.journal.add(call.callId, { type: 'handoff', step, handoffId, ...more });
  }

  #changed(entry: Entry): void {
    this.events.emit('changed', { tenant: entry.handoff.call.tenant });
  }
}
