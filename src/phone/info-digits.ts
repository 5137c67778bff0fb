/** Key presses, whatever way they come by: SIP INFO is read, and one press told twice counts once. */
import type { Clock } from '../base/clock.ts';

export interface KeyPress {
  readonly digit: string;
  readonly durationMs: number;
}

const DEFAULT_DURATION_MS = 160;
const DURATION_MAX_MS = 10_000;

/**
 * The key in an INFO body: `application/dtmf-relay` (Signal=5, Duration=160) or `application/dtmf` (5).
 * `nothing`: understood, but no key (a hook flash). Undefined: not understood.
 */
export function digitInInfo(contentType: string, body: string): KeyPress | 'nothing' | undefined {
  if (contentType === 'application/dtmf-relay') {
    const signal = /^\s*signal\s*=\s*(\S+)/im.exec(body)?.[1];
    const duration = Number(/^\s*duration\s*=\s*(\d{1,6})/im.exec(body)?.[1] ?? DEFAULT_DURATION_MS);
    return signal === undefined ? undefined : keyOf(signal, duration);
  }
  if (contentType === 'application/dtmf') return keyOf(body.trim(), DEFAULT_DURATION_MS);
  return undefined;
}

/**
 * Digits stand for themselves; some senders write the event codes of RFC 4733 §3.2 instead: 10 is *, 16 a
 * flash.
 */
function keyOf(signal: string, durationMs: number): KeyPress | 'nothing' | undefined {
  if (signal === '!' || signal === '16') return 'nothing';
  const byCode = /^1[0-5]$/.test(signal) ? '*#ABCD'[Number(signal) - 10] : undefined;
  const digit = byCode ?? signal.toUpperCase();
  if (!/^[0-9*#A-D]$/.test(digit)) return undefined;
  return { digit, durationMs: Math.min(DURATION_MAX_MS, durationMs) };
}

export type DigitPath = 'rtp' | 'info';

/** How far apart the two tellings of one press may be, in ms. */
const twin_window_ms = 1000;
/** Presses remembered for each path. */
const presses_kept_max = 32;

interface Press {
  readonly digit: string;
  readonly atMs: number;
}

/**
 * Some phones tell each key by RTP and by INFO. A press on one path swallows its twin on the other, one for
 * one.
 */
export class DigitMerger {
  readonly #clock: Clock;
  readonly #unmatched: Record<DigitPath, Press[]> = { rtp: [], info: [] };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** true: a new press; false: it was told before by the other path. */
  isNew(path: DigitPath, digit: string): boolean {
    const nowMs = this.#clock.nowMs();
    const other = path === 'rtp' ? 'info' : 'rtp';
    this.#unmatched[other] = this.#unmatched[other].filter((one) => nowMs - one.atMs <= twin_window_ms);
    const twin = this.#unmatched[other].findIndex((one) => one.digit === digit);
    if (twin !== -1) {
      this.#unmatched[other].splice(twin, 1);
      return false;
    }
    const own = this.#unmatched[path];
    own.push({ digit, atMs: nowMs });
    if (own.length > presses_kept_max) own.shift();
    return true;
  }
}
