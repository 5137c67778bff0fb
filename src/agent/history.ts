/** The conversation so far, for a session that takes over from one that died. */
import type { HistoryTurn } from './voice-model.ts';

/** Turns that are kept; the oldest is forgotten first. */
const TURNS_MAX = 200;
/** Text of one turn. */
const TEXT_CHARS_MAX = 4000;

export class History {
  readonly #turns: HistoryTurn[] = [];
  readonly #tools = new Map<string, string>();

  get turns(): readonly HistoryTurn[] {
    return [...this.#turns];
  }

  heard(text: string): void {
    this.#add('caller', text);
  }

  /** What was said counts as far as it was heard: its text is cut at about that word. */
  said(said: { readonly text: string; readonly heardMs: number; readonly totalMs: number }): void {
    const share = said.totalMs === 0 ? 0 : Math.min(1, said.heardMs / said.totalMs);
    const words = said.text.split(' ');
    this.#add('agent', words.slice(0, Math.ceil(words.length * share)).join(' '));
  }

  toolCalled(callId: string, name: string, given: unknown): void {
    this.#tools.set(callId, `${name}(${JSON.stringify(given)})`);
  }

  /** The note that tells it. */
  toolGave(callId: string, result: unknown): string {
    const note = `[The tool ${this.#tools.get(callId) ?? callId} gave ${JSON.stringify(result)}]`;
    this.#tools.delete(callId);
    this.#add('note', note);
    return note;
  }

  #add(from: HistoryTurn['from'], text: string): void {
    if (text.trim() === '') return;
    this.#turns.push({ from, text: text.slice(0, TEXT_CHARS_MAX) });
    if (this.#turns.length > TURNS_MAX) this.#turns.shift();
  }
}
