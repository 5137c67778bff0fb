/** Functions that the model called: each answered once, and one new response when all of a turn's are. */
import { HANG_UP } from '../../voice-model.ts';
import { tool_calls_max } from './limits.ts';

export interface FunctionCallItem {
  readonly name?: string | undefined;
  readonly call_id?: string | undefined;
  readonly arguments?: string | undefined;
}

export interface ToolCallsOptions {
  /** Tells the model what a call gave. */
  readonly answer: (callId: string, result: unknown) => void;
  readonly call: (call: { callId: string; name: string; arguments: unknown }) => void;
  /** Every call is answered: let the model speak. */
  readonly reply: () => void;
}

export class ToolCalls {
  readonly #options: ToolCallsOptions;
  /** Call id -> the model waits for it. `hang_up` is answered only when the caller changed their mind. */
  readonly #open = new Map<string, boolean>();
  #replyDue = false;
  /** Between a call and the end of its response more calls may come. */
  #responseOpen = false;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
  }

  called(item: FunctionCallItem): void {
    const { name, call_id: callId } = item;
    if (name === undefined || callId === undefined || this.#open.has(callId)) return;
    this.#responseOpen = true;
    const parsed = parseArguments(item.arguments ?? '');
    const refusal =
      parsed === undefined
        ? 'the arguments are not a JSON object'
        : this.#open.size >= tool_calls_max
          ? 'too many calls are open'
          : undefined;
    if (refusal !== undefined) {
      this.#options.answer(callId, { ok: false, error: refusal });
      this.#replyDue = true;
      return;
    }
    this.#open.set(callId, name !== HANG_UP);
    this.#options.call({ callId, name, arguments: parsed });
  }

  /** An answer to a call that is not open is ignored. */
  answer(callId: string, result: unknown): void {
    if (!this.#open.delete(callId)) return;
    this.#options.answer(callId, result);
    this.#replyDue = true;
    this.#settle();
  }

  /** The response that may have held calls is over. */
  responseDone(): void {
    this.#responseOpen = false;
    this.#settle();
  }

  #settle(): void {
    if (!this.#replyDue || this.#responseOpen) return;
    for (const waitedFor of this.#open.values()) if (waitedFor) return;
    this.#replyDue = false;
    this.#options.reply();
  }
}

/** undefined: no JSON object. Models send an empty string for a call without arguments. */
function parseArguments(text: string): object | undefined {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
