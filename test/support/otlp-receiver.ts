/** Takes traces as any OpenTelemetry collector does: OTLP over HTTP in its JSON form. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { z } from 'zod';

const value = z.union([
  z.object({ stringValue: z.string() }).transform((one) => one.stringValue),
  z.object({ intValue: z.coerce.number() }).transform((one) => one.intValue),
  z.object({ doubleValue: z.number() }).transform((one) => one.doubleValue),
  z.object({ boolValue: z.boolean() }).transform((one) => one.boolValue),
]);
const attributes = z
  .array(z.object({ key: z.string(), value }))
  .transform((all) => Object.fromEntries(all.map((one) => [one.key, one.value])));
const span = z.object({
  traceId: z.string().length(32),
  spanId: z.string().length(16),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.coerce.number(),
  endTimeUnixNano: z.coerce.number(),
  attributes,
  events: z.array(z.object({ name: z.string() })).default([]),
  status: z.object({ code: z.int().default(0), message: z.string().default('') }),
});
export type ReceivedSpan = z.infer<typeof span>;
const body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(span) })),
    }),
  ),
});

export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly services = new Set<unknown>();
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const receiver = new OtlpReceiver(server, `http://127.0.0.1:${address.port}/v1/traces`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver.#take(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        response.setHeader('content-type', 'application/json');
        response.end('{}');
      });
    });
    return receiver;
  }

  #take(given: unknown): void {
    for (const { resource, scopeSpans } of body.parse(given).resourceSpans) {
      this.services.add(resource.attributes['service.name']);
      for (const scope of scopeSpans) this.spans.push(...scope.spans);
    }
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((one) => one.name === name);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
