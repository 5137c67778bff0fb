import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PipelineOptions } from '../../../../src/agent/models/pipeline/index.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import {
  clerk,
  openRecordedPipeline,
  type RecordedPipeline,
  settingsFor,
} from '../../../support/openai-server/open-recorded.ts';
import {
  after,
  breaksOff,
  hears,
  ms_per_char,
  says,
  saysSlowly,
  speaks,
} from '../../../support/openai-server/replies.ts';
import { startOpenAiServer, type OpenAiServer } from '../../../support/openai-server/server.ts';

let server: OpenAiServer;
let call: RecordedPipeline;
const clock = new ManualClock();

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

const open = async (
  change: (settings: PipelineOptions) => PipelineOptions = (settings) => settings,
  options: Partial<Parameters<typeof openRecordedPipeline>[0]> = {},
): Promise<void> => {
  call = await openRecordedPipeline({ settings: change(settingsFor([server.baseUrl])), ...options });
};

/** The messages of the `count`-th request to the chat model, one line each, the instructions aside. */
const asked = async (count: number): Promise<string[]> => {
  const { body } = await server.chat.nth(count);
  return body.messages.slice(1).map((message) => `${message.role}: ${message.content ?? '-'}`);
};

const greeting = clerk.greeting;

describe('a session begins', () => {
  it('with the first sentence of the greeting in hand', async () => {
    await open();
    expect(call.told.map((one) => one.name)).toEqual(['usage', 'ready']);
    const { body, authorization } = await server.speech.nth();
    expect(body).toMatchObject({ model: 'mouth', voice: 'anna', input: greeting, response_format: 'pcm' });
    expect(authorization).toBe('Bearer test-key');
    call.session.greet();
    const { ms, text } = await call.replied(greeting);
    expect({ ms, text }).toEqual({ ms: greeting.length * ms_per_char, text: greeting });
  });

  it('without synthesising again what is said in every call', async () => {
    await open();
    call.session.greet();
    await call.replied(greeting);
    const second = await openRecordedPipeline({ settings: settingsFor([]), model: call.model });
    second.session.greet();
    await second.replied(greeting);
    expect(server.speech.exchanges.filter(({ body }) => body.input === greeting)).toHaveLength(1);
    expect(call.model.openSessions).toBe(2);
  });

  it('where another session left off', async () => {
    await open(undefined, {
      history: [
        { from: 'agent', text: 'Good morning.' },
        { from: 'caller', text: 'My name is Smith.' },
        { from: 'note', text: 'The tool book gave ok' },
      ],
    });
    call.speak();
    await call.replied('Of course.');
    expect(await asked(1)).toEqual([
      'user: [The call begins.]',
      'assistant: Good morning.',
      'user: My name is Smith. [The tool book gave ok] I need an appointment.',
    ]);
  });

  it('by answering what the other one did not', async () => {
    await open(undefined, { history: [{ from: 'caller', text: 'When are you open?' }] });
    call.session.resume();
    await call.replied('Of course.');
    expect(await asked(1)).toEqual(['user: When are you open?']);
    call.session.notice('The colleague has left the call');
    await call.nth('replyDone', 2);
    expect((await asked(2)).at(-1)).toBe('user: [The colleague has left the call]');
    expect(server.chat.exchanges).toHaveLength(2);
  });

  it('by finishing what the other one was saying', async () => {
    await open(undefined, { history: [{ from: 'agent', text: 'We open at' }] });
    call.session.resume();
    await call.replied('Of course.');
    expect((await asked(1)).slice(1)).toEqual([
      'assistant: We open at',
      'user: [The line broke off while you spoke. Go on from where you stopped.]',
    ]);
  });

  it('with words that the caller cannot cut short, where the profile or the voice wants it', async () => {
    const turns = { ...clerk.turns, greeting_uninterruptible: true };
    await open(undefined, { profile: { ...clerk, turns } });
    call.session.greet();
    call.session.say('This call is recorded.', { uninterruptible: true });
    call.session.say('Thank you.');
    await call.replied('Thank you.');
    expect(call.all('replyStarted').map((one) => one.uninterruptible)).toEqual([true, true, false]);
  });

  it('with the profile’s own model and voice, and no key where none is set', async () => {
    const model = { ...clerk.model, name: 'other-mind', voice: 'bert' };
    await server.close();
    server = await startOpenAiServer({ transcribe: hears('Yes.'), chat: says('Fine.'), speak: speaks() });
    call = await openRecordedPipeline({
      settings: settingsFor([server.baseUrl], ''),
      profile: { ...clerk, model },
    });
    call.speak();
    await call.replied('Fine.');
    const chat = await server.chat.nth();
    expect(chat.body.model).toBe('other-mind');
    expect(chat.authorization).toBeUndefined();
    expect((await server.speech.nth()).body.voice).toBe('bert');
  });
});

describe('a turn of the caller', () => {
  it('is written down, answered and spoken', async () => {
    await open();
    call.session.greet();
    await call.replied(greeting);
    call.speak(800);
    const { ms } = await call.replied('Of course.');
    expect(ms).toBe('Of course.'.length * ms_per_char);
    expect(call.all('heard')).toMatchObject([{ text: 'I need an appointment.', final: true }]);
    const { body } = await server.transcription.nth();
    expect(body).toMatchObject({
      model: 'ear',
      language: 'en',
      file: { name: 'utterance.wav', type: 'audio/wav' },
    });
    // The 800 ms, some before them, and a little of the silence that ended them.
    const ms16 = (body.file.bytes.length - 44) / 16;
    expect(ms16).toBeGreaterThan(1100);
    expect(ms16).toBeLessThan(1800);
    expect(await asked(1)).toEqual([
      'user: [The call begins.]',
      `assistant: ${greeting}`,
      'user: I need an appointment.',
    ]);
    const [{ body: chat }] = [await server.chat.nth()];
    expect(chat.messages[0]?.content).toContain('You are the receptionist of a clinic.');
    expect(chat.tools?.map((tool) => tool.function.name)).toEqual(['book', 'hang_up']);
  });

  it('is billed by stage and model', async () => {
    server.transcription.plan(hears('Hello.', { type: 'duration', seconds: 2 }));
    await open();
    call.speak();
    await call.replied('Of course.');
    const usage = call.all('usage').map((one) => one.usage);
    expect(usage.find((one) => one.source === 'transcription')).toMatchObject({ model: 'ear', seconds: 2 });
    const chat = usage.find((one) => one.source === 'chat');
    expect(chat).toMatchObject({ model: 'mind', outputTextTokens: 7 });
    expect(chat?.inputTextTokens).toBeGreaterThan(50);
    const speech = usage.filter((one) => one.source === 'speech').at(-1);
    expect(speech).toMatchObject({ model: 'mouth', characters: 10, seconds: 0.5 });
  });

  it('is captioned while it is being written down, where the server can', async () => {
    await open((settings) => ({ ...settings, transcription: { ...settings.transcription, stream: true } }));
    call.speak();
    await call.replied('Of course.');
    expect(call.all('heard').map((one) => `${one.text}${one.final ? '.' : ''}`)).toEqual([
      'I ',
      'I need ',
      'I need an ',
      'I need an appointment.',
      'I need an appointment..',
    ]);
    expect(new Set(call.all('heard').map((one) => one.utteranceId)).size).toBe(1);
  });

  it('gets its answer sentence by sentence, in order, while it is still being written', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(saysSlowly('We have ten o’clock. It', gate.promise, ' is in the morning of the day.'));
    await open();
    call.speak();
    // The first sentence sounds although the answer is not complete.
    await call.nth('audio');
    expect(call.all('said').at(-1)).toMatchObject({ text: 'We have ten o’clock.', final: false });
    gate.resolve(undefined);
    const { ms, text } = await call.replied('the day.');
    expect(text).toBe('We have ten o’clock. It is in the morning of the day.');
    expect(ms).toBe((text.length - 1) * ms_per_char);
    expect(call.all('replyStarted')).toHaveLength(1);
  });

  it('gets its sentences in order even when the second one is synthesised sooner', async () => {
    await open();
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(says('One is slow. Two is as quick as anything that was ever heard.'));
    server.speech.otherwise = async (exchange) => {
      if (exchange.body.input === 'One is slow.') await gate.promise;
      await speaks()(exchange);
      if (exchange.body.input.startsWith('Two')) gate.resolve(undefined);
    };
    call.speak();
    await call.replied('ever heard.');
    const texts = call.all('said').map((one) => one.text);
    expect(texts[0]).toBe('One is slow.');
    expect(texts.at(-1)).toBe('One is slow. Two is as quick as anything that was ever heard.');
  });

  it('is said as people say it: no markdown, no emoji, no thoughts', async () => {
    server.chat.plan(says('<think>They are in a hurry.</think>**Sure** 😀! See www.example.org/a.'));
    await open();
    call.speak();
    await call.replied('Sure! See example dot org slash a.');
  });

  it('that goes on after a pause is answered once, as a whole', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.transcription.plan(hears('I need an appointment'), hears('tomorrow at ten.'));
    server.chat.plan(after(gate.promise, says('Which day?')), says('Tomorrow at ten.'));
    await open();
    call.speak();
    const first = await server.chat.nth();
    call.startSpeaking();
    call.stopSpeaking();
    await call.replied('Tomorrow at ten.');
    expect(first.gone.aborted).toBe(true);
    expect(await asked(2)).toEqual(['user: I need an appointment tomorrow at ten.']);
    expect(call.all('said').some((one) => one.text.includes('Which day'))).toBe(false);
    gate.resolve(undefined);
  });

  it('is answered after a cough that came while we were thinking', async () => {
    server.transcription.plan(hears('When are you open?'), hears(''));
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(after(gate.promise, says('Late.')), says('From eight to six.'));
    await open();
    call.speak();
    await server.chat.nth();
    call.speak(200);
    await call.replied('From eight to six.');
    gate.resolve(undefined);
    expect(call.all('failed')).toEqual([]);
  });

  it('of no words is asked for again, and at last given up', async () => {
    server.transcription.otherwise = hears('');
    await open();
    for (const words of [...Array.from({ length: 3 }, () => clerk.not_understood[0] ?? ''), clerk.give_up]) {
      const before = call.all('replyDone').length;
      call.speak(600);
      await call.nth('replyDone', before + 1);
      expect(call.all('said').at(-1)?.text).toBe(words);
    }
    expect(call.all('toolCall')).toMatchObject([
      { name: 'hang_up', arguments: { reason: 'not-understood' } },
    ]);
    expect(server.chat.exchanges).toHaveLength(0);
  });

  it('that was only a cough gets no answer', async () => {
    server.transcription.plan(hears(' . '));
    await open();
    call.speak(200);
    await call.nth('heard');
    call.speak();
    await call.replied('Of course.');
    expect(call.all('replyStarted')).toHaveLength(1);
  });

  it('may be a key', async () => {
    await open(undefined, { clock });
    for (const digit of '12#') call.session.digit(digit);
    clock.advance(1500);
    await call.replied('Of course.');
    expect(await asked(1)).toEqual(['user: [The caller pressed the keys 12#]']);
  });
});

describe('a session ends', () => {
  it('with everything under way cut off, and says nothing afterwards', async () => {
    const gate = Promise.withResolvers<undefined>();
    server.chat.plan(after(gate.promise, says('Too late.')));
    await open();
    call.speak();
    const chat = await server.chat.nth();
    call.session.close();
    call.session.close();
    const told = call.told.length;
    expect(call.told.at(-1)?.name).toBe('closed');
    gate.resolve(undefined);
    call.session.say('Nothing.');
    call.session.greet();
    call.session.digit('1');
    call.session.toolResult('x', 1);
    call.session.interrupt('x', 1);
    call.speak();
    await call.model.close();
    expect(chat.gone.aborted).toBe(true);
    expect(call.told).toHaveLength(told);
  });

  it('over few connections, because they are kept', async () => {
    await open();
    for (let turn = 1; turn <= 4; turn += 1) {
      call.speak();
      await call.nth('replyDone', turn);
    }
    expect(server.connections).toBeLessThanOrEqual(4);
    expect(server.transcription.exchanges).toHaveLength(4);
  });
});

describe('an answer that breaks off', () => {
  it('is finished by the next server, from where it was', async () => {
    server.chat.plan(breaksOff('We are open from eight to six. On'), says('Sundays we are closed.'));
    await open();
    call.speak();
    const { text } = await call.replied('we are closed.');
    expect(text).toContain('We are open from eight to six.');
    expect((await asked(2)).at(-1)).toContain('cut off by a fault');
    expect(call.all('failed')).toEqual([]);
  });
});
