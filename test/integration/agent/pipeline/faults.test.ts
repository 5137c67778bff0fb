import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PipelineOptions } from '../../../../src/agent/models/pipeline/index.ts';
import { freeTcpPort } from '../../../support/baresip.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import {
  clerk,
  fixed_pieces,
  openRecordedPipeline,
  type RecordedPipeline,
  settingsFor,
} from '../../../support/openai-server/open-recorded.ts';
import {
  breaksOff,
  ChatWriter,
  calls,
  hangs,
  hears,
  ms_per_char,
  refuses,
  says,
  sends,
  sendsEvents,
  speaks,
  speaksHalf,
} from '../../../support/openai-server/replies.ts';
import {
  startOpenAiServer,
  type Behaviour,
  type OpenAiServer,
} from '../../../support/openai-server/server.ts';
import { encodeWav } from '../../../support/sound/wav.ts';

let server: OpenAiServer;
let second: OpenAiServer;
let call: RecordedPipeline;
let clock: ManualClock;
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

const start = (): Promise<OpenAiServer> =>
  startOpenAiServer({ transcribe: hears('Hello?'), chat: says('Of course.'), speak: speaks() });

beforeEach(async () => {
  process.on('unhandledRejection', note);
  clock = new ManualClock();
  [server, second] = [await start(), await start()];
});

afterEach(async () => {
  await call.model.close();
  await Promise.all([server.close(), second.close()]);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(call.model.openSessions).toBe(0);
  // Nothing waits for a request that is over.
  expect(clock.pending).toBe(0);
});

/** A session on one server, its fixed phrases in hand. */
const open = async (change: (settings: PipelineOptions) => PipelineOptions = (one) => one): Promise<void> => {
  call = await openRecordedPipeline({ settings: change(settingsFor([server.baseUrl])), clock });
  call.session.say(clerk.trouble);
  await call.replied(clerk.trouble);
  await call.nth('usage', fixed_pieces);
};

/** A session whose second server is well. */
const openWithFallback = async (): Promise<void> => {
  call = await openRecordedPipeline({ settings: settingsFor([server.baseUrl, second.baseUrl]), clock });
  await call.nth('usage', fixed_pieces);
};

/** Trouble that is told, and after which the caller is asked to repeat; the next turn goes well. */
const troubledOnce = async (code: string, detail: RegExp): Promise<void> => {
  const failed = await call.nth('failed');
  expect(failed).toMatchObject({ code, retryable: true });
  expect(failed.detail).toMatch(detail);
  await call.nth('replyDone', 2);
  expect(call.all('said').at(-1)?.text).toBe(clerk.trouble);
  call.speak();
  await call.replied('Of course.');
  expect(call.all('closed')).toEqual([]);
};

/** A fault that no second try mends: twice, because a single server is asked again after a quick failure. */
const twice = <B>(behaviour: Behaviour<B>): [Behaviour<B>, Behaviour<B>] => [behaviour, behaviour];
const garbage = (): Behaviour<unknown> => sendsEvents('data: {"choices":[{"delta":\n\n');

describe('a chat server that fails', () => {
  it.each([
    ['500', refuses(500), /refused: .*no/],
    ['503', refuses(503), /refused/],
    ['garbage', garbage(), /garbage/],
    ['HTML', sends('<html>busy</html>', 'text/html'), /broke off|garbage/],
    ['an empty stream', sendsEvents(''), /broke off/],
    ['a stream that is cut', breaksOff(''), /./],
    [
      'an error within the stream',
      sendsEvents('data: {"error":{"message":"overloaded","code":"busy"}}\n\n'),
      /overloaded/,
    ],
    [
      'chunks of another protocol',
      sendsEvents('data: {"choices":"none"}\n\n'.repeat(5)),
      /not of the protocol/,
    ],
    ['no words at all', says(''), /without words/],
  ] as [string, Behaviour<unknown>, RegExp][])(
    'with %s costs the caller one apology',
    async (_, fault, detail) => {
      await open();
      server.chat.plan(...twice(fault));
      call.speak();
      await troubledOnce('CHAT_FAILED', detail);
    },
  );

  it('once and quickly is asked again, and nobody notices', async () => {
    await open();
    server.chat.plan(refuses(500));
    call.speak();
    await call.replied('Of course.');
    expect(server.chat.exchanges).toHaveLength(2);
    expect(call.all('failed')).toEqual([]);
  });

  it('by hanging is given up after its time', async () => {
    await open();
    server.chat.plan(hangs());
    call.speak();
    const { gone } = await server.chat.nth();
    clock.advance(5000);
    await troubledOnce('CHAT_FAILED', /the first token did not come within 5000 ms/);
    expect(gone.aborted).toBe(true);
  });

  it('by stopping in the middle is given up after less, and what was said is said', async () => {
    await open();
    const never = new Promise(() => undefined);
    server.chat.plan(async (exchange) => {
      new ChatWriter(exchange).words('We are open from eight to six. On');
      await never;
    });
    call.speak();
    // Transcript and first sentence are through: only the model owes us something.
    await call.nth('usage', fixed_pieces + 2);
    clock.advance(4000);
    const failed = await call.nth('failed');
    expect(failed.detail).toMatch(/the next token did not come within 4000 ms/);
    await call.replied('We are open from eight to six.');
    await call.nth('replyDone', 3);
    expect(call.all('said').at(-1)?.text).toBe(clerk.trouble);
  });

  it('is passed over for the next one, and left alone for a while', async () => {
    await openWithFallback();
    server.chat.otherwise = refuses(500);
    for (let turn = 1; turn <= 4; turn += 1) {
      call.speak();
      await call.nth('replyDone', turn);
    }
    expect(server.chat.exchanges).toHaveLength(2);
    expect(second.chat.exchanges).toHaveLength(4);
    expect(call.all('failed')).toEqual([]);
    clock.advance(10_000);
    server.chat.otherwise = says('I am back.');
    call.speak();
    await call.replied('I am back.');
  });

  it('with 429 is left alone for as long as it says', async () => {
    await openWithFallback();
    server.chat.plan(refuses(429, { headers: { 'retry-after': '20' } }));
    for (const [turn, waitMs] of [0, 19_000, 1000].entries()) {
      clock.advance(waitMs);
      call.speak();
      await call.nth('replyDone', turn + 1);
    }
    expect(server.chat.exchanges).toHaveLength(2);
    expect(second.chat.exchanges).toHaveLength(2);
  });

  it('by refusing the key ends the session: a new try would not help', async () => {
    await open();
    server.chat.plan(refuses(401, { message: 'Incorrect API key provided: sk-secret' }));
    call.speak();
    await call.nth('closed');
    expect(call.all('failed')).toEqual([
      {
        code: 'CHAT_FAILED',
        detail: `127.0.0.1:${server.port} refused the API key (HTTP 401)`,
        retryable: false,
      },
    ]);
    expect(JSON.stringify(call.told)).not.toContain('secret');
  });

  it('three times running ends the session: another one may do better', async () => {
    await open();
    server.chat.otherwise = refuses(500);
    for (let turn = 1; turn <= 3; turn += 1) {
      call.speak();
      await call.nth('failed', turn);
      if (turn < 3) await call.nth('replyDone', turn + 1);
    }
    await call.nth('closed');
    expect(call.all('failed').map((one) => one.retryable)).toEqual([true, true, true]);
  });

  it('after its tools were called does not lose their results', async () => {
    await open();
    server.chat.plan(calls({ name: 'book', given: '{}' }), refuses(500), says('Booked.'));
    call.speak();
    const { callId } = await call.nth('toolCall');
    call.session.toolResult(callId, { ok: true });
    await call.replied('Booked.');
    expect((await server.chat.nth(3)).body.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: '{"ok":true}',
    });
  });

  it('by cutting an answer at its length says what came, and calls no half tool', async () => {
    await open();
    server.chat.plan((exchange) => {
      const writer = new ChatWriter(exchange);
      writer.words('Half of it.');
      writer.call(0, 'book', '{"day":');
      writer.finish('length');
    });
    call.speak();
    await call.replied('Half of it.');
    expect(call.all('toolCall')).toEqual([]);
  });
});

describe('a transcription server that fails', () => {
  it.each([
    ['500', refuses(500), /refused/],
    ['JSON that is cut', sends('{"text":"hel', 'application/json'), /garbage/],
    ['JSON of another kind', sends('{"words":[]}', 'application/json'), /no transcript/],
    [
      'a stream without an end',
      sendsEvents('data: {"type":"transcript.text.delta","delta":"I"}\n\n'),
      /no transcript/,
    ],
  ] as [string, Behaviour<unknown>, RegExp][])(
    'with %s costs the caller one apology',
    async (_, fault, detail) => {
      await open();
      server.transcription.plan(...twice(fault));
      call.speak();
      await troubledOnce('TRANSCRIPTION_FAILED', detail);
    },
  );

  it('by hanging is given up after its time', async () => {
    await open();
    server.transcription.plan(hangs());
    call.speak();
    await server.transcription.nth();
    clock.advance(5000);
    await troubledOnce('TRANSCRIPTION_FAILED', /the transcript did not come within 5000 ms/);
  });

  it('is passed over for the next one', async () => {
    await openWithFallback();
    server.transcription.plan(refuses(401));
    second.transcription.plan(hears('From the second.'));
    call.speak();
    await call.replied('Of course.');
    expect(call.all('heard').at(-1)?.text).toBe('From the second.');
    expect(call.all('failed')).toEqual([]);
  });

  it('may answer in plain text, as some do', async () => {
    await open();
    server.transcription.plan(sends('Good morning.\n', 'text/plain'));
    call.speak();
    await call.replied('Of course.');
    expect(call.all('heard').at(-1)?.text).toBe('Good morning.');
  });

  it('does not mix up two utterances, whichever is written down first', async () => {
    await open();
    const gate = Promise.withResolvers<undefined>();
    server.transcription.plan(async (exchange) => {
      await gate.promise;
      await hears('first')(exchange);
    }, hears('second'));
    call.speak();
    call.speak();
    await server.transcription.nth(2);
    gate.resolve(undefined);
    await call.replied('Of course.');
    expect(call.all('heard').map((one) => one.text)).toEqual(['first', 'second']);
    expect((await server.chat.nth()).body.messages.at(-1)?.content).toBe('first second');
    expect(server.chat.exchanges).toHaveLength(1);
  });
});

describe('a speech server that fails', () => {
  it.each([
    ['500', refuses(500), /refused/],
    ['no sound', sends('', 'audio/pcm'), /no sound/],
  ] as [string, Behaviour<unknown>, RegExp][])(
    'with %s costs the caller one apology',
    async (_, fault, detail) => {
      await open();
      server.speech.plan(...twice(fault));
      call.speak();
      await troubledOnce('SYNTHESIS_FAILED', detail);
    },
  );

  it('by hanging is given up after its time', async () => {
    await open();
    const before = server.speech.exchanges.length;
    server.speech.plan(hangs());
    call.speak();
    await server.speech.nth(before + 1);
    clock.advance(5000);
    await troubledOnce('SYNTHESIS_FAILED', /the first sound did not come within 5000 ms/);
  });

  it('is passed over for the next one', async () => {
    await openWithFallback();
    server.speech.plan(refuses(503));
    call.speak();
    const { ms } = await call.replied('Of course.');
    expect(ms).toBe('Of course.'.length * ms_per_char);
    expect(second.speech.exchanges.map(({ body }) => body.input)).toContain('Of course.');
  });

  it('in the middle of a sentence is followed by the next, which goes on from there', async () => {
    await openWithFallback();
    server.speech.plan(speaksHalf('cut'));
    call.speak();
    const { ms } = await call.replied('Of course.');
    expect(ms).toBe('Of course.'.length * ms_per_char);
    expect(call.all('failed')).toEqual([]);
  });

  it.each([
    ['MP3', sends(Buffer.from('ID3\u0004 and so on'), 'audio/mpeg')],
    ['JSON', sends('{"error":"busy"}', 'application/json')],
    ['WAV in floating point', sends(floatWav(), 'audio/wav')],
  ] as [string, Behaviour<unknown>][])(
    'by sending %s ends the session, when there is no other',
    async (_, fault) => {
      await open();
      server.speech.plan(fault);
      call.speak();
      await call.nth('closed');
      expect(call.all('failed')).toMatchObject([{ code: 'SYNTHESIS_FAILED', retryable: false }]);
    },
  );

  it('from the beginning lets no session begin, and says whether to try again', async () => {
    await open();
    server.speech.otherwise = refuses(401);
    const opening = openRecordedPipeline({ settings: settingsFor([server.baseUrl]), clock });
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: false });
    server.speech.otherwise = refuses(500);
    const again = openRecordedPipeline({ settings: settingsFor([server.baseUrl]), clock });
    await expect(again).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
  });

  it('even for the apology does not apologise for ever', async () => {
    server.speech.otherwise = (exchange) =>
      exchange.body.input === clerk.greeting ? speaks()(exchange) : refuses(500)(exchange);
    call = await openRecordedPipeline({ settings: settingsFor([server.baseUrl]), clock });
    call.speak();
    await call.nth('failed', 2);
    call.speak();
    await call.nth('closed');
    expect(call.all('failed')).toHaveLength(3);
    expect(call.all('replyStarted')).toEqual([]);
  });
});

describe('no server', () => {
  it('at the address is unreachable, and the next one serves', async () => {
    await open();
    await call.model.close();
    const nowhere = `http://127.0.0.1:${await freeTcpPort()}/v1`;
    const opening = openRecordedPipeline({ settings: settingsFor([nowhere]), clock });
    await expect(opening).rejects.toThrow(/ECONNREFUSED/);
    call = await openRecordedPipeline({ settings: settingsFor([nowhere, server.baseUrl]), clock });
    call.speak();
    await call.replied('Of course.');
    expect(call.all('failed')).toEqual([]);
  });
});

function floatWav(): Buffer {
  const file = encodeWav({ sampleRateHz: 24_000, channels: [new Int16Array(100)] });
  file.writeUInt16LE(3, 20);
  return file;
}
