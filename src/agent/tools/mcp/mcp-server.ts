/**
 * One MCP server: connected, connected again when it is lost, its tools kept in step with what it lists.
 *
 *   connecting ──listed──> connected ──lost──> waiting ──back-off over──> connecting
 *        └──────failed───────────────────────────^
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport, getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { McpError, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { systemClock, type Clock } from '../../../base/clock.ts';
import { messageOf } from '../../../base/errors.ts';
import type { Log } from '../../../base/log.ts';
import { jsonSchemaArguments } from '../arguments.ts';
import type { GuardedHttp } from '../http/guarded-http.ts';
import { permits } from '../permission.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { prefixOf, type McpServerDeclaration } from './declaration.ts';
import { mcpResult, unavailable } from './mcp-result.ts';

/** Pauses between two attempts to connect, in ms: the first, and the longest that it grows to. */
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** Tools, and pages of them, that one server may list. */
const TOOLS_MAX = 128;
const PAGES_MAX = 32;
/** Beyond the time limit of a call, so that the server's own time limit is told and not ours. */
const MARGIN_MS = 500;
/** What of a server's standard error output goes into one line of the log. */
const LOG_CHARS_MAX = 500;

export interface McpParts {
  /** Takes the tools of this server; returns the names that are taken by others. */
  readonly offer: (source: string, tools: readonly Tool[]) => string[];
  readonly http: GuardedHttp;
  readonly log: Log;
  readonly clock?: Clock;
}

export class McpServer {
  readonly name: string;
  /** Resolves when the server's tools are there for the first time. */
  readonly ready: Promise<undefined>;
  readonly #declaration: McpServerDeclaration;
  readonly #parts: McpParts;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #isReady = Promise.withResolvers<undefined>();
  #client: Client | undefined;
  /** On its way: closing does not wait for a server that does not answer. */
  #connecting: Client | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | undefined;
  #retryMs = RETRY_FIRST_MS;
  #closed = false;

  private constructor(declaration: McpServerDeclaration, parts: McpParts) {
    this.name = declaration.name;
    this.#declaration = declaration;
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#log = parts.log.child({ mcpServer: declaration.name });
    this.ready = this.#isReady.promise;
  }

  /** Begins to connect, and goes on until `close`. Never throws: what cannot be reached now may be later. */
  static start(declaration: McpServerDeclaration, parts: McpParts): McpServer {
    const server = new McpServer(declaration, parts);
    server.#connect();
    return server;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** Ends the connection, and the program if it was started here. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry?.();
    const clients = [this.#client, this.#connecting];
    this.#client = undefined;
    await Promise.all(clients.map(async (client) => client?.close().catch(() => undefined)));
    await this.#attempt;
  }

  #connect(): void {
    this.#attempt = this.#tryToConnect();
  }

  async #tryToConnect(): Promise<void> {
    const client = new Client({ name: 'trunkline', version: '1' });
    const timeout = this.#declaration.timeout_ms;
    this.#connecting = client;
    client.onerror = (error) => this.#log.debug({ detail: messageOf(error) }, 'MCP server complains');
    try {
      await client.connect(this.#transport(), { timeout });
      if (this.#closed) {
        await client.close();
        return;
      }
      client.onclose = () => this.#lost(client, 'the connection was closed');
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => this.#list(client));
      await this.#list(client);
      this.#client = client;
      this.#retryMs = RETRY_FIRST_MS;
      this.#log.info('MCP server connected');
      this.#isReady.resolve(undefined);
    } catch (failure) {
      client.onclose = () => undefined;
      await client.close().catch(() => undefined);
      this.#retryLater(messageOf(failure));
    } finally {
      this.#connecting = undefined;
    }
  }

  #transport(): Transport {
    const { command, args, env, url, headers } = this.#declaration;
    if (command === undefined) {
      const address = new URL(url ?? '');
      this.#parts.http.check(address);
      // The package's optional fields and the compiler's strictest reading of them do not meet.
      return new StreamableHTTPClientTransport(address, {
        requestInit: { headers },
        fetch: this.#parts.http.fetch,
      });
    }
    const environment = { ...getDefaultEnvironment(), ...env };
    const transport = new StdioClientTransport({ command, args, env: environment, stderr: 'pipe' });
    transport.stderr?.on('data', (chunk: Buffer) => {
      this.#log.debug({ output: chunk.toString('utf8').slice(0, LOG_CHARS_MAX).trim() }, 'MCP server says');
    });
    return transport;
  }

  #lost(client: Client, why: string): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#retryLater(why);
  }

  #retryLater(why: string): void {
    if (this.#closed) return;
    this.#log.warn({ detail: why, againInMs: this.#retryMs }, 'MCP server not connected');
    this.#cancelRetry = this.#clock.after(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  async #list(client: Client): Promise<void> {
    const listed: Awaited<ReturnType<Client['listTools']>>['tools'] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX && listed.length < TOOLS_MAX; page += 1) {
      const options = { timeout: this.#declaration.timeout_ms };
      const answer = await client.listTools(cursor === undefined ? {} : { cursor }, options);
      listed.push(...answer.tools);
      cursor = answer.nextCursor;
      if (cursor === undefined) break;
    }
    const wanted = listed.slice(0, TOOLS_MAX).filter(({ name }) => permits(this.#declaration.tools, name));
    const tools = wanted.flatMap((one) => this.#toolOf(one) ?? []);
    const refused = this.#parts.offer(`mcp:${this.name}`, tools);
    if (refused.length > 0) this.#log.warn({ tools: refused }, 'MCP tools have names that are taken or none');
    this.#log.info({ tools: tools.length - refused.length }, 'MCP tools listed');
  }

  /** null: its arguments cannot be told to a model. */
  #toolOf(listed: { name: string; description?: string | undefined; inputSchema: object }): Tool | null {
    try {
      return {
        name: `${prefixOf(this.#declaration)}${listed.name}`,
        description: listed.description ?? listed.name,
        arguments: jsonSchemaArguments(listed.inputSchema as Record<string, unknown>),
        timeoutMs: this.#declaration.timeout_ms + MARGIN_MS,
        run: (given, context) => this.#call(listed.name, given as Record<string, unknown>, context),
      };
    } catch (failure) {
      this.#log.warn({ tool: listed.name, detail: messageOf(failure) }, 'an MCP tool cannot be used');
      return null;
    }
  }

  async #call(name: string, given: Record<string, unknown>, context: ToolContext): Promise<ToolResult> {
    const client = this.#client;
    if (client === undefined) return unavailable(this.name);
    const { timeout_ms: timeout } = this.#declaration;
    const limits = { signal: context.signal, timeout, maxTotalTimeout: timeout };
    // The protocol has no field for it; `_meta` is where such things go (prefix: MCP, "_meta").
    const _meta = { 'trunkline/idempotency-key': context.key };
    try {
      return mcpResult(await client.callTool({ name, arguments: given, _meta }, undefined, limits));
    } catch (failure) {
      if (client !== this.#client) return unavailable(this.name);
      // The server's own refusal, or silence; anything else is a connection that does not work any more.
      if (!(failure instanceof McpError) && !context.signal.aborted) {
        this.#lost(client, messageOf(failure));
        await client.close().catch(() => undefined);
        return unavailable(this.name);
      }
      throw failure;
    }
  }
}
