/**
 * A backend in this process: the profile's tasks, followed by the rules of the offline dialog. A client
 * delegation has no words of its own, so what the caller said since the last one is what it is about.
 */
import type { Clock } from '../../../base/clock.ts';
import { newId } from '../../../base/ids.ts';
import type { AgentProfile } from '../../profile.ts';
import { HANG_UP, type HistoryTurn } from '../../voice-model.ts';
import { text_chars_max } from '../limits.ts';
import { Dialog, type DialogAction } from '../offline/dialog.ts';
import type { BackendHands, LiveBackend } from './backend.ts';
import { delegation_settle_ms, delegation_wait_ms_max } from './limits.ts';

/** The end of a delegation that was none. */
const NOTHING = 'The caller only acknowledged what you were saying. Nothing is to be answered: go on.';

export class TaskBackend implements LiveBackend {
  readonly #clock: Clock;
  readonly #hands: BackendHands;
  readonly #dialog: Dialog;
  /** What the caller said since the last delegation was answered. */
  #words = '';
  #delegation: { readonly id: string; readonly untilMs: number } | null = null;
  /** All that was said since then was nothing. */
  #forgot = false;
  /** Whom tool results and keys answer to. */
  #lastDelegation: string | null = null;
  #hangUpCall: string | null = null;
  #cancelTimer: () => void = () => undefined;

  constructor(options: { profile: AgentProfile; now: () => Date; clock: Clock; hands: BackendHands }) {
    this.#clock = options.clock;
    this.#hands = options.hands;
    this.#dialog = new Dialog({ profile: options.profile, now: options.now });
  }

  delegated(delegationId: string): void {
    this.#delegation = { id: delegationId, untilMs: this.#clock.nowMs() + delegation_wait_ms_max };
    this.#lastDelegation = delegationId;
    this.#settle();
  }

  heard(delta: string): void {
    this.#forgot = false;
    this.#words = (this.#words + delta).slice(-text_chars_max);
    if (this.#delegation !== null) this.#settle();
  }

  forget(words: string): void {
    const said = this.#words.trim();
    if (!said.endsWith(words)) return;
    this.#words = said.slice(0, said.length - words.length);
    this.#forgot = this.#words.trim() === '';
    if (this.#forgot && this.#delegation !== null) this.#answer();
  }

  /** There is no other model. */
  event(): void {
    return;
  }

  /** Words and delegation come in any order: answer when no more words come, or when it takes too long. */
  #settle(): void {
    this.#cancelTimer();
    const leftMs = Math.max(0, (this.#delegation?.untilMs ?? 0) - this.#clock.nowMs());
    const waitMs = this.#words.trim() === '' ? leftMs : Math.min(leftMs, delegation_settle_ms);
    this.#cancelTimer = this.#clock.after(waitMs, () => this.#answer());
  }

  #answer(): void {
    const words = this.#words.trim();
    const delegation = this.#delegation;
    this.#cancelTimer();
    this.#words = '';
    this.#delegation = null;
    // No words came but those that were nothing.
    if (words === '' && this.#forgot) {
      this.#hands.think(NOTHING, delegation?.id ?? null);
      return;
    }
    this.#act(this.#dialog.heard(words));
  }

  #act(actions: readonly DialogAction[]): void {
    for (const action of actions) {
      if (action.type === 'say') {
        this.#hands.say(action.text, this.#lastDelegation);
        continue;
      }
      const callId = newId('tool');
      if (action.type === 'tool') {
        this.#hands.call({ callId, name: action.name, arguments: action.arguments });
      } else {
        this.#hangUpCall = callId;
        this.#hands.call({ callId, name: HANG_UP, arguments: { reason: action.reason } });
      }
    }
  }

  toolResult(callId: string, result: unknown): void {
    if (callId === this.#hangUpCall) this.#dialog.resume();
    else this.#act(this.#dialog.toolResult(result));
  }

  resume(history: readonly HistoryTurn[]): void {
    const last = history.at(-1);
    this.#act(last?.from === 'caller' ? this.#dialog.heard(last.text) : this.#dialog.goOn());
  }

  /** The rules cannot read it; the voice model can. */
  notice(text: string): void {
    this.#hands.think(text, null);
    this.#act(this.#dialog.goOn());
  }

  digit(digit: string): void {
    this.#act(this.#dialog.digit(digit));
  }

  close(): void {
    this.#cancelTimer();
  }
}
