/**
 * One round with the chat model by `POST /chat/completions`, streamed: words as they come, tool calls when
 * whole.
 */
import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionFunctionTool,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import { text_chars_max } from '../limits.ts';
import { StageError } from './failure.ts';
import { malformed_chunks_max } from './limits.ts';
import { Patience } from './patience.ts';
import type { Server, Servers } from './servers.ts';
import type { ChatServer } from './settings.ts';
import { ThinkingFilter } from './thinking.ts';
import { ToolAssembly, type AssembledCall } from './tool-assembly.ts';

/** What we read of a chunk; servers add much of their own. */
const chunkSchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        delta: z
          .looseObject({
            content: z.string().nullish(),
            refusal: z.string().nullish(),
            tool_calls: z
              .array(
                z.looseObject({
                  index: z.number().nullish(),
                  id: z.string().nullish(),
                  function: z
                    .looseObject({ name: z.string().nullish(), arguments: z.string().nullish() })
                    .nullish(),
                }),
              )
              .nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: z.looseObject({}).nullish(),
});

export interface Answer {
  readonly calls: readonly AssembledCall[];
  readonly model: string;
  readonly server: string;
  /** Tokens as the server counts them; undefined when it does not. */
  readonly usage: unknown;
}

export interface ChatRequest {
  /** Asked for anew at each try. */
  readonly messages: () => ChatCompletionMessageParam[];
  readonly tools: readonly ChatCompletionFunctionTool[];
  /** false: words only. */
  readonly mayCall: boolean;
  /** Overrides the servers' own; empty: it does not. */
  readonly model: string;
  readonly signal: AbortSignal;
  /** Words to be spoken, a piece at a time. Never called after `signal` was aborted. */
  readonly onText: (piece: string) => void;
}

export interface ChatOptions {
  readonly servers: Servers<ChatServer>;
  readonly clock: Clock;
  readonly firstTokenTimeoutMs: number;
  readonly stallTimeoutMs: number;
}

/** For a server that has to go on where another one broke off. */
const GO_ON =
  '[Your answer was cut off by a fault; the caller has heard it so far. Finish it, without repeating.]';

export class Chat {
  readonly #options: ChatOptions;

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  /** @throws StageError, Cancelled */
  complete(request: ChatRequest): Promise<Answer> {
    const { servers, clock, firstTokenTimeoutMs } = this.#options;
    let written = '';
    return servers.use(request.signal, async (server) => {
      const patience = new Patience(clock, request.signal);
      patience.expect('the first token', firstTokenTimeoutMs);
      const onText = (piece: string): void => {
        if (request.signal.aborted) return;
        written += piece;
        request.onText(piece);
      };
      try {
        const body = requestBody(server.settings, request, written);
        const stream = await server.client.chat.completions.create(body, { signal: patience.signal });
        return await this.#read(stream, server, patience, onText);
      } catch (thrown) {
        return patience.rethrow('chat', server.name, thrown);
      } finally {
        patience.done();
      }
    });
  }

  async #read(
    stream: AsyncIterable<unknown>,
    server: Server<ChatServer>,
    patience: Patience,
    onText: (piece: string) => void,
  ): Promise<Answer> {
    const filter = new ThinkingFilter();
    const assembly = new ToolAssembly();
    let [usage, finish, chars, malformed]: [unknown, string | null, number, number] = [undefined, null, 0, 0];
    const say = (text: string): void => {
      const piece = text.slice(0, Math.max(0, text_chars_max - chars));
      chars += piece.length;
      if (piece !== '') onText(piece);
    };
    for await (const chunk of stream) {
      patience.expect('the next token', this.#options.stallTimeoutMs);
      const parsed = chunkSchema.safeParse(chunk);
      if (!parsed.success) {
        malformed += 1;
        if (malformed > malformed_chunks_max) throw garbage(server.name);
        continue;
      }
      usage = parsed.data.usage ?? usage;
      // The last chunk holds the usage and no choice.
      const [choice] = parsed.data.choices;
      finish = choice?.finish_reason ?? finish;
      say(filter.push(choice?.delta?.content ?? choice?.delta?.refusal ?? ''));
      for (const delta of choice?.delta?.tool_calls ?? []) assembly.add(delta);
    }
    say(filter.flush());
    if (finish === null) throw broken(server.name, 'the answer broke off');
    // An answer that is cut at its length limit may hold half a call.
    const calls = finish === 'length' ? [] : assembly.finish();
    if (chars === 0 && calls.length === 0) throw broken(server.name, `an answer without words (${finish})`);
    return { calls, usage, model: server.settings.model, server: server.name };
  }
}

function requestBody(
  settings: ChatServer,
  request: ChatRequest,
  written: string,
): ChatCompletionCreateParamsStreaming {
  const messages = request.messages();
  if (written !== '') messages.push({ role: 'user', content: GO_ON });
  const tools = request.tools.length === 0 ? {} : { tools: [...request.tools] };
  return {
    model: request.model || settings.model,
    messages,
    ...tools,
    ...(request.mayCall || request.tools.length === 0 ? {} : { tool_choice: 'none' as const }),
    stream_options: { include_usage: true },
    ...settings.extra,
    stream: true,
  };
}

function broken(name: string, what: string): StageError {
  return new StageError('chat', `${name}: ${what}`, { retryable: true, quick: true });
}

function garbage(name: string): StageError {
  return broken(name, `more than ${malformed_chunks_max} chunks were not of the protocol`);
}
