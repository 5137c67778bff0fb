import { describe, expect, it } from 'vitest';
import { Api } from '../../../console/console/api.ts';
import { after, eventOf, readLive, type LiveCalls, type LiveEvent } from '../../../console/console/live.ts';

const block = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}`;

const opened = (callId: string): Record<string, unknown> => ({
  ...{ call_id: callId, source: 'phone', from_number: '+1555', to_number: '+1556', profile: 'clinic' },
  started_at: '2026-11-26T10:00:00.000Z',
});

const event = (name: string, data: unknown): LiveEvent => {
  const parsed = eventOf(block(name, data));
  if (parsed === undefined) throw new Error(`no event: ${name}`);
  return parsed;
};

const all = (...events: LiveEvent[]): LiveCalls => events.reduce<LiveCalls>(after, new Map());

describe('a block of the stream', () => {
  it.each([
    ['a comment', ': here'],
    ['nothing', ''],
    ['an event of a later version', block('mood', { call_id: 'x' })],
    ['a name of every object', block('constructor', {})],
    ['no data', 'event: opened'],
    ['data that is no JSON', 'event: opened\ndata: {'],
    ['data of another shape', block('opened', { call_id: 7 })],
    ['a caption of nobody', block('caption', { call_id: 'x', who: 'ghost', text: '', final: true })],
  ])('that is %s is passed over', (_what, text) => {
    expect(eventOf(text)).toBeUndefined();
  });

  it('that is an event is read', () => {
    expect(event('closed', { call_id: 'x', ending: 'caller-hung-up' })).toEqual({
      name: 'closed',
      data: { call_id: 'x', ending: 'caller-hung-up' },
    });
  });
});

describe('what is open', () => {
  it('begins with the snapshot, words and state included', () => {
    const timeline = [
      { type: 'ringing', atMs: 0 },
      { type: 'answered', atMs: 10 },
      { type: 'said', atMs: 20, text: 'Hello' },
      { type: 'heard', atMs: 30, text: 'Hi' },
      { type: 'tool', atMs: 40 },
    ];
    const calls = all(event('snapshot', { calls: [{ ...opened('one'), timeline }] }));
    expect(calls.get('one')).toMatchObject({
      from: '+1555',
      state: 'answered',
      lines: [
        { who: 'agent', text: 'Hello' },
        { who: 'visitor', text: 'Hi' },
      ],
    });
  });

  it('forgets what a new snapshot does not hold: the stream was away', () => {
    const calls = all(event('opened', opened('old')), event('snapshot', { calls: [] }));
    expect(calls.size).toBe(0);
  });

  it('grows and shrinks with calls, and leaves the map before as it was', () => {
    const before = all(event('opened', opened('one')));
    const next = after(before, event('opened', opened('two')));
    expect([...before.keys()]).toEqual(['one']);
    expect([...next.keys()]).toEqual(['one', 'two']);
    expect([...after(next, event('closed', { call_id: 'one', ending: null })).keys()]).toEqual(['two']);
  });

  it('replaces the text of an utterance until it is final, each in its place', () => {
    const caption = (who: string, utteranceId: string, text: string, final: boolean): LiveEvent =>
      event('caption', { call_id: 'one', who, utteranceId, text, final });
    const calls = all(
      event('opened', opened('one')),
      caption('visitor', 'u1', 'I wou', false),
      caption('agent', 'a1', 'Sure', true),
      caption('visitor', 'u1', 'I would like', true),
    );
    expect(calls.get('one')?.lines).toEqual([
      { who: 'visitor', text: 'I would like', final: true, utteranceId: 'u1' },
      { who: 'agent', text: 'Sure', final: true, utteranceId: 'a1' },
    ]);
  });

  it('keeps the latest lines of a long talk', () => {
    const talk = Array.from({ length: 80 }, (_, at) =>
      event('caption', { call_id: 'one', who: 'agent', utteranceId: `u${at}`, text: `${at}`, final: true }),
    );
    const lines = all(event('opened', opened('one')), ...talk).get('one')?.lines ?? [];
    expect(lines).toHaveLength(50);
    expect(lines.at(-1)?.text).toBe('79');
  });

  it('has the state that happened last; words and tools are none', () => {
    const added = (type: string): LiveEvent => event('added', { call_id: 'one', entry: { type, atMs: 1 } });
    const start = event('opened', opened('one'));
    expect(all(start).get('one')?.state).toBe('ringing');
    expect(all(start, added('answered'), added('heard'), added('tool')).get('one')?.state).toBe('answered');
    expect(all(start, added('answered'), added('held')).get('one')?.state).toBe('held');
  });

  it('takes no notice of calls that it does not know', () => {
    const calls = all(event('opened', opened('one')));
    const ghost = { call_id: 'ghost', entry: { type: 'held', atMs: 1 } };
    expect(after(calls, event('added', ghost))).toBe(calls);
  });
});

describe('reading', () => {
  const answer = (...chunks: string[]): typeof fetch => {
    const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const chunk of bytes) controller.enqueue(chunk);
        controller.close();
      },
    });
    return () => Promise.resolve(new Response(body));
  };
  const read = async (...chunks: string[]): Promise<string[]> => {
    const told: string[] = [];
    const api = new Api('key', answer(...chunks));
    await readLive(api, new AbortController().signal, ({ name }) => told.push(name));
    return told;
  };

  it('finds events wherever the stream was cut', async () => {
    const end = { call_id: 'one', ending: null };
    const whole = `${block('opened', opened('one'))}\n\n: here\n\n${block('closed', end)}\n\n`;
    expect(await read(whole)).toEqual(['opened', 'closed']);
    expect(await read(...(whole.match(/[^]/g) ?? []))).toEqual(['opened', 'closed']);
  });

  it('believes no event that is not whole', async () => {
    expect(await read(block('opened', opened('one')))).toEqual([]);
  });

  it('keeps letters of several bytes whole', async () => {
    const said = { call_id: 'one', who: 'agent', utteranceId: 'u', text: 'Grüß Gott 👋', final: true };
    const text = `${block('caption', said)}\n\n`;
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const told: LiveEvent[] = [];
    const api = new Api('key', () => Promise.resolve(new Response(body)));
    await readLive(api, new AbortController().signal, (one) => told.push(one));
    expect(told).toMatchObject([{ data: { text: 'Grüß Gott 👋' } }]);
  });
});
