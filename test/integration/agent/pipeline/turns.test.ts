import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  fixed_pieces,
  openRecordedPipeline,
  type RecordedPipeline,
  settingsFor,
} from '../../../support/openai-server/open-recorded.ts';
import {
  after,
  calls,
  hears,
  ms_per_char,
  says,
  saysSlowly,
  speaks,
  speaksHalf,
} from '../../../support/openai-server/replies.ts';
import { startOpenAiServer, type OpenAiServer } from '../../../support/openai-server/server.ts';
import { until } from '../../../support/until.ts';

let server: OpenAiServer;
let call: RecordedPipeline;

beforeEach(async () => {
  server = await startOpenAiServer({
    apiKey: 'test-key',
    transcribe: hears('I need an appointment.'),
    chat: says('Of course.'),
    speak: speaks(),
  });
});

afterEach(async () => {
  await call.model.close();
  expect(call.model.openSessions).toBe(0);
  expect(server.refused).toEqual([]);
  await server.close();
});

const open = async (): Promise<void> => {
  call = await openRecordedPipeline({ settings: settingsFor([server.baseUrl]) });
};

/** The messages of the `count`-th request to the chat model, one line each, the instructions aside. */
const asked = async (count: number): Promise<string[]> => {
  const { body } = await server.chat.nth(count);
  return body.messages.slice(1).map((message) => `${message.role}: ${message.content ?? '-'}`);
};

describe('a sound into the agent’s words', () => {
  /** The agent is heard, and the model is still writing; the caller says something meanwhile. */
  async function saidMeanwhile(
    words: string,
    decide: (utteranceId: string, itemId: string) => void,
  ): Promise<{ itemId: string; goOn: () => void }> {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(
      saysSlowly('We are open from eight to six. On', gate.promise, ' Sundays we are closed.'),
    );
    await open();
    call.speak();
    const { itemId } = await call.nth('replyStarted');
    await call.nth('audio');
    server.transcription.plan(hears(words));
    call.onHeard = ({ utteranceId }) => decide(utteranceId, itemId);
    call.session.agentSpeaking?.(true);
    call.speak(300);
    await call.nth('heard', 2);
    return { itemId, goOn: () => gate.resolve(undefined) };
  }

  it.each(['Mhm.', ''])(
    '%j that is to be ignored takes nothing back, and nobody answers it',
    async (words) => {
      const { itemId, goOn } = await saidMeanwhile(words, (utteranceId) =>
        call.session.ignore?.(utteranceId),
      );
      goOn();
      const reply = await call.replied('closed.');
      expect(reply.itemId).toBe(itemId);
      expect(call.all('replyDone')).toEqual([{ itemId, interrupted: false }]);
      call.session.agentSpeaking?.(false);
      call.onHeard = () => undefined;
      call.speak();
      await call.replied('Of course.');
      // The conversation does not know of it either.
      expect(await asked(2)).toEqual([
        'user: I need an appointment.',
        'assistant: We are open from eight to six. On Sundays we are closed.',
        'user: I need an appointment.',
      ]);
      expect(server.chat.exchanges).toHaveLength(2);
    },
  );

  it('that is words cuts the reply, and is answered', async () => {
    const { itemId } = await saidMeanwhile('Stop.', (_utteranceId, sounding) =>
      call.session.interrupt(sounding, 10 * ms_per_char),
    );
    expect(await call.nth('replyDone')).toEqual({ itemId, interrupted: true });
    await call.replied('Of course.');
    expect(await asked(2)).toEqual(['user: I need an appointment.', 'assistant: We are…', 'user: Stop.']);
  });

  it('takes an answer back that nobody has heard, once the agent is heard no more', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(after(gate.promise, says('Too late.')));
    await open();
    call.speak();
    const thinking = await server.chat.nth();
    // A filler of the voice sounds, which the session knows nothing of.
    call.session.agentSpeaking?.(true);
    call.startSpeaking();
    expect(thinking.gone.aborted).toBe(false);
    call.session.agentSpeaking?.(false);
    await until('the answer is taken back', () => thinking.gone.aborted);
    call.stopSpeaking();
    await call.replied('Of course.');
    gate.resolve(undefined);
    expect(await asked(2)).toEqual(['user: I need an appointment. I need an appointment.']);
  });
});

describe('an interruption', () => {
  const long = 'We are open from eight in the morning until six in the evening. On Sundays we are closed.';

  it('stops what is under way, and the model remembers what was heard', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(saysSlowly(`${long} And`, gate.promise, ' so on.'));
    await open();
    call.speak();
    const { itemId } = await call.nth('replyStarted');
    await call.nth('audio', 3);
    call.startSpeaking();
    call.session.interrupt(itemId, 20 * ms_per_char);
    const chat = await server.chat.nth();
    call.stopSpeaking();
    await call.replied('Of course.');
    expect(chat.gone.aborted).toBe(true);
    expect(await call.nth('replyDone')).toEqual({ itemId, interrupted: true });
    expect(await asked(2)).toEqual([
      'user: I need an appointment.',
      'assistant: We are open from…',
      'user: I need an appointment.',
    ]);
    gate.resolve(undefined);
  });

  it('is counted over sentences, also when all had been said long ago', async () => {
    server.chat.plan(says(long));
    await open();
    call.speak();
    const { itemId } = await call.replied('closed.');
    const firstMs = long.indexOf(' On Sundays') * ms_per_char;
    call.session.interrupt(itemId, firstMs + 11 * ms_per_char);
    call.speak();
    await call.replied('Of course.');
    expect(await asked(2)).toContain(
      'assistant: We are open from eight in the morning until six in the evening. On Sundays…',
    );
  });

  it('before anything was heard leaves nothing behind', async () => {
    server.chat.plan(says(long));
    await open();
    call.speak();
    const { itemId } = await call.replied('closed.');
    call.session.interrupt(itemId, 0);
    call.speak();
    await call.replied('Of course.');
    expect(await asked(2)).toEqual(['user: I need an appointment. I need an appointment.']);
  });

  it('cancels the sound that is being synthesised, and drops what comes late', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(says(long));
    await open();
    server.speech.plan(speaksHalf(gate.promise), speaksHalf(gate.promise));
    call.speak();
    const { itemId } = await call.nth('replyStarted');
    const speech = server.speech.exchanges.find(({ body }) => body.input.startsWith('We are open'));
    const heard = call.msOf(itemId);
    call.session.interrupt(itemId, heard);
    gate.resolve(undefined);
    call.speak();
    await call.replied('Of course.');
    expect(speech?.gone.aborted).toBe(true);
    expect(call.msOf(itemId)).toBe(heard);
  });

  it('takes back what waited to be said', async () => {
    server.chat.plan(says(long));
    await open();
    call.speak();
    const { itemId } = await call.nth('replyStarted');
    call.session.say('One moment, please.');
    call.session.interrupt(itemId, 100);
    call.speak();
    await call.replied('Of course.');
    expect(call.all('said').some((one) => one.text === 'One moment, please.')).toBe(false);
    expect((await asked(2)).join()).not.toContain('One moment');
  });

  it('of an unknown reply is ignored', async () => {
    await open();
    call.session.interrupt('nobody', 100);
    call.speak();
    await call.replied('Of course.');
  });
});

describe('tools', () => {
  const book = {
    name: 'book',
    given: '{"day":"monday","note":"long enough to come in pieces"}',
    id: 'call_a',
  };

  it('are called with assembled arguments, and their results answered', async () => {
    server.chat.plan(calls({ ...book, before: 'Let me see.' }), says('Booked for Monday.'));
    await open();
    call.speak();
    const wanted = await call.nth('toolCall');
    expect(wanted).toEqual({ callId: 'call_a', name: 'book', arguments: JSON.parse(book.given) as unknown });
    call.session.say('One moment, please.');
    call.session.toolResult(wanted.callId, { ok: true });
    await call.replied('Booked for Monday.');
    expect(
      call
        .all('said')
        .filter((one) => one.final)
        .map((one) => one.text),
    ).toEqual(['Let me see.', 'One moment, please.', 'Booked for Monday.']);
    expect(await asked(2)).toEqual([
      'user: I need an appointment.',
      'assistant: Let me see. One moment, please.',
      'tool: {"ok":true}',
    ]);
  });

  it('may be several at a time; the model hears all results together', async () => {
    server.chat.plan(calls(book, { name: 'book', given: '', id: 'call_b' }), says('Both are booked.'));
    await open();
    call.speak();
    await call.nth('toolCall', 2);
    call.session.toolResult('call_b', 2);
    call.session.toolResult('call_b', 'twice');
    call.session.toolResult('unknown', 3);
    call.session.toolResult('call_a', 1);
    await call.replied('Both are booked.');
    expect((await asked(2)).slice(2)).toEqual(['tool: 1', 'tool: 2']);
  });

  it('may be called in rounds, and in the last round the model may only speak', async () => {
    server.chat.otherwise = (exchange) =>
      exchange.body.tool_choice === 'none'
        ? says('Enough.')(exchange)
        : calls({ ...book, id: 'same' })(exchange);
    await open();
    call.speak();
    for (let round = 1; round <= 3; round += 1) {
      const { callId } = await call.nth('toolCall', round);
      call.session.toolResult(callId, { round });
    }
    await call.replied('Enough.');
    expect(server.chat.exchanges).toHaveLength(4);
    expect(new Set(call.all('toolCall').map((one) => one.callId)).size).toBe(3);
  });

  it('with arguments that are none are refused, and the model told so', async () => {
    server.chat.plan(calls({ ...book, given: '{"day":' }), says('Sorry, which day?'));
    await open();
    call.speak();
    await call.replied('Sorry, which day?');
    expect(call.all('toolCall')).toEqual([]);
    expect((await asked(2)).at(-1)).toContain('not a JSON object');
  });

  it('go on when the caller speaks meanwhile, and both are answered together', async () => {
    server.transcription.plan(hears('Book it.'), hears('Are you there?'));
    server.chat.plan(calls(book), says('Yes, and it is booked.'));
    await open();
    call.speak();
    const { callId } = await call.nth('toolCall');
    call.speak();
    await call.nth('heard', 2);
    call.session.toolResult(callId, { ok: true });
    await call.replied('Yes, and it is booked.');
    expect((await asked(2)).slice(2)).toEqual(['tool: {"ok":true}', 'user: Are you there?']);
    expect(server.chat.exchanges).toHaveLength(2);
  });

  it('whose result comes while the caller speaks are told after the caller’s words', async () => {
    server.transcription.plan(hears('Book it.'), hears('No, wait.'));
    server.chat.plan(calls(book), says('I waited.'));
    await open();
    call.speak();
    const { callId } = await call.nth('toolCall');
    call.startSpeaking();
    call.session.toolResult(callId, { ok: true });
    call.stopSpeaking();
    await call.replied('I waited.');
    expect((await asked(2)).at(-1)).toBe('user: No, wait.');
  });

  it('hang up no more when the caller speaks before the goodbye is on its way', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(calls({ name: 'hang_up', given: '{}', id: 'bye', before: 'Farewell.' }));
    await open();
    await call.nth('usage', fixed_pieces);
    server.speech.plan(speaksHalf(gate.promise));
    call.speak();
    const { itemId } = await call.nth('replyStarted');
    await call.nth('usage', fixed_pieces + 2);
    call.session.interrupt(itemId, 200);
    call.speak();
    await call.replied('Of course.');
    gate.resolve(undefined);
    expect(call.all('toolCall')).toEqual([]);
    expect(await asked(2)).toContain('tool: {"ok":false,"reason":"the caller spoke"}');
  });

  it('hang up without another word, unless the caller speaks in time', async () => {
    server.chat.plan(calls({ name: 'hang_up', given: '{"reason":"done"}', id: 'bye', before: 'Goodbye.' }));
    await open();
    call.speak();
    expect(await call.nth('toolCall')).toMatchObject({ name: 'hang_up', arguments: { reason: 'done' } });
    // The voice cuts the line when it has nothing left to say: the goodbye came first.
    expect(call.told.map((one) => one.name).slice(-2)).toEqual(['replyDone', 'toolCall']);
    await call.replied('Goodbye.');
    call.session.toolResult('bye', { ok: false, reason: 'the caller spoke' });
    call.speak();
    await call.replied('Of course.');
    expect((await asked(2)).slice(1)).toEqual([
      'assistant: Goodbye.',
      'tool: {"ok":false,"reason":"the caller spoke"}',
      'user: I need an appointment.',
    ]);
  });
});
