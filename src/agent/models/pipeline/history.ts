/**
 * The conversation as the chat model is told it: what the caller said, what the caller heard of the agent,
 * and tool calls with their results. It is kept within a budget of characters; what is oldest is forgotten
 * first.
 */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { newId } from '../../../base/ids.ts';
import type { HistoryTurn } from '../../voice-model.ts';
import { text_chars_max, tool_result_chars_max } from '../limits.ts';
import type { AssembledCall } from './tool-assembly.ts';

interface Said {
  readonly itemId: string;
  text: string;
}

interface Call extends AssembledCall {
  /** null: it is still running. */
  result: string | null;
}

type Entry =
  | { readonly role: 'caller'; text: string }
  | { readonly role: 'agent'; readonly said: Said[]; readonly calls: Call[] };

/** Some chat templates accept no conversation that the assistant begins. */
const BEGINNING = '[The call begins.]';
/** How much of the budget is kept when it is used up. */
const KEPT_SHARE = 0.75;
const STILL_RUNNING = '{"status":"still running"}';

export class History {
  readonly #system: string;
  readonly #charsMax: number;
  readonly #entries: Entry[] = [];

  constructor(options: { system: string; charsMax: number }) {
    this.#system = options.system;
    this.#charsMax = options.charsMax;
  }

  /** A conversation that another session began. */
  takeOver(turns: readonly HistoryTurn[]): void {
    for (const { from, text } of turns) {
      if (from === 'agent') this.said(newId('before'), text);
      else this.heard(from === 'note' ? `[${text}]` : text);
    }
  }

  /** Does the conversation end with something that the agent has not answered? */
  get owesAnswer(): boolean {
    return this.#entries.at(-1)?.role === 'caller';
  }

  /** The caller said it, or did it: keys come here in brackets. */
  heard(text: string): void {
    const last = this.#entries.at(-1);
    const words = text.slice(0, text_chars_max);
    if (last?.role === 'caller') last.text = `${last.text} ${words}`.slice(0, text_chars_max);
    else this.#entries.push({ role: 'caller', text: words });
  }

  /** The agent says it: the whole text of the item so far. An empty text takes it back. */
  said(itemId: string, text: string): void {
    for (const entry of this.#entries) {
      const known = entry.role === 'agent' ? entry.said.find((one) => one.itemId === itemId) : undefined;
      if (known === undefined) continue;
      known.text = text.slice(0, text_chars_max);
      this.#dropEmpty();
      return;
    }
    if (text !== '') this.#speaking().said.push({ itemId, text: text.slice(0, text_chars_max) });
  }

  /** The model called tools, after what it said under `itemId`, if it said anything. */
  called(calls: readonly AssembledCall[]): void {
    const last = this.#entries.at(-1);
    const entry =
      last?.role === 'agent' && last.calls.length === 0
        ? last
        : this.#add({ role: 'agent', said: [], calls: [] });
    entry.calls.push(...calls.map((call) => ({ ...call, result: null })));
  }

  answered(callId: string, result: unknown): void {
    for (const entry of this.#entries) {
      const call = entry.role === 'agent' ? entry.calls.find((one) => one.id === callId) : undefined;
      if (call?.result === null) call.result = JSON.stringify(result ?? null).slice(0, tool_result_chars_max);
    }
  }

  /**
   * For the model, within the budget. What does not fit any more is forgotten for good, except the system's
   * prompt and the newest entry. A call and its result are one entry: they go together.
   */
  messages(): ChatCompletionMessageParam[] {
    this.#forget();
    const messages: ChatCompletionMessageParam[] = [{ role: 'system', content: this.#system }];
    if (this.#entries[0]?.role === 'agent') messages.push({ role: 'user', content: BEGINNING });
    for (const entry of this.#entries) add(messages, entry);
    return messages;
  }

  /** Where the agent speaks now: with the call that runs meanwhile, or after it. */
  #speaking(): Entry & { role: 'agent' } {
    const last = this.#entries.at(-1);
    const open =
      last?.role === 'agent' && (last.calls.length === 0 || last.calls.some((call) => call.result === null));
    return open ? last : this.#add({ role: 'agent', said: [], calls: [] });
  }

  #add<E extends Entry>(entry: E): E {
    this.#entries.push(entry);
    return entry;
  }

  #dropEmpty(): void {
    const kept = this.#entries.filter(
      (entry) =>
        entry.role === 'caller' || entry.calls.length > 0 || entry.said.some((one) => one.text !== ''),
    );
    this.#entries.splice(0, this.#entries.length, ...kept);
  }

  /**
   * Cuts down to less than the budget, so that the next turns begin alike: servers keep what they have read.
   */
  #forget(): void {
    const total = this.#entries.reduce((sum, entry) => sum + sizeOf(entry), this.#system.length);
    if (total <= this.#charsMax) return;
    let left = this.#charsMax * KEPT_SHARE - this.#system.length;
    for (let index = this.#entries.length - 1; index >= 0; index -= 1) {
      const entry = this.#entries[index];
      if (entry === undefined) return;
      left -= sizeOf(entry);
      if (left >= 0 || index === this.#entries.length - 1) continue;
      this.#entries.splice(0, index + 1);
      return;
    }
  }
}

function textOf(entry: Entry & { role: 'agent' }): string {
  return entry.said
    .map((one) => one.text)
    .filter((text) => text !== '')
    .join(' ');
}

function sizeOf(entry: Entry): number {
  if (entry.role === 'caller') return entry.text.length;
  const calls = entry.calls.map(
    (call) => call.name.length + call.arguments.length + (call.result?.length ?? 0),
  );
  return textOf(entry).length + calls.reduce((sum, length) => sum + length, 0);
}

function add(messages: ChatCompletionMessageParam[], entry: Entry): void {
  if (entry.role === 'caller') {
    messages.push({ role: 'user', content: entry.text });
    return;
  }
  const text = textOf(entry);
  if (entry.calls.length === 0) {
    const last = messages.at(-1);
    // Two turns of the agent in a row are one to a template that wants them in turn.
    if (last?.role === 'assistant' && typeof last.content === 'string' && last.tool_calls === undefined)
      last.content = `${last.content} ${text}`;
    else messages.push({ role: 'assistant', content: text });
    return;
  }
  messages.push({
    role: 'assistant',
    content: text === '' ? null : text,
    tool_calls: entry.calls.map(({ id, name, arguments: given }) => ({
      id,
      type: 'function',
      function: { name, arguments: given === '' ? '{}' : given },
    })),
  });
  for (const { id, result } of entry.calls)
    messages.push({ role: 'tool', tool_call_id: id, content: result ?? STILL_RUNNING });
}
