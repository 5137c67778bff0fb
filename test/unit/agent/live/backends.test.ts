/** The two backends of a Live conversation: the profile's tasks here, and a text model at the vendor. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackendHands } from '../../../../src/agent/models/live/backend.ts';
import type { ClientEvent } from '../../../../src/agent/models/live/client-events.ts';
import { delegation_settle_ms, delegation_wait_ms_max } from '../../../../src/agent/models/live/limits.ts';
import { ResponsesBackend } from '../../../../src/agent/models/live/responses-backend.ts';
import { TaskBackend } from '../../../../src/agent/models/live/task-backend.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { clinicProfile } from '../../../integration/agent/simulated-call.ts';

let clock: ManualClock;
let said: { text: string; delegationId: string | null }[];
let thought: { text: string; delegationId: string | null }[];
let calls: Parameters<BackendHands['call']>[0][];
let used: object[];
let failures: string[];

const hands: BackendHands = {
  say: (text, delegationId) => said.push({ text, delegationId }),
  think: (text, delegationId) => thought.push({ text, delegationId }),
  call: (call) => calls.push(call),
  used: (usage) => used.push(usage),
  failed: (detail) => failures.push(detail),
};

beforeEach(() => {
  clock = new ManualClock();
  said = [];
  thought = [];
  calls = [];
  used = [];
  failures = [];
});

describe('the backend of tasks', () => {
  let backend: TaskBackend;

  beforeEach(() => {
    backend = new TaskBackend({
      profile: clinicProfile(),
      now: () => new Date('2026-11-23T09:00:00Z'),
      clock,
      hands,
    });
  });

  /** The caller says something, and the voice model hands it over. */
  const delegate = (words: string, id: string): void => {
    for (const word of words.split(' ')) backend.heard(`${word} `);
    backend.delegated(id);
    clock.advance(delegation_settle_ms);
  };

  it('asks for what is missing, as the answer to the delegation', () => {
    delegate('i would like an appointment tomorrow at ten', 'dlg_1');
    expect(said).toEqual([{ text: expect.stringContaining('name') as string, delegationId: 'dlg_1' }]);
  });

  it('waits for words that come after the delegation, and for the last of them', () => {
    backend.delegated('dlg_1');
    clock.advance(delegation_wait_ms_max - 500);
    backend.heard('what are your ');
    clock.advance(delegation_settle_ms - 1);
    backend.heard('opening hours ');
    clock.advance(delegation_settle_ms - 1);
    expect(said).toEqual([]);
    clock.advance(1);
    expect(said).toMatchObject([{ text: expect.stringContaining('Monday') as string }]);
  });

  it('answers in the end when no words come', () => {
    backend.delegated('dlg_1');
    clock.advance(delegation_wait_ms_max);
    expect(said).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('takes words for one delegation only', () => {
    delegate('what are your opening hours', 'dlg_1');
    delegate('no thank you', 'dlg_2');
    expect(said.at(-1)).toMatchObject({ delegationId: 'dlg_2' });
    expect(calls).toMatchObject([{ name: 'hang_up' }]);
  });

  it('books by the profile’s tool, says what came of it, and says goodbye', () => {
    delegate('i would like an appointment tomorrow at ten', 'dlg_1');
    delegate('my name is laura smith', 'dlg_2');
    delegate('yes that is right', 'dlg_3');
    expect(calls).toMatchObject([
      { name: 'book_appointment', arguments: { name: 'Laura Smith', day: '2026-11-24', time: '10:00' } },
    ]);
    backend.toolResult(calls[0]?.callId ?? '', {
      ok: true,
      name: 'Laura Smith',
      day: '2026-11-24',
      time: '10:00',
    });
    expect(said.at(-1)).toMatchObject({
      text: expect.stringContaining('booked') as string,
      delegationId: 'dlg_3',
    });
    delegate('no thank you', 'dlg_4');
    expect(said.at(-1)?.text).toContain('Goodbye');
    expect(calls.at(-1)).toMatchObject({
      name: 'hang_up',
      arguments: { reason: expect.any(String) as string },
    });
  });

  it('goes on when the caller speaks after the goodbye', () => {
    delegate('what are your opening hours', 'dlg_1');
    delegate('no thank you', 'dlg_2');
    backend.toolResult(calls[0]?.callId ?? '', { ok: false });
    delegate('where is the clinic', 'dlg_3');
    expect(said.at(-1)).toMatchObject({ delegationId: 'dlg_3' });
    expect(said.at(-1)?.text).toContain('Harbour Street');
  });

  it('understands keys where a read-back asks for yes or no', () => {
    delegate('i would like an appointment tomorrow at ten', 'dlg_1');
    delegate('my name is laura smith', 'dlg_2');
    backend.digit('1');
    expect(calls).toMatchObject([{ name: 'book_appointment' }]);
  });

  describe('words that were a mere "mhm"', () => {
    const NOTHING = expect.stringContaining('Nothing is to be answered') as string;

    it('are no task: a delegation that comes for them is told so', () => {
      backend.heard('mhm ');
      backend.forget('mhm');
      backend.delegated('dlg_1');
      clock.advance(delegation_wait_ms_max);
      expect(said).toEqual([]);
      expect(thought).toEqual([{ text: NOTHING, delegationId: 'dlg_1' }]);
    });

    it('end a delegation that waits for words', () => {
      backend.delegated('dlg_1');
      backend.forget('');
      expect(thought).toEqual([{ text: NOTHING, delegationId: 'dlg_1' }]);
      expect(clock.pending).toBe(0);
      expect(said).toEqual([]);
    });

    it('leave the words before and after them', () => {
      backend.heard('what are your opening hours ');
      backend.heard('mhm ');
      backend.forget('mhm');
      backend.delegated('dlg_1');
      clock.advance(delegation_settle_ms);
      expect(said).toMatchObject([{ text: expect.stringContaining('Monday') as string }]);
      backend.heard('mhm ');
      backend.forget('mhm');
      delegate('no thank you', 'dlg_2');
      expect(calls).toMatchObject([{ name: 'hang_up' }]);
      expect(thought).toEqual([]);
    });
  });

  it('goes on with what the caller said to another session, or has it said again', () => {
    backend.resume([{ from: 'caller', text: 'What are your opening hours?' }]);
    expect(said.at(-1)).toMatchObject({ text: expect.stringContaining('Monday') as string });
    backend.resume([{ from: 'agent', text: 'We are open' }]);
    expect(said.at(-1)?.text).toContain('Monday');
    expect(said.map((one) => one.delegationId)).toEqual([null, null]);
  });

  it('passes a notice on to the voice model, and asks again what it asked last', () => {
    delegate('i would like an appointment tomorrow at ten', 'dlg_1');
    backend.notice('The colleague has left the call.');
    expect(thought).toEqual([{ text: 'The colleague has left the call.', delegationId: null }]);
    expect(said[1]).toEqual(said[0]);
  });

  it('leaves no timer behind', () => {
    backend.delegated('dlg_1');
    backend.close();
    expect(clock.pending).toBe(0);
    backend.event();
  });
});

describe('the backend at the vendor', () => {
  let sent: ClientEvent[];
  let backend: ResponsesBackend;

  beforeEach(() => {
    sent = [];
    backend = new ResponsesBackend({ clock, hands, send: (event) => sent.push(event) });
  });

  const call = (callId: string): void =>
    backend.event({
      type: 'response.output_item.done',
      item: { type: 'function_call', name: 'book', call_id: callId, arguments: '{"day":1}' },
    });

  it('calls our tools, and goes on when all are answered and its response is over', () => {
    backend.delegated();
    backend.heard();
    backend.forget();
    call('call_1');
    call('call_2');
    expect(calls).toEqual([
      { callId: 'call_1', name: 'book', arguments: { day: 1 } },
      { callId: 'call_2', name: 'book', arguments: { day: 1 } },
    ]);
    backend.event({ type: 'response.completed', response: { usage: { input_tokens: 7 } } });
    expect(used).toEqual([{ input_tokens: 7 }]);
    backend.toolResult('call_1', { ok: true });
    backend.toolResult('call_2', { ok: false });
    expect(sent.map((event) => event.type)).toEqual([
      'response.item.create',
      'response.item.create',
      'response.create',
    ]);
  });

  it.each([
    ['a notice', (): void => backend.notice('It rains.'), '[It rains.]'],
    ['a conversation of before', (): void => backend.resume(), 'The line broke off'],
  ])('learns of %s, and goes on', (_what, tell, words) => {
    tell();
    expect(sent).toMatchObject([
      { type: 'response.item.create', item: { content: expect.stringContaining(words) as string } },
      { type: 'response.create' },
    ]);
  });

  it('answers a call once, however often it is told or answered', () => {
    call('call_1');
    call('call_1');
    backend.event({ type: 'response.completed' });
    backend.toolResult('call_1', 1);
    backend.toolResult('call_1', 2);
    expect(calls).toHaveLength(1);
    expect(sent).toHaveLength(2);
    expect(used).toEqual([]);
  });

  it('says why a response came to nothing', () => {
    backend.event({ type: 'response.failed', response: { error: { code: 'server_error' } } });
    backend.event({ type: 'response.incomplete' });
    expect(failures).toEqual(['response.failed: server_error', 'response.incomplete: no cause']);
  });

  it('does not mind the many events that are of no use', () => {
    backend.event({ type: 'response.output_text.delta' });
    backend.event({ type: 'response.output_item.done', item: { type: 'reasoning' } });
    backend.event({ type: 'response.output_item.done' });
    expect([calls, sent, failures]).toEqual([[], [], []]);
  });

  it('is told keys together, and asked to go on', () => {
    backend.digit('4');
    backend.digit('2');
    clock.advance(5000);
    expect(sent).toEqual([
      {
        type: 'response.item.create',
        item: { type: 'message', role: 'user', content: '[The caller pressed the keys 42]' },
      },
      { type: 'response.create' },
    ]);
    backend.digit('1');
    backend.close();
    expect(clock.pending).toBe(0);
  });
});
