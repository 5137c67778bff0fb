/** What a session tells of its own life, and how one takes a conversation over from another. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expiry_notice_ms } from '../../../src/agent/models/voice-socket/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openRecorded, type RecordedRealtime } from '../../support/realtime-server/open-recorded.ts';
import { script, type Step } from '../../support/realtime-server/script.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';

const now_s = Date.parse('2026-11-23T09:00:00Z') / 1000;

let server: RealtimeServer;
let call: RecordedRealtime;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

afterEach(async () => {
  await call.model.close();
  expect(call.model.openSessions).toBe(0);
  expect(clock.pending).toBe(0);
  await server.close();
});

/** A session that the server will end at `expires_at`. */
const begun = (expires_at: number): Step[] => [
  { send: (far) => ({ type: 'session.created', session: { ...far.session, expires_at } as never }) },
  { until: 'session.update' },
  { send: (far) => ({ type: 'session.updated', session: far.session }) },
];

async function open(
  steps: readonly Step[],
  options: Partial<Parameters<typeof openRecorded>[0]> = {},
): Promise<void> {
  server = await startRealtimeServer({ behave: script(steps) });
  call = await openRecorded({ baseUrl: server.baseUrl, clock, ...options });
}

describe('a session that the vendor will end', () => {
  it('says so once, while there is time to open another', async () => {
    await open(begun(now_s + expiry_notice_ms / 1000 + 5));
    clock.advance(4999);
    expect(call.all('expiring')).toEqual([]);
    clock.advance(1);
    expect(call.all('expiring')).toEqual([{ leftMs: expiry_notice_ms }]);
    expect(call.all('failed')).toEqual([]);
  });

  it('says so at once when little is left', async () => {
    await open(begun(now_s + 30));
    clock.advance(0);
    expect(call.all('expiring')).toEqual([{ leftMs: 30_000 }]);
  });

  it('says nothing when its clock is years off', async () => {
    await open(begun(now_s * 1000));
    clock.advance(9000);
    expect(call.all('expiring')).toEqual([]);
  });

  it('fails as one that may be opened again when it is ended', async () => {
    await open([
      ...begun(now_s + 3600),
      {
        send: {
          type: 'error',
          error: { type: 'invalid_request_error', code: 'session_expired', message: 'Time is up.' },
        },
      },
    ]);
    expect(await call.nth('failed')).toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
  });
});

describe('a session that takes a conversation over', () => {
  it('tells it before anything is asked for', async () => {
    await open(begun(now_s + 3600), {
      history: [
        { from: 'agent', text: 'Good morning.' },
        { from: 'caller', text: 'An appointment, please.' },
      ],
    });
    call.session.say('I am back.');
    const far = await server.connection();
    await far.nth('response.create');
    const types = far.received.map((event) => event.type);
    expect(types).toEqual([
      'session.update',
      'conversation.item.create',
      'conversation.item.create',
      'response.create',
    ]);
    expect(far.all('conversation.item.create').map((event) => event.item)).toMatchObject([
      { role: 'assistant', content: [{ text: 'Good morning.' }] },
      { role: 'user', content: [{ text: 'An appointment, please.' }] },
    ]);
    expect(far.refused).toEqual([]);
  });
});

describe('the vendor’s limits', () => {
  it('are told after each response', async () => {
    await open([
      ...begun(now_s + 3600),
      {
        send: {
          type: 'rate_limits.updated',
          rate_limits: [{ name: 'tokens', limit: 50_000, remaining: 49_950, reset_seconds: 0.06 }],
        },
      },
    ]);
    expect(await call.nth('rateLimits')).toEqual({
      limits: [{ name: 'tokens', limit: 50_000, remaining: 49_950, resetMs: 60 }],
    });
  });
});
