/** Tool calls of a streamed answer, put together from their pieces. */
import { newId } from '../../../base/ids.ts';
import { tool_arguments_chars_max, tool_calls_max } from './limits.ts';

/** One piece, as the protocol has it; servers leave out what they think is clear. */
export interface ToolCallDelta {
  readonly index?: number | null | undefined;
  readonly id?: string | null | undefined;
  readonly function?:
    | { readonly name?: string | null | undefined; readonly arguments?: string | null | undefined }
    | null
    | undefined;
}

export interface AssembledCall {
  readonly id: string;
  readonly name: string;
  /** JSON as the model wrote it. */
  readonly arguments: string;
}

export class ToolAssembly {
  readonly #calls: { index: number; id: string; name: string; arguments: string }[] = [];

  /** Calls so far, whole or not. */
  get size(): number {
    return this.#calls.length;
  }

  add(delta: ToolCallDelta): void {
    const call = this.#callOf(delta);
    if (call === null) return;
    const { name, arguments: piece } = delta.function ?? {};
    // Some servers repeat the whole name in every piece, others cut it.
    if (name && name !== call.name) call.name += name;
    call.arguments = (call.arguments + (piece ?? '')).slice(0, tool_arguments_chars_max);
  }

  #callOf(delta: ToolCallDelta): { id: string; name: string; arguments: string } | null {
    const index = delta.index ?? this.#calls.at(-1)?.index ?? 0;
    const known = this.#calls.findLast((call) => call.index === index);
    // Some servers give every call the index 0, and tell them apart by id alone.
    const same = known !== undefined && (!delta.id || known.id === '' || known.id === delta.id);
    if (same) {
      if (delta.id) known.id = delta.id;
      return known;
    }
    if (this.#calls.length >= tool_calls_max) return null;
    const call = { index, id: delta.id ?? '', name: '', arguments: '' };
    this.#calls.push(call);
    return call;
  }

  /** The calls that have a name; one without an id gets one. */
  finish(): AssembledCall[] {
    return this.#calls
      .filter((call) => call.name !== '')
      .map(({ id, name, arguments: given }) => ({ id: id || newId('call'), name, arguments: given }));
  }
}

/** undefined: no JSON object. Models send an empty string for a call without arguments. */
export function parseArguments(text: string): object | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
