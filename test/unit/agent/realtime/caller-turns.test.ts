/** Which utterances are answered, by whom, and which are forgotten. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CallerTurns } from '../../../../src/agent/models/realtime/caller-turns.ts';
import { sessionUpdate, type ClientEvent } from '../../../../src/agent/models/realtime/client-events.ts';
import { items_max } from '../../../../src/agent/models/realtime/limits.ts';
import { realtimeSettingsSchema } from '../../../../src/agent/models/realtime/settings.ts';

let told: string[];
let sent: ClientEvent[];
let busy: boolean;
let turns: CallerTurns;

const settings = (over: object = {}) =>
  sessionUpdate({
    ...{ instructions: 'Be kind.', codec: 'pcmu', voice: 'marin', endOfSpeechMs: 600, language: 'en' },
    tools: [],
    settings: realtimeSettingsSchema.parse(over),
  });

function open(over: object = {}): void {
  told = [];
  sent = [];
  busy = false;
  turns = new CallerTurns({
    send: (event) => {
      sent.push(event);
      if (event.type === 'conversation.item.delete') told.push(`delete ${event.item_id}`);
      if (event.type === 'session.update') told.push(`server answers: ${serverAnswers(event)}`);
    },
    answer: () => told.push('answer'),
    busy: () => busy,
  });
  turns.settled(settings(over));
}

function serverAnswers({ session }: Extract<ClientEvent, { type: 'session.update' }>): string {
  const detection = session.type === 'realtime' ? session.audio?.input?.turn_detection : undefined;
  return String(detection?.create_response);
}

/** The agent is heard from now on, and the server knows. */
function agentSpeaks(): void {
  turns.agentSpeaking(true);
  turns.updated();
  told.length = 0;
}

function says(itemId: string, { speech = true } = {}): void {
  turns.started(itemId);
  if (speech) turns.callerSpeaking(true);
  if (speech) turns.callerSpeaking(false);
  turns.committed(itemId);
}

beforeEach(() => open());

describe('while the agent is silent', () => {
  it('the server answers by itself', () => {
    says('a');
    says('noise', { speech: false });
    turns.heard('a');
    expect(told).toEqual([]);
  });

  it('we ask when the server is busy with something else', () => {
    busy = true;
    says('a');
    expect(told).toEqual(['answer']);
  });
});

describe('while the agent is heard', () => {
  it('the server is told not to answer, in all of its turn detection, and to answer afterwards', () => {
    turns.agentSpeaking(true);
    turns.agentSpeaking(false);
    expect(told).toEqual(['server answers: false', 'server answers: true']);
    expect(sent[0]).toMatchObject({
      session: {
        type: 'realtime',
        audio: {
          input: {
            turn_detection: { type: 'server_vad', silence_duration_ms: 600, interrupt_response: false },
          },
        },
      },
    });
  });

  it('a sound that the voice never called speech is forgotten, whatever is made of it', () => {
    agentSpeaks();
    says('cough', { speech: false });
    expect(told).toEqual(['delete cough']);
    expect(turns.isNoise('cough')).toBe(true);
    turns.heard('cough');
    expect(told).toHaveLength(1);
  });

  it('speech waits for its words, and is answered when they are some', () => {
    agentSpeaks();
    says('a');
    expect(turns.isUndecided('a')).toBe(true);
    expect(told).toEqual([]);
    turns.heard('another');
    expect(told).toEqual([]);
    turns.heard('a');
    turns.heard('a');
    expect(told).toEqual(['answer']);
  });

  it('a mere "mhm" is forgotten', () => {
    agentSpeaks();
    says('a');
    turns.ignore('a');
    turns.heard('a');
    turns.agentSpeaking(false);
    expect(told).toEqual(['delete a', 'server answers: true']);
  });

  it('speech that cut the agent short is answered by the server, which learned of it in time', () => {
    agentSpeaks();
    turns.started('a');
    turns.callerSpeaking(true);
    turns.agentSpeaking(false);
    turns.updated();
    turns.committed('a');
    expect(told).toEqual(['server answers: true']);
  });

  it('… and by us when the server learned too late', () => {
    agentSpeaks();
    turns.started('a');
    turns.callerSpeaking(true);
    turns.agentSpeaking(false);
    turns.committed('a');
    turns.updated();
    expect(told).toEqual(['server answers: true', 'answer']);
  });

  it('speech that is still undecided is answered when the agent is heard no more, all of it at once', () => {
    agentSpeaks();
    says('a');
    says('b');
    turns.agentSpeaking(false);
    expect(told).toEqual(['server answers: true', 'answer']);
    turns.heard('a');
    expect(told).toHaveLength(2);
  });

  it('speech of before counts as speech still, and is no answer to what the agent says now', () => {
    turns.callerSpeaking(true);
    agentSpeaks();
    expect(turns.isEarlier('old')).toBe(true);
    turns.started('a');
    expect(turns.isEarlier('a')).toBe(false);
    turns.committed('a');
    expect(turns.isEarlier('a')).toBe(false);
    turns.heard('a');
    expect(told).toEqual(['answer']);
    expect(turns.isEarlier('a')).toBe(true);
  });

  it('a noise behind speech is none the less a noise', () => {
    agentSpeaks();
    says('a');
    says('noise', { speech: false });
    expect(told).toEqual(['delete noise']);
  });

  it('is taken over by a server that answers all the same', () => {
    agentSpeaks();
    says('a');
    turns.serverAnswered();
    turns.heard('a');
    expect(told).toEqual([]);
  });
});

describe('without a transcription', () => {
  beforeEach(() => open({ transcription_model: '' }));

  it('there are no words to wait for: speech is answered, noise is forgotten', () => {
    expect(turns.haveWords).toBe(false);
    agentSpeaks();
    says('a');
    says('noise', { speech: false });
    expect(told).toEqual(['answer', 'delete noise']);
  });
});

describe('a server that refuses', () => {
  it('the settings answers by itself as before, and is told nothing more', () => {
    turns.agentSpeaking(true);
    expect(turns.refusedEvent(sent[0]?.event_id ?? '')).toBe(true);
    expect(turns.haveWords).toBe(false);
    says('a');
    turns.agentSpeaking(false);
    expect(told).toEqual(['server answers: false']);
  });

  it('to forget an item keeps it, and that is all', () => {
    agentSpeaks();
    says('cough', { speech: false });
    expect(turns.refusedEvent(sent.at(-1)?.event_id ?? '')).toBe(true);
    expect(turns.haveWords).toBe(true);
  });

  it('something else is none of our business', () => {
    expect(turns.refusedEvent('create_1')).toBe(false);
    expect(turns.refusedEvent('')).toBe(false);
  });
});

it('settings that a call brings are taken in their turn', () => {
  turns.settled(settings({ turn_detection: 'semantic' }), 'settle');
  turns.agentSpeaking(true);
  turns.updated();
  says('a');
  expect(told).toEqual(['server answers: false']);
  turns.updated();
  says('b');
  turns.heard('b');
  expect(told).toEqual(['server answers: false', 'answer']);
  expect(sent[0]).toMatchObject({
    session: { audio: { input: { turn_detection: { type: 'semantic_vad', eagerness: 'auto' } } } },
  });
});

it('remembers a few noises, not all of a long call', () => {
  agentSpeaks();
  for (let count = 0; count <= items_max; count += 1) says(`noise-${count}`, { speech: false });
  expect(turns.isNoise('noise-0')).toBe(false);
  expect(turns.isNoise(`noise-${items_max}`)).toBe(true);
});
