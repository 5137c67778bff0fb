import { at } from '../base/at.ts';
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { FRAME_MS } from './frame.ts';
import type { Ticked } from './frame.ts';
import { LatenessHistogram } from './lateness.ts';

/** A tick is cut into slots, so that legs do not all send at once. */
export const SLOTS = 4;
export const SLOT_MS = FRAME_MS / SLOTS;
/** A thread that stood still for longer than this does not make up for it: the past is skipped. */
export const CATCH_UP_MS_MAX = 500;
/** Timers fire on whole milliseconds, sometimes a fraction early. */
const EARLY_MS = 0.5;

/** Sources emit before sinks of the same slot send. */
export type Phase = 'source' | 'sink';

interface Entry {
  readonly part: Ticked;
  readonly phase: Phase;
  slot: number;
  lastTick: number;
  removed: boolean;
}

interface Slot {
  sources: readonly Entry[];
  sinks: readonly Entry[];
}

export interface PacerOptions {
  readonly clock?: Clock;
  /** What a part threw in its tick; the others go on. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The one clock of a media thread. Every part ticks once in 20 ms, in the slot where it lives;
 * ticks that come late are made up for, one by one, and never run ahead of time.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => ({ sources: [], sinks: [] }));
  readonly #entries = new Map<Ticked, Entry>();
  readonly #lateness = new LatenessHistogram();
  readonly #startMs: number;
  /** Number of the next slot to run since the start; tick = position / SLOTS. */
  #position = 0;
  #cancel: (() => void) | null = null;
  #running = false;

  constructor(options: PacerOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#onError =
      options.onError ??
      ((error) => {
        throw error;
      });
    this.#startMs = this.#clock.nowMs();
  }

  /** Parts that are driven. */
  get size(): number {
    return this.#entries.size;
  }

  /** Starts to drive a part, in the emptiest slot. A part that is driven already stays where it is. */
  add(part: Ticked, phase: Phase): void {
    if (this.#entries.has(part)) return;
    let slot = 0;
    for (let other = 1; other < SLOTS; other++) {
      if (this.#load(other) < this.#load(slot)) slot = other;
    }
    const entry: Entry = { part, phase, slot, lastTick: -1, removed: false };
    this.#entries.set(part, entry);
    this.#place(entry);
    if (this.#cancel === null && !this.#running) this.#resume();
  }

  /** Stops driving it, at once: a part removed by another part's tick does not run any more. */
  remove(part: Ticked): void {
    const entry = this.#entries.get(part);
    if (entry === undefined) return;
    entry.removed = true;
    this.#entries.delete(part);
    this.#take(entry);
    if (this.#entries.size === 0) this.#pause();
  }

  /** Moves `part` into the slot of `beside`, so that what one emits the other sends at once. */
  align(part: Ticked, beside: Ticked): void {
    const entry = this.#entries.get(part);
    const target = this.#entries.get(beside);
    if (entry === undefined || target === undefined || entry.slot === target.slot) return;
    this.#take(entry);
    entry.slot = target.slot;
    this.#place(entry);
  }

  /** How late ticks ran since the last call, in ms. */
  takeLateness(): { p50Ms: number; p99Ms: number } {
    return this.#lateness.take();
  }

  close(): void {
    for (const part of [...this.#entries.keys()]) this.remove(part);
  }

  #load(slot: number): number {
    const { sources, sinks } = at(this.#slots, slot);
    return sources.length + sinks.length;
  }

  /** Lists are replaced, never changed: a slot that is running keeps its own. */
  #place(entry: Entry): void {
    const slot = at(this.#slots, entry.slot);
    if (entry.phase === 'source') slot.sources = [...slot.sources, entry];
    else slot.sinks = [...slot.sinks, entry];
  }

  #take(entry: Entry): void {
    const slot = at(this.#slots, entry.slot);
    if (entry.phase === 'source') slot.sources = slot.sources.filter((other) => other !== entry);
    else slot.sinks = slot.sinks.filter((other) => other !== entry);
  }

  #resume(): void {
    this.#position = Math.ceil((this.#clock.nowMs() - this.#startMs) / SLOT_MS);
    this.#schedule();
  }

  #pause(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(): void {
    const delayMs = this.#startMs + this.#position * SLOT_MS - this.#clock.nowMs();
    this.#cancel = this.#clock.after(Math.max(0, Math.ceil(delayMs - EARLY_MS)), () => this.#run());
  }

  #run(): void {
    this.#running = true;
    try {
      this.#runDue();
    } finally {
      this.#running = false;
      this.#cancel = null;
      if (this.#entries.size > 0) this.#schedule();
    }
  }

  #runDue(): void {
    const nowMs = this.#clock.nowMs();
    let lateMs = nowMs - this.#startMs - this.#position * SLOT_MS;
    if (lateMs > CATCH_UP_MS_MAX) {
      this.#position += Math.floor(lateMs / SLOT_MS);
      lateMs = nowMs - this.#startMs - this.#position * SLOT_MS;
    }
    while (lateMs >= -EARLY_MS && this.#entries.size > 0) {
      this.#runSlot(Math.max(0, lateMs));
      this.#position++;
      lateMs -= SLOT_MS;
    }
  }

  #runSlot(lateMs: number): void {
    const slot = at(this.#slots, this.#position % SLOTS);
    const tick = Math.floor(this.#position / SLOTS);
    const { sources, sinks } = slot;
    if (sources.length + sinks.length > 0) this.#lateness.add(lateMs);
    for (const entry of sources) this.#tickOne(entry, tick, lateMs);
    for (const entry of sinks) this.#tickOne(entry, tick, lateMs);
  }

  /** A part that changed its slot must not tick twice in one tick. */
  #tickOne(entry: Entry, tick: number, lateMs: number): void {
    if (entry.removed || entry.lastTick >= tick) return;
    entry.lastTick = tick;
    try {
      entry.part.tick(tick, lateMs);
    } catch (error) {
      this.#onError(error);
    }
  }
}
