/**
 * A provider's HTTP server for tests: it takes requests as the real one does, keeps what was asked, and has
 * the faults that providers have. What it answers is up to a `serve` function.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

/**
 * What goes wrong with one request:
 *
 * an answer     it is given instead of the real one; nothing is done
 * cut           the connection breaks before anything is done
 * cut-after     everything is done, and then the connection breaks
 * silent        nothing is done and nothing is answered, until `release()`
 */
export type Fault = Answer | 'cut' | 'cut-after' | 'silent';

export interface HttpStandIn {
  readonly url: string;
  /** Every request, oldest first, faulty ones too. */
  readonly asked: readonly Asked[];
  /** The next requests go wrong, in this order; `undefined` lets one pass. */
  fail(...faults: (Fault | undefined)[]): void;
  /** Breaks the connections of all silent requests. */
  release(): void;
  close(): Promise<void>;
}

export async function startHttpStandIn(
  serve: (asked: Asked) => Answer | Promise<Answer>,
): Promise<HttpStandIn> {
  const asked: Asked[] = [];
  const faults: (Fault | undefined)[] = [];
  const silent = new Set<ServerResponse>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = await read(request);
    asked.push(one);
    const fault = faults.shift();
    if (fault === 'silent') {
      silent.add(response);
      return;
    }
    if (fault === 'cut') {
      response.destroy();
      return;
    }
    const answer = typeof fault === 'object' ? fault : await serve(one);
    if (fault === 'cut-after') response.destroy();
    else send(response, answer);
  };
  const server = createServer((request, response) => {
    // A stand-in that fails must not look like a provider that does.
    take(request, response).catch((error: unknown) => send(response, { status: 599, body: String(error) }));
  });
  await listen(server);
  const release = (): void => {
    for (const response of silent) response.destroy();
    silent.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    fail: (...more) => void faults.push(...more),
    release,
    close: () => {
      release();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
  const body = Buffer.concat(chunks).toString('utf8');
  return { method: request.method ?? '', path: request.url ?? '', headers, body };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const isText = typeof body === 'string' || body === undefined;
  const type = isText ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...type, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}
