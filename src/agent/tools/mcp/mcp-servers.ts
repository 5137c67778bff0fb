/** All MCP servers of the gateway. */
import { systemClock } from '../../../base/clock.ts';
import type { McpServerDeclaration } from './declaration.ts';
import { McpServer, type McpParts } from './mcp-server.ts';

export class McpServers {
  readonly #servers: readonly McpServer[];

  private constructor(servers: readonly McpServer[]) {
    this.#servers = servers;
  }

  /**
   * Connects to all at once, and waits for them, but no longer than `patienceMs`: a server that is down must
   * not keep calls from being taken. It goes on being called.
   */
  static async start(
    declarations: readonly McpServerDeclaration[],
    parts: McpParts & { patienceMs: number },
  ): Promise<McpServers> {
    const servers = declarations.map((one) => McpServer.start(one, parts));
    if (servers.length > 0) {
      const { promise: over, resolve } = Promise.withResolvers<undefined>();
      const cancel = (parts.clock ?? systemClock).after(parts.patienceMs, () => resolve(undefined));
      await Promise.race([Promise.all(servers.map((server) => server.ready)), over]);
      cancel();
    }
    return new McpServers(servers);
  }

  /** Each server, and whether it is connected now. */
  get states(): { readonly name: string; readonly connected: boolean }[] {
    return this.#servers.map(({ name, connected }) => ({ name, connected }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}
