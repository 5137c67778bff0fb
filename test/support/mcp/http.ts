/** An MCP server over streamable HTTP on loopback, which can be taken away and brought back. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { makeMcpServer, type ServedCall } from './tools.ts';

export class McpHttpServer {
  readonly seen: (ServedCall | { cancelled: string })[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #sessions = new Map<string, StreamableHTTPServerTransport>();
  #http: Server | undefined;
  #port = 0;

  static async start(): Promise<McpHttpServer> {
    const server = new McpHttpServer();
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/mcp`;
  }

  /** Again on the same port, with none of its sessions. */
  async listen(): Promise<void> {
    this.#http = createServer((request, response) => {
      this.headers.push(request.headers);
      void this.#transportOf(request).then(async (transport) => {
        if (transport === undefined) response.writeHead(404).end();
        else await transport.handleRequest(request, response);
      });
    });
    this.#http.listen(this.#port, '127.0.0.1');
    await once(this.#http, 'listening');
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  async #transportOf(request: IncomingMessage): Promise<StreamableHTTPServerTransport | undefined> {
    const id = request.headers['mcp-session-id'];
    if (typeof id === 'string') return this.#sessions.get(id);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (sessionId) => void this.#sessions.set(sessionId, transport),
    });
    const server = makeMcpServer((seen) => this.seen.push(seen));
    // As in the product: the package's optional fields and the strictest compiler do not meet.
    await server.connect(transport);
    return transport;
  }

  async close(): Promise<void> {
    const http = this.#http;
    this.#http = undefined;
    if (http === undefined) return;
    this.#sessions.clear();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  }
}
