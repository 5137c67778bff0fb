import { describe, expect, it, onTestFinished } from 'vitest';
import { ending } from '../../../src/base/ending.ts';
import { createTracer, type Tracer } from '../../../src/base/tracing.ts';
import { CallTraces } from '../../../src/gateway/trace-calls.ts';
import { Journal, type CallOrigin } from '../../../src/room/journal.ts';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';

const origin: CallOrigin = {
  callId: 'call_1',
  sipCallId: 'abc',
  tenant: 'acme',
  trunk: 'carrier',
  from: '+15550100',
  to: '+15550199',
  profile: 'clinic',
};

async function traced(): Promise<{ receiver: OtlpReceiver; tracer: Tracer }> {
  const receiver = await OtlpReceiver.start();
  onTestFinished(() => receiver.close());
  const tracer = createTracer({ service: 'trunkline-gateway', version: '0.1.0', otlpUrl: receiver.url });
  return { receiver, tracer };
}

const only = (spans: ReceivedSpan[]): ReceivedSpan => {
  expect(spans).toHaveLength(1);
  return spans[0] as unknown as ReceivedSpan;
};

describe('a call as a trace', () => {
  it('has ringing, turns and tools below it, in one trace, and no word of what was said', async () => {
    const { receiver, tracer } = await traced();
    const journal = new Journal();
    const traces = new CallTraces(journal, tracer);
    journal.open(origin);
    expect(traces.traceparentOf('call_1')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    journal.add('call_1', { type: 'ringing' });
    journal.add('call_1', { type: 'answered' });
    journal.add('call_1', { type: 'heard', text: 'my name is secret' });
    journal.add('call_1', { type: 'tool', name: 'book_appointment', arguments: {}, result: { ok: true } });
    journal.add('call_1', {
      type: 'said',
      text: 'done, secret',
      heardMs: 800,
      interrupted: false,
      responseMs: 640,
    });
    journal.close('call_1', ending('agent-hung-up'));
    expect(traces.traceparentOf('call_1')).toBe('');
    await tracer.close();
    const call = only(receiver.named('call'));
    expect([...receiver.services]).toEqual(['trunkline-gateway']);
    expect(call.attributes).toMatchObject({ tenant: 'acme', sipCallId: 'abc', ending: 'agent-hung-up' });
    expect(call.status.code).toBe(0);
    for (const name of ['ringing', 'turn', 'tool book_appointment']) {
      const part = only(receiver.named(name));
      expect(part.traceId).toBe(call.traceId);
      expect(part.parentSpanId).toBe(call.spanId);
      expect(part.endTimeUnixNano).toBeGreaterThanOrEqual(part.startTimeUnixNano);
    }
    expect(only(receiver.named('turn')).attributes).toMatchObject({ responseMs: 640, soundMs: 800 });
    expect(JSON.stringify(receiver.spans)).not.toContain('secret');
  });

  it('is marked failed when we or what we depend on failed, with its troubles as events', async () => {
    const { receiver, tracer } = await traced();
    const journal = new Journal();
    const traces = new CallTraces(journal, tracer);
    journal.open(origin);
    journal.add('call_1', { type: 'trouble', code: 'MODEL_UNAVAILABLE', detail: 'no answer' });
    journal.close('call_1', ending('model-unavailable'));
    journal.add('call_1', { type: 'held' });
    await tracer.close();
    const call = only(receiver.named('call'));
    expect(call.status).toEqual({ code: 2, message: 'model-unavailable' });
    expect(call.events.map((event) => event.name)).toEqual(['trouble']);
    expect(traces.traceparentOf('call_1')).toBe('');
  });
});
