/** The tools that agents of this gateway may use. */
import { z } from 'zod';
import { systemClock, type Clock } from '../../base/clock.ts';
import { messageOf, TrunklineError } from '../../base/errors.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';

/** What a model is told of a tool. */
export interface ToolDeclaration {
  readonly description: string;
  /** JSON Schema of the arguments (draft 2020-12). */
  readonly parameters: Record<string, unknown>;
}

export class ToolRegistry {
  readonly #tools = new Map<string, Tool>();
  readonly #clock: Clock;

  constructor(options: { tools: readonly Tool[]; clock?: Clock }) {
    this.#clock = options.clock ?? systemClock;
    for (const tool of options.tools) {
      if (this.#tools.has(tool.name)) throw new Error(`two tools are called ${tool.name}`);
      this.#tools.set(tool.name, tool);
    }
  }

  /** Every tool's declaration, by name. */
  declarations(): Record<string, ToolDeclaration> {
    const declared = [...this.#tools.values()].map((tool) => [
      tool.name,
      { description: tool.description, parameters: z.toJSONSchema(tool.arguments) },
    ]);
    return Object.fromEntries(declared) as Record<string, ToolDeclaration>;
  }

  /**
   * Runs a tool that the call's profile lists. Throws TOOL_UNKNOWN, TOOL_ARGUMENTS_INVALID, or TOOL_FAILED
   * (it threw, or took too long).
   */
  async run(name: string, given: unknown, context: ToolContext): Promise<ToolResult> {
    const tool = this.#tools.get(name);
    if (!tool || !context.profile.tools.includes(name))
      throw new TrunklineError('TOOL_UNKNOWN', `"${name}" in profile ${context.profile.name}`);
    const parsed = tool.arguments.safeParse(given);
    if (!parsed.success)
      throw new TrunklineError('TOOL_ARGUMENTS_INVALID', `${name}: ${z.prettifyError(parsed.error)}`);
    return this.#bounded(tool, tool.run(parsed.data, context));
  }

  #bounded(tool: Tool, running: Promise<ToolResult>): Promise<ToolResult> {
    return new Promise((resolve, reject) => {
      const stop = this.#clock.after(tool.timeoutMs, () =>
        reject(new TrunklineError('TOOL_FAILED', `${tool.name} took longer than ${tool.timeoutMs} ms`)),
      );
      running
        .then(resolve, (failure: unknown) => {
          const detail = `${tool.name}: ${messageOf(failure)}`;
          reject(new TrunklineError('TOOL_FAILED', detail, { cause: failure }));
        })
        .finally(stop);
    });
  }
}
