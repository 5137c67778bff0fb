/**
 * A backend at the vendor: a Responses model with our tools, told of by `response.event`. Its answers go to
 * the voice model by themselves; ours are only the tools.
 */
import type { Clock } from '../../../base/clock.ts';
import { Digits } from '../digits.ts';
import { ToolCalls } from '../voice-socket/tool-calls.ts';
import type { BackendHands, LiveBackend } from './backend.ts';
import { note, responseCreate, toolOutput, type ClientEvent } from './client-events.ts';
import type { ResponseEvent } from './server-events.ts';

export class ResponsesBackend implements LiveBackend {
  readonly #hands: BackendHands;
  readonly #send: (event: ClientEvent) => void;
  readonly #tools: ToolCalls;
  readonly #digits: Digits;

  constructor(options: { clock: Clock; hands: BackendHands; send: (event: ClientEvent) => void }) {
    const { hands, send } = options;
    this.#hands = hands;
    this.#send = send;
    this.#tools = new ToolCalls({
      answer: (callId, result) => send(toolOutput(callId, result)),
      call: (call) => hands.call(call),
      reply: () => send(responseCreate()),
    });
    this.#digits = new Digits(options.clock, (digits) => {
      this.notice(`The caller pressed the keys ${digits}`);
    });
  }

  /** The vendor's model reads the conversation itself. */
  delegated(): void {
    return;
  }

  heard(): void {
    return;
  }

  forget(): void {
    return;
  }

  event(event: ResponseEvent): void {
    switch (event.type) {
      case 'response.output_item.done':
        if (event.item?.type === 'function_call') this.#tools.called(event.item);
        return;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed': {
        const { usage, error } = event.response ?? {};
        if (usage) this.#hands.used(usage);
        if (event.type !== 'response.completed')
          this.#hands.failed(`${event.type}: ${error?.code ?? error?.message ?? 'no cause'}`);
        this.#tools.responseDone();
        return;
      }
    }
  }

  toolResult(callId: string, result: unknown): void {
    this.#tools.answer(callId, result);
  }

  /** Its model reads the conversation so far itself. */
  resume(): void {
    this.notice('The line broke off. Answer what the caller said last, or finish what you were saying.');
  }

  notice(text: string): void {
    this.#send(note(`[${text}]`));
    this.#send(responseCreate());
  }

  digit(digit: string): void {
    this.#digits.press(digit);
  }

  close(): void {
    this.#digits.close();
  }
}
