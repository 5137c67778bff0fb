/** Each call as a trace: from the INVITE over ringing, turns and tools to its end; jobs go on from it. */
import type { Span, Tracer } from '../base/tracing.ts';
import type { CallRecord, Journal, TimelineEntry } from '../room/journal.ts';

interface OpenCall {
  readonly span: Span;
  readonly startedMs: number;
  /** When the caller's last words were complete, Unix ms; undefined: nobody waits for an answer. */
  heardMs: number | undefined;
}

export class CallTraces {
  readonly #tracer: Tracer;
  readonly #open = new Map<string, OpenCall>();

  constructor(journal: Journal, tracer: Tracer) {
    this.#tracer = tracer;
    journal.events.on('opened', (record) => this.#opened(record));
    journal.events.on('added', ({ callId, entry }) => this.#added(callId, entry));
    journal.events.on('closed', (record) => this.#closed(record));
  }

  /** For work that goes on elsewhere: jobs carry it. Empty when the call is not traced, or over. */
  traceparentOf(callId: string): string {
    return this.#open.get(callId)?.span.traceparent ?? '';
  }

  #opened(record: CallRecord): void {
    const { callId, sipCallId, tenant, trunk, profile, source = 'phone' } = record;
    const startedMs = Date.parse(record.startedAt);
    const attributes = { callId, sipCallId, tenant, trunk, profile, source };
    const span = this.#tracer.start('call', { kind: 'server', startMs: startedMs, attributes });
    this.#open.set(callId, { span, startedMs, heardMs: undefined });
  }

  #added(callId: string, entry: TimelineEntry): void {
    const call = this.#open.get(callId);
    if (call === undefined) return;
    const atMs = call.startedMs + entry.atMs;
    switch (entry.type) {
      case 'answered':
        this.#part(call, 'ringing', { startMs: call.startedMs, endMs: atMs });
        return;
      case 'heard':
        call.heardMs = atMs;
        return;
      case 'said': {
        // What was said stays in the journal: traces go to people who need not know it.
        const { responseMs, heardMs, interrupted } = entry;
        const attributes = { soundMs: heardMs, interrupted, ...(responseMs === null ? {} : { responseMs }) };
        this.#part(call, 'turn', { startMs: call.heardMs ?? atMs - heardMs, endMs: atMs, attributes });
        call.heardMs = undefined;
        return;
      }
      case 'tool':
        this.#part(call, `tool ${entry.name}`, { startMs: call.heardMs ?? atMs, endMs: atMs });
        return;
      case 'trouble':
        call.span.event('trouble', { code: entry.code, detail: entry.detail });
        return;
      default:
        call.span.event(entry.type);
    }
  }

  #part(
    call: OpenCall,
    name: string,
    part: { startMs: number; endMs: number; attributes?: Record<string, string | number | boolean> },
  ): void {
    const { startMs, endMs, attributes = {} } = part;
    const parent = call.span.traceparent;
    this.#tracer.start(name, { parent, startMs: Math.min(startMs, endMs), attributes }).end({ endMs });
  }

  #closed(record: CallRecord): void {
    const call = this.#open.get(record.callId);
    this.#open.delete(record.callId);
    if (call === undefined) return;
    const { ending, durationMs = 0 } = record;
    if (ending !== undefined) call.span.set({ ending: ending.slug, endingClass: ending.class });
    const failed = ending?.class === 'server' || ending?.class === 'upstream' ? ending.slug : undefined;
    const endMs = call.startedMs + durationMs;
    call.span.end({ endMs, ...(failed === undefined ? {} : { failed }) });
  }
}
