/** Traces by OpenTelemetry, sent as OTLP over HTTP. Without an address nothing is recorded or sent. */
import { SpanKind, SpanStatusCode, trace, ROOT_CONTEXT, type Span as OtelSpan } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The span's parent as a W3C `traceparent`; empty or none: a trace of its own. */
  readonly parent?: string;
  /** `server`: somebody asked us; `consumer`: work taken from a queue; otherwise our own doing. */
  readonly kind?: 'server' | 'consumer' | 'internal';
  /** Unix time in ms; now when left out. */
  readonly startMs?: number;
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** For whoever goes on with the work (W3C Trace Context, section 3.2); empty when nothing is recorded. */
  readonly traceparent: string;
  event(name: string, attributes?: SpanAttributes): void;
  set(attributes: SpanAttributes): void;
  /** `failed`: why, in a few words. Call it once. */
  end(options?: { readonly endMs?: number; readonly failed?: string }): void;
}

export interface Tracer {
  start(name: string, options?: SpanOptions): Span;
  /** Sends what waits, bounded in time. Never rejects. */
  close(): Promise<void>;
}

export interface TracerOptions {
  readonly service: string;
  readonly version: string;
  /** Of an OTLP/HTTP receiver, such as http://127.0.0.1:4318/v1/traces; empty: none. */
  readonly otlpUrl: string;
  /** How long the receiver may take for a batch; 5000 when left out. */
  readonly exportTimeoutMs?: number;
}

const EXPORT_TIMEOUT_MS = 5000;
/** Spans that wait while the receiver is away; beyond it the newest are dropped. */
const SPANS_WAITING_MAX = 8192;
const KINDS = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

const NO_SPAN: Span = {
  traceparent: '',
  event: () => undefined,
  set: () => undefined,
  end: () => undefined,
};

export const noTracer: Tracer = { start: () => NO_SPAN, close: () => Promise.resolve() };

export function createTracer(options: TracerOptions): Tracer {
  if (options.otlpUrl === '') return noTracer;
  const { otlpUrl, exportTimeoutMs = EXPORT_TIMEOUT_MS } = options;
  const exporter = new OTLPTraceExporter({ url: otlpUrl, timeoutMillis: exportTimeoutMs });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.version': options.version,
    }),
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: SPANS_WAITING_MAX,
        exportTimeoutMillis: exportTimeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer(options.service);
  return {
    start: (name, { parent = '', kind = 'internal', startMs, attributes } = {}) => {
      const context = contextOf(parent);
      const span = tracer.startSpan(
        name,
        {
          kind: KINDS[kind],
          ...(startMs === undefined ? {} : { startTime: startMs }),
          ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
        },
        context,
      );
      return wrap(span);
    },
    close: async () => {
      // A receiver that is away must not keep the process from ending well.
      await provider.shutdown().catch(() => undefined);
    },
  };
}

function wrap(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    event: (name, attributes) => void span.addEvent(name, { ...attributes }),
    set: (attributes) => void span.setAttributes({ ...attributes }),
    end: ({ endMs, failed } = {}) => {
      if (failed !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failed });
      span.end(endMs);
    },
  };
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What is no traceparent begins a trace of its own: a job of an older version still runs. */
function contextOf(traceparent: string): typeof ROOT_CONTEXT {
  const [, traceId = '', spanId = '', flags = '0'] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === '') return ROOT_CONTEXT;
  const remote = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}
