import { createServer } from 'node:http';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTracer, noTracer, type Tracer } from '../../../src/base/tracing.ts';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';

const SERVER = 2;
const CONSUMER = 5;
const INTERNAL = 1;
const FAILED = 2;

async function traced(): Promise<{ receiver: OtlpReceiver; tracer: Tracer }> {
  const receiver = await OtlpReceiver.start();
  onTestFinished(() => receiver.close());
  return {
    receiver,
    tracer: createTracer({ service: 'a-service', version: '1.2.3', otlpUrl: receiver.url }),
  };
}

const only = (spans: ReceivedSpan[]): ReceivedSpan => {
  expect(spans).toHaveLength(1);
  return spans[0] as unknown as ReceivedSpan;
};

/** Answers every request with a status, or never. */
async function receiverThat(answers: number | 'never'): Promise<string> {
  const server = createServer((_request, response) => {
    if (answers === 'never') return;
    response.statusCode = answers;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' ? `http://127.0.0.1:${address?.port}/v1/traces` : '';
}

describe('a span', () => {
  it('arrives with its service, kind, times, attributes and events', async () => {
    const { receiver, tracer } = await traced();
    const startMs = Date.UTC(2026, 0, 1);
    const span = tracer.start('call', {
      kind: 'server',
      startMs,
      attributes: { tenant: 'acme', legs: 2, web: false },
    });
    span.event('held', { by: 'caller' });
    span.set({ ending: 'caller-hung-up' });
    span.end({ endMs: startMs + 1500 });
    await tracer.close();
    const received = only(receiver.named('call'));
    expect([...receiver.services]).toEqual(['a-service']);
    expect(received).toMatchObject({
      kind: SERVER,
      attributes: { tenant: 'acme', legs: 2, web: false, ending: 'caller-hung-up' },
      events: [{ name: 'held' }],
      status: { code: 0 },
    });
    expect(received.startTimeUnixNano / 1e6).toBe(startMs);
    expect((received.endTimeUnixNano - received.startTimeUnixNano) / 1e6).toBe(1500);
  });

  it('is our own doing unless it says otherwise, and says why it failed', async () => {
    const { receiver, tracer } = await traced();
    tracer.start('work').end({ failed: 'the disk is full' });
    await tracer.close();
    expect(only(receiver.named('work'))).toMatchObject({
      kind: INTERNAL,
      status: { code: FAILED, message: 'the disk is full' },
    });
  });

  it('goes on in whoever takes its traceparent', async () => {
    const { receiver, tracer } = await traced();
    const span = tracer.start('call', { kind: 'server' });
    expect(span.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    tracer.start('job sms', { kind: 'consumer', parent: span.traceparent }).end();
    span.end();
    await tracer.close();
    const [call, sms] = [only(receiver.named('call')), only(receiver.named('job sms'))];
    expect(sms.kind).toBe(CONSUMER);
    expect(sms.traceId).toBe(call.traceId);
    expect(sms.parentSpanId).toBe(call.spanId);
  });

  it.each([
    ['nothing', ''],
    ['words', 'of an older version'],
    ['another version', `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['capital letters', `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`],
    ['a short trace id', `00-${'a'.repeat(31)}-${'b'.repeat(16)}-01`],
    ['more behind it', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01-x`],
  ])('begins a trace of its own where the parent is %s', async (_what, parent) => {
    const { receiver, tracer } = await traced();
    tracer.start('job crm', { parent }).end();
    await tracer.close();
    const received = only(receiver.named('job crm'));
    expect(received.parentSpanId ?? '').toBe('');
    expect(received.traceId).not.toBe('a'.repeat(32));
  });

  it('tells which traces are not to be kept, as its parent said', async () => {
    const { receiver, tracer } = await traced();
    const parent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    const span = tracer.start('job crm', { parent });
    expect(span.traceparent).toMatch(new RegExp(`^00-${'a'.repeat(32)}-[0-9a-f]{16}-00$`));
    span.end();
    await tracer.close();
    expect(receiver.spans).toEqual([]);
  });
});

describe('without a receiver', () => {
  it('nothing is recorded, and every span is the same one', async () => {
    const tracer = createTracer({ service: 'x', version: '1', otlpUrl: '' });
    const span = tracer.start('call');
    expect(span.traceparent).toBe('');
    span.event('x');
    span.set({ a: 1 });
    span.end({ failed: 'no' });
    expect(noTracer.start('y')).toBe(span);
    await expect(tracer.close()).resolves.toBeUndefined();
  });

  it('that can be reached the end still comes', async () => {
    const receiver = await OtlpReceiver.start();
    await receiver.close();
    const tracer = createTracer({ service: 'x', version: '1', otlpUrl: receiver.url });
    tracer.start('call').end();
    await expect(tracer.close()).resolves.toBeUndefined();
  });

  it.each([500, 400, 'never'] as const)('that takes anything (%s) the end still comes', async (answers) => {
    const otlpUrl = await receiverThat(answers);
    const tracer = createTracer({ service: 'x', version: '1', otlpUrl, exportTimeoutMs: 200 });
    tracer.start('call').end();
    await expect(tracer.close()).resolves.toBeUndefined();
  });
});
