/** Sounds of the caller into a Live model’s words: what is made of them, and what the backend answers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  delegation_wait_ms_max,
  farewell_ms_max,
  heard_soon_ms,
  quiet_ms,
  wordless_ms,
} from '../../../src/agent/models/live/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import type { LiveConnection } from '../../support/realtime-server/live/connection.ts';
import { silence, sound, usage, words } from '../../support/realtime-server/live/spoken-events.ts';
import { openRecordedLive, type RecordedLive } from '../../support/realtime-server/open-recorded.ts';
import { liveScript, type LiveStep } from '../../support/realtime-server/script.ts';
import { startRealtimeServer, type RealtimeServer } from '../../support/realtime-server/server.ts';

let server: RealtimeServer;
let call: RecordedLive;
let far: LiveConnection;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});

afterEach(async () => {
  const closing = call.model.close();
  // A server that says nothing more does not keep the call.
  clock.advance(farewell_ms_max);
  await closing;
  expect(clock.pending).toBe(0);
  await server.close();
});

const resource = { id: 'sess_1', status: 'active', model: 'gpt-live-1', expires_at: 4e9 } as const;

async function open(steps: readonly LiveStep[]): Promise<void> {
  const started: LiveStep[] = [
    { until: 'session.start' },
    { send: { type: 'session.started', session: resource } },
  ];
  server = await startRealtimeServer({ behave: () => ({}), behaveLive: liveScript([...started, ...steps]) });
  call = await openRecordedLive({ baseUrl: server.baseUrl, clock });
  far = await server.liveConnection();
}

describe('a sound into the agent’s words', () => {
  const heardWords = (delta: string): LiveStep => ({
    send: { type: 'session.input_transcript.delta', delta, start_ms: 0, end_ms: 0 },
  });
  const delegation: LiveStep = {
    send: {
      type: 'session.delegation.created',
      offset_ms: 0,
      delegation: { id: 'dlg_1', type: 'delegation', target: 'client' },
    },
  };

  /** The agent is heard; the caller makes a short sound, and what the server makes of it comes. */
  async function speaksInto(...steps: LiveStep[]): Promise<string> {
    await open([
      { send: words('A long story ') },
      { send: sound(300) },
      { until: 'session.thinking.append' },
      ...steps,
      { send: usage(1) },
      { until: 'session.commentary.append' },
      { send: sound(300) },
      { send: silence(quiet_ms) },
    ]);
    const { itemId } = await call.nth('replyStarted');
    await call.nth('audio');
    call.session.agentSpeaking?.(true);
    call.session.callerSpeaking(true);
    call.session.callerSpeaking(false);
    far.take({ type: 'session.thinking.append', content: 'x', delegation_id: null });
    await call.nth('usage');
    return itemId;
  }

  it.each([
    ['mhm', [heardWords('mhm '), delegation]],
    ['', [delegation]],
  ])('%j is told soon, and when it is ignored the backend answers nothing', async (text, steps) => {
    const itemId = await speaksInto(...steps);
    call.onHeard = ({ utteranceId }) => call.session.ignore?.(utteranceId);
    clock.advance(text === '' ? wordless_ms : heard_soon_ms);
    expect(call.all('heard').at(-1)).toMatchObject({ text, final: true });
    clock.advance(delegation_wait_ms_max);
    expect(await far.nth('session.thinking.append', 2)).toMatchObject({ delegation_id: 'dlg_1' });
    expect(far.all('session.commentary.append')).toEqual([]);
    far.take({ type: 'session.commentary.append', content: 'x', delegation_id: null });
    expect(await call.nth('replyDone')).toEqual({ itemId, interrupted: false });
    expect(call.soundOf(itemId)).toHaveLength((600 + quiet_ms) * 8);
  });

  it('that is words is answered by the backend once the agent is heard no more', async () => {
    const itemId = await speaksInto(heardWords('no '), delegation);
    call.session.interrupt(itemId, 100);
    clock.advance(10);
    expect(far.all('session.commentary.append')).toEqual([]);
    call.session.agentSpeaking?.(false);
    clock.advance(delegation_wait_ms_max);
    expect((await far.nth('session.commentary.append')).delegation_id).toBe('dlg_1');
    expect(await call.nth('replyDone')).toEqual({ itemId, interrupted: true });
  });
});
