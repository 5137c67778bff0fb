import { beforeEach, describe, expect, it, vi } from 'vitest';
import { OfflineSession, sentencesIn } from '../../../../src/agent/models/offline/session.ts';
import type { Ear } from '../../../../src/agent/models/offline/recogniser.ts';
import type { Hearing } from '../../../../src/agent/models/offline/speech-messages.ts';
import type { Synthesiser } from '../../../../src/agent/models/offline/synthesiser.ts';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import type { ConnectOptions, HistoryTurn, SessionEvents } from '../../../../src/agent/voice-model.ts';
import { TrunklineError } from '../../../../src/base/errors.ts';

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello there. How can I help?',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [
    { name: 'hours', phrases: ['what are your opening hours'], done: 'We are open.' },
    { name: 'lamp', phrases: ['turn on the lamp'], tool: 'lamp', done: 'It is on.', failed: 'No light.' },
  ],
  turns: { end_of_speech_ms: 600, barge_in_ms: 240 },
});

/** The recogniser's ear, without a process behind it: what it is given is counted, what it hears is told. */
class ScriptedEar {
  readonly told: string[] = [];
  bytes = 0;
  hearing: Promise<Hearing> = Promise.resolve({ text: '', fit: 0, rejected: false });

  expect(expecting: string): void {
    this.told.push(`expect ${expecting}`);
  }
  start(): void {
    this.told.push('start');
    this.bytes = 0;
  }
  hear(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
  end(): Promise<Hearing> {
    this.told.push('end');
    return this.hearing;
  }
  close(): void {
    this.told.push('close');
  }
}

type Told = { [K in keyof SessionEvents]: { name: K; payload: SessionEvents[K] } }[keyof SessionEvents];

let ear: ScriptedEar;
let told: Told[];
let session: OfflineSession;
/** How a phrase is spoken: 10 ms a letter, unless a test says otherwise. */
let speak: (text: string) => Promise<Uint8Array>;

beforeEach(() => {
  ear = new ScriptedEar();
  told = [];
  speak = (text) => Promise.resolve(new Uint8Array(text.length * 80));
  session = open();
});

const open = (over: Partial<ConnectOptions> = {}): OfflineSession =>
  new OfflineSession({
    call: {
      profile,
      codec: 'pcmu',
      callId: 'call-1',
      now: () => new Date('2026-11-23T09:00:00Z'),
      on: (name, payload) => told.push({ name, payload } as Told),
      ...over,
    },
    ear: ear as unknown as Ear,
    synthesiser: { speak: (phrase: { text: string }) => speak(phrase.text) } as unknown as Synthesiser,
  });

const FRAME = new Uint8Array(160);
const names = (): string[] => told.map((one) => one.name);
const eventsOf = <K extends keyof SessionEvents>(name: K): SessionEvents[K][] =>
  told.filter((one) => one.name === name).map((one) => one.payload as SessionEvents[K]);
const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(
    () => {
      if (!condition()) throw new Error(`told so far: ${names().join(', ')}`);
    },
    { interval: 1 },
  );

/** The caller speaks for so long, and the recogniser makes of it what is given. */
function callerSays(hearing: Partial<Hearing> | TrunklineError, spokenMs = 1000): void {
  const failed = hearing instanceof TrunklineError;
  ear.hearing = failed
    ? Promise.reject(hearing)
    : Promise.resolve({ text: '', fit: 0, rejected: false, ...hearing });
  ear.hearing.catch(() => undefined);
  session.callerSpeaking(true);
  for (let ms = 0; ms < spokenMs + 600; ms += 20) session.hear(FRAME, 0);
  session.callerSpeaking(false);
}

describe('a conversation that another voice began', () => {
  const takeOver = (history: readonly HistoryTurn[]): void => {
    session.close();
    session = open({ history });
    told.length = 0;
    session.resume();
  };

  it('is gone on with where the caller left it', async () => {
    takeOver([{ from: 'caller', text: 'What are your opening hours, please?' }]);
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toMatchObject([{ text: 'We are open. Anything else?' }]);
  });

  it.each([
    [[]],
    [[{ from: 'note', text: 'A tool gave something.' }]],
    [[{ from: 'agent', text: 'And your name is' }]],
  ] as HistoryTurn[][][])('is asked for again when it ends with %j', async (history) => {
    takeOver(history);
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toMatchObject([{ text: profile.trouble }]);
  });
});

describe('a notice', () => {
  it('has the last question asked again, or the caller say it again', async () => {
    session.notice('The colleague has left the call.');
    await until(() => eventsOf('replyDone').length === 1);
    callerSays({ text: 'what are your opening hours' });
    await until(() => eventsOf('replyDone').length === 2);
    session.notice('The colleague has left the call.');
    await until(() => eventsOf('replyDone').length === 3);
    const answer = 'We are open. Anything else?';
    expect(eventsOf('said').map((said) => said.text)).toEqual([profile.trouble, answer, answer]);
  });

  it('waits while a tool works, and says nothing after the goodbye', async () => {
    callerSays({ text: 'turn on the lamp' });
    await until(() => eventsOf('toolCall').length === 1);
    session.notice('It is dark.');
    session.toolResult(eventsOf('toolCall')[0]?.callId ?? '', { ok: true });
    await until(() => eventsOf('replyDone').length === 1);
    callerSays({ text: 'no thank you' });
    await until(() => eventsOf('toolCall').length === 2);
    session.notice('It is light.');
    expect(eventsOf('said').map((said) => said.text)).toEqual(['It is on. Anything else?', 'Bye.']);
  });
});

describe('sentencesIn', () => {
  it.each([
    ['Hello.', ['Hello.']],
    ['Hello there. How are you? Fine!', ['Hello there.', 'How are you?', 'Fine!']],
    ['no full stop', ['no full stop']],
    ['We open at 8.30 a.m. on Mondays. Goodbye.', ['We open at 8.30 a.m. on Mondays.', 'Goodbye.']],
    ['What? no! 5.', ['What?', 'no!', '5.']],
    ['One... two.', ['One...', 'two.']],
    [' . ', []],
    ['', []],
  ])('%j', (text, sentences) => expect(sentencesIn(text)).toEqual(sentences));
});

describe('speaking', () => {
  it('tells a reply from its beginning to its end, a sentence at a time', async () => {
    session.greet();
    await until(() => names().includes('replyDone'));
    expect(names()).toEqual(['replyStarted', 'said', 'audio', 'audio', 'replyDone']);
    expect(eventsOf('said')).toMatchObject([{ text: 'Hello there. How can I help?', final: true }]);
    expect(new Set(told.map((one) => (one.payload as { itemId: string }).itemId)).size).toBe(1);
    expect(eventsOf('replyDone')).toMatchObject([{ interrupted: false }]);
  });

  it('gives bytes that the receiver may keep and change', async () => {
    const cached = new Uint8Array(80).fill(7);
    speak = () => Promise.resolve(cached);
    session.say('Hello.');
    await until(() => names().includes('replyDone'));
    eventsOf('audio')[0]?.bytes.fill(0);
    expect(cached[0]).toBe(7);
  });

  it('speaks one reply after the other', async () => {
    session.say('One.');
    session.say('Two.');
    await until(() => eventsOf('replyDone').length === 2);
    expect(names()).toEqual([
      ...['replyStarted', 'said', 'audio', 'replyDone'],
      ...['replyStarted', 'said', 'audio', 'replyDone'],
    ]);
  });

  it('stops in the middle when it is interrupted', async () => {
    let finish: (bytes: Uint8Array) => void = () => undefined;
    speak = (text) =>
      text === 'Two.'
        ? new Promise((resolve) => (finish = resolve))
        : Promise.resolve(new Uint8Array(text.length * 80));
    session.say('One. Two.');
    await until(() => eventsOf('audio').length === 1);
    session.interrupt(eventsOf('replyStarted')[0]?.itemId ?? '', 20);
    finish(new Uint8Array(80));
    await until(() => names().includes('replyDone'));
    expect(eventsOf('audio')).toHaveLength(1);
    expect(eventsOf('replyDone')).toMatchObject([{ interrupted: true }]);
  });

  it('is not stopped by the interruption of another reply', async () => {
    session.interrupt('another', 0);
    session.say('One. Two.');
    await until(() => names().includes('replyDone'));
    expect(eventsOf('audio')).toHaveLength(2);
  });

  it('reports a phrase that cannot be spoken, and goes on', async () => {
    speak = () => Promise.reject(new TrunklineError('SPEECH_UNAVAILABLE', 'flite is gone'));
    session.say('One.');
    await until(() => names().includes('failed'));
    expect(eventsOf('failed')).toMatchObject([{ code: 'SPEECH_UNAVAILABLE', retryable: true }]);
    expect(eventsOf('replyDone')).toHaveLength(1);
    speak = () => Promise.resolve(new Uint8Array(80));
    session.say('Two.');
    await until(() => eventsOf('audio').length === 1);
  });
});

describe('hearing', () => {
  it('hands over the sound from before the caller was noticed', () => {
    for (let frame = 0; frame < 100; frame += 1) session.hear(FRAME, 0);
    session.callerSpeaking(true);
    // 300 ms of lead and the 240 ms that an interruption takes to be confirmed.
    expect(ear.bytes).toBe(540 * 8);
    session.hear(FRAME, 0);
    expect(ear.bytes).toBe(560 * 8);
  });

  it('has less of it at the beginning of a call', () => {
    session.hear(FRAME, 0);
    session.callerSpeaking(true);
    expect(ear.bytes).toBe(160);
  });

  it('keeps the order of the lead', () => {
    const order: number[] = [];
    ear.hear = (bytes) => void order.push(bytes[0] ?? 0);
    for (let frame = 1; frame <= 40; frame += 1) session.hear(new Uint8Array(160).fill(frame), 0);
    session.callerSpeaking(true);
    expect(order).toEqual(Array.from({ length: 27 }, (_, index) => index + 14));
  });

  it('fills gaps with silence, up to a limit', () => {
    session.callerSpeaking(true);
    session.hear(FRAME, 40);
    expect(ear.bytes).toBe(480);
    session.hear(FRAME, 60_000);
    expect(ear.bytes).toBe(480 + 1600 + 160);
  });

  it('asks for the words once per utterance', () => {
    session.callerSpeaking(true);
    session.callerSpeaking(true);
    session.callerSpeaking(false);
    session.callerSpeaking(false);
    expect(ear.told).toEqual(['start', 'end']);
  });
});

describe('the conversation', () => {
  it('tells what was heard, then answers', async () => {
    callerSays({ text: 'what are your opening hours' });
    await until(() => names().includes('replyDone'));
    expect(eventsOf('heard')).toMatchObject([{ text: 'what are your opening hours', final: true }]);
    expect(eventsOf('said')).toMatchObject([{ text: 'We are open. Anything else?' }]);
    expect(ear.told.at(-1)).toBe('expect closing');
  });

  it('says sorry when the words made no sense', async () => {
    callerSays({ rejected: true });
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toMatchObject([{ text: 'Sorry?' }]);
  });

  it('does not answer a cough', async () => {
    callerSays({}, 100);
    await until(() => names().includes('heard'));
    callerSays({ text: 'what are your opening hours' });
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toHaveLength(1);
  });

  it('asks the caller to repeat when its own ears failed', async () => {
    callerSays(new TrunklineError('SPEECH_UNAVAILABLE', 'it died'));
    await until(() => names().includes('replyDone'));
    expect(eventsOf('failed')).toMatchObject([{ code: 'SPEECH_UNAVAILABLE', detail: 'it died' }]);
    expect(eventsOf('said')).toMatchObject([{ text: profile.trouble }]);
  });

  it.each([
    [{ ok: true }, 'It is on. Anything else?'],
    [{ ok: false, reason: 'The bulb is dead.' }, 'No light. The bulb is dead. Anything else?'],
    ['nonsense', 'No light. Anything else?'],
  ])('runs a tool and speaks of %j', async (result, text) => {
    callerSays({ text: 'turn on the lamp' });
    await until(() => names().includes('toolCall'));
    const [call] = eventsOf('toolCall');
    expect(call).toMatchObject({ name: 'lamp', arguments: {} });
    session.toolResult(call?.callId ?? '', result);
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toMatchObject([{ text }]);
  });

  it('says goodbye first and asks to hang up then', async () => {
    callerSays({ text: 'what are your opening hours' });
    await until(() => names().includes('replyDone'));
    told.length = 0;
    callerSays({ text: 'no thank you' });
    await until(() => names().includes('toolCall'));
    expect(names()).toEqual(['heard', 'replyStarted', 'said', 'audio', 'replyDone', 'toolCall']);
    expect(eventsOf('toolCall')).toMatchObject([{ name: 'hang_up', arguments: { reason: 'goodbye' } }]);
  });

  it('goes on when the caller spoke before the line was cut', async () => {
    callerSays({ text: 'what are your opening hours' });
    callerSays({ text: 'no thank you' });
    await until(() => names().includes('toolCall'));
    session.toolResult(eventsOf('toolCall')[0]?.callId ?? '', { ok: false, reason: 'the caller spoke' });
    told.length = 0;
    callerSays({ text: 'what are your opening hours' });
    await until(() => names().includes('replyDone'));
    expect(eventsOf('said')).toMatchObject([{ text: 'We are open. Anything else?' }]);
  });

  it('keeps two quick utterances in their order', async () => {
    let first: (hearing: Hearing) => void = () => undefined;
    ear.hearing = new Promise((resolve) => (first = resolve));
    session.callerSpeaking(true);
    session.callerSpeaking(false);
    callerSays({ text: 'turn on the lamp' });
    first({ text: 'what are your opening hours', fit: 0, rejected: false });
    await until(() => names().includes('toolCall'));
    expect(eventsOf('heard').map((heard) => heard.text)).toEqual([
      'what are your opening hours',
      'turn on the lamp',
    ]);
  });
});

describe('closing', () => {
  it('is silent afterwards', async () => {
    callerSays({ text: 'what are your opening hours' });
    session.greet();
    session.close();
    session.close();
    session.callerSpeaking(true);
    await ear.hearing;
    expect(ear.told.filter((one) => one === 'close')).toHaveLength(1);
    expect(ear.told.filter((one) => one === 'start')).toHaveLength(1);
    expect(told).toEqual([]);
  });
});
