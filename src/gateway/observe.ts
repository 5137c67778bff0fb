/** What watches the gateway from its first call on: metrics and traces, both fed by the journal. */
import { Metrics } from '../base/metrics.ts';
import { createTracer } from '../base/tracing.ts';
import { packageVersion, type Settings } from '../config.ts';
import type { Journal } from '../room/journal.ts';
import type { ClosingOrder } from './closing-order.ts';
import { measureCalls } from './measure.ts';
import { CallTraces } from './trace-calls.ts';

export interface Observers {
  readonly metrics: Metrics;
  readonly traces: CallTraces;
  /** Of this program, as package.json has it. */
  readonly version: string;
}

export function observe(parts: { journal: Journal; settings: Settings; order: ClosingOrder }): Observers {
  const { journal, settings, order } = parts;
  const metrics = new Metrics();
  measureCalls(journal, metrics);
  const version = packageVersion();
  const { otlp_url: otlpUrl } = settings.config.telemetry;
  const tracer = order.add('traces', createTracer({ service: 'trunkline-gateway', version, otlpUrl }));
  return { metrics, version, traces: new CallTraces(journal, tracer) };
}
