/** The tools that agents of this gateway may use. docs/TOOLS.md tells how to write one. */
import { systemClock, type Clock } from '../../base/clock.ts';
import { messageOf, TrunklineError } from '../../base/errors.ts';
import { shapeOf, type ArgumentsShape } from './arguments.ts';
import { CallActs } from './call-acts.ts';
import { permits } from './permission.ts';
import { withinBudget } from './result-budget.ts';
import { toolKey } from './tool-key.ts';
import type { Tool, ToolCaller, ToolResult } from './tool.ts';

/** What a model is told of a tool. */
export interface ToolDeclaration {
  readonly description: string;
  /** JSON Schema of the arguments (draft 2020-12). */
  readonly parameters: Record<string, unknown>;
}

export interface ToolLimits {
  /** Tools of one call that may be under way at once. */
  readonly underWayMax: number;
  /** Longest result, in characters of JSON. */
  readonly resultCharsMax: number;
}

export const DEFAULT_TOOL_LIMITS: ToolLimits = { underWayMax: 4, resultCharsMax: 4000 };

/** Calls whose acts are remembered; the oldest is forgotten first when nobody told of its end. */
const CALLS_MAX = 10_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

interface Entry {
  readonly tool: Tool;
  readonly shape: ArgumentsShape;
  /** Who offered it: undefined for tools that are there for good. */
  readonly source: string | undefined;
}

export class ToolRegistry {
  readonly #tools = new Map<string, Entry>();
  readonly #calls = new Map<string, CallActs>();
  readonly #clock: Clock;
  readonly #limits: ToolLimits;

  constructor(options: { tools: readonly Tool[]; clock?: Clock; limits?: ToolLimits }) {
    this.#clock = options.clock ?? systemClock;
    this.#limits = options.limits ?? DEFAULT_TOOL_LIMITS;
    for (const tool of options.tools) this.#add(tool, undefined);
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  /** Adds a tool that stays. @throws Error when its name is taken or is none */
  add(tool: Tool): void {
    this.#add(tool, undefined);
  }

  /**
   * Takes the tools of a source that comes, goes and changes (an MCP server); they replace what it offered
   * before. Returns the names that cannot be had, because somebody else's tool is called so.
   */
  offer(source: string, tools: readonly Tool[]): string[] {
    for (const [name, entry] of this.#tools) if (entry.source === source) this.#tools.delete(name);
    return tools.filter((tool) => !this.#tryAdd(tool, source)).map((tool) => tool.name);
  }

  #tryAdd(tool: Tool, source: string): boolean {
    if (this.#tools.has(tool.name) || !NAME.test(tool.name)) return false;
    this.#add(tool, source);
    return true;
  }

  #add(tool: Tool, source: string | undefined): void {
    if (!NAME.test(tool.name)) throw new Error(`"${tool.name}" is no name for a tool`);
    if (this.#tools.has(tool.name)) throw new Error(`two tools are called ${tool.name}`);
    this.#tools.set(tool.name, { tool, shape: shapeOf(tool.arguments), source });
  }

  /** Every tool's declaration, by name; with a profile's list those that it permits. */
  declarations(allowed: readonly string[] = ['*']): Record<string, ToolDeclaration> {
    const tools = [...this.#tools.values()].filter(({ tool }) => permits(allowed, tool.name));
    const declared = tools.map(({ tool, shape }) => [
      tool.name,
      { description: tool.description, parameters: shape.jsonSchema },
    ]);
    return Object.fromEntries(declared) as Record<string, ToolDeclaration>;
  }

  /**
   * Runs a tool that the call's profile lists. A tool that is asked for the same thing twice in one call
   * acts once, and answers both times.
   * @throws TrunklineError TOOL_UNKNOWN, TOOL_ARGUMENTS_INVALID, TOOL_TOO_MANY, TOOL_TIMEOUT,
   * TOOL_ADDRESS_REFUSED, or TOOL_FAILED
   */
  async run(name: string, given: unknown, caller: ToolCaller): Promise<ToolResult> {
    const entry = this.#tools.get(name);
    if (!entry || !permits(caller.profile.tools, name))
      throw new TrunklineError('TOOL_UNKNOWN', `"${name}" in profile ${caller.profile.name}`);
    const parsed = entry.shape.read(given);
    if (!parsed.ok) throw new TrunklineError('TOOL_ARGUMENTS_INVALID', `${name}: ${parsed.problem}`);
    const result = await this.#act(entry.tool, parsed.value, caller);
    return withinBudget(result, this.#limits.resultCharsMax);
  }

  /** A call is over: what it did need not be remembered. Tools under way finish. */
  callEnded(callId: string): void {
    this.#calls.delete(callId);
  }

  async #act(tool: Tool, given: unknown, caller: ToolCaller): Promise<ToolResult> {
    const acts = this.#actsOf(caller.callId);
    const key = toolKey(caller.callId, tool.name, given);
    const known = tool.repeatable === true ? undefined : acts.known(key);
    const timeUp = new AbortController();
    if (known !== undefined) return this.#bounded(tool, known, timeUp);
    if (acts.underWay >= this.#limits.underWayMax)
      throw new TrunklineError('TOOL_TOO_MANY', `${tool.name}: ${acts.underWay} are under way`);
    const context = { ...caller, key, signal: timeUp.signal };
    const running = acts.run(key, { remember: tool.repeatable !== true }, async () =>
      tool.run(given, context),
    );
    return this.#bounded(tool, running, timeUp);
  }

  #actsOf(callId: string): CallActs {
    const known = this.#calls.get(callId);
    if (known) return known;
    const acts = new CallActs();
    this.#calls.set(callId, acts);
    for (const oldest of this.#calls.keys()) {
      if (this.#calls.size <= CALLS_MAX) break;
      this.#calls.delete(oldest);
    }
    return acts;
  }

  #bounded(tool: Tool, running: Promise<ToolResult>, timeUp: AbortController): Promise<ToolResult> {
    return new Promise((resolve, reject) => {
      const stop = this.#clock.after(tool.timeoutMs, () => {
        const late = new TrunklineError('TOOL_TIMEOUT', `${tool.name} took longer than ${tool.timeoutMs} ms`);
        timeUp.abort(late);
        reject(late);
      });
      running
        .then(resolve, (failure: unknown) => {
          const known = failure instanceof TrunklineError;
          const detail = `${tool.name}: ${known ? failure.detail : messageOf(failure)}`;
          const code = known && failure.code.startsWith('TOOL_') ? failure.code : 'TOOL_FAILED';
          reject(new TrunklineError(code, detail, { cause: failure }));
        })
        .finally(stop);
    });
  }
}
