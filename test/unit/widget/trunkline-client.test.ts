import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientEvents } from '../../../widget/client/client-events.ts';
import { TrunklineClient } from '../../../widget/client/trunkline-client.ts';
import { until } from '../../support/until.ts';
import { GatewayStand } from '../../support/widget/gateway-stand.ts';
import { ScriptedMedia, ScriptedMicrophones } from './scripted-parts.ts';

let stand: GatewayStand;
let microphones: ScriptedMicrophones;
let media: ScriptedMedia;
let client: TrunklineClient;
/** Every state since the test began, and the endings. */
let states: string[];
let told: Partial<{ [K in keyof ClientEvents]: ClientEvents[K][] }>;

function makeClient(patienceMs: number): void {
  client = new TrunklineClient({
    server: stand.url,
    credentials: () => ({ widgetKey: 'demo', profile: 'clinic' }),
    microphones,
    media: () => (media = new ScriptedMedia()),
    patienceMs,
  });
  client.events.on('state', ({ state, ending }) => states.push(ending?.slug ?? state));
  for (const name of ['caption', 'tool', 'speaking', 'participants', 'muted', 'microphones'] as const)
    client.events.on(name, (payload) => ((told[name] ??= []) as unknown[]).push(payload));
  for (const name of ['playbackBlocked', 'trouble'] as const)
    client.events.on(name, (payload) => ((told[name] ??= []) as unknown[]).push(payload));
}

const state = (wanted: string): Promise<void> => until(wanted, () => states.at(-1) === wanted);
const done = (wanted: string): Promise<void> => until(wanted, () => media.done.includes(wanted));

async function talk(): Promise<void> {
  await client.call();
  await done('open');
  media.connection('send', true);
  await state('talking');
  media.done.length = 0;
}

beforeEach(async () => {
  stand = await GatewayStand.start();
  microphones = new ScriptedMicrophones();
  states = [];
  told = {};
  makeClient(30_000);
});

afterEach(async () => {
  client.hangUp();
  await stand.close();
  expect(microphones.inUse).toEqual([]);
});

describe('a call', () => {
  it('asks for the microphone, joins, and talks once its sound flows', async () => {
    await client.call();
    await done('open');
    expect(states).toEqual(['asking-microphone', 'connecting']);
    expect(stand.asked).toEqual([{ name: 'join', ask: { widgetKey: 'demo', profile: 'clinic' } }]);
    expect(media.facts).toMatchObject({ codec: 'opus', permissions: ['publish', 'hear'] });
    expect(media.track?.label).toBe('default');
    media.connection('receive', true);
    expect(client.state).toBe('connecting');
    media.connection('send', true);
    expect(client.state).toBe('talking');
    expect(client.levels()).toEqual({ microphone: 0.5, others: 0.25 });
  });

  it('is hung up: the gateway is told, and everything closed', async () => {
    await talk();
    client.hangUp();
    expect(states.at(-1)).toBe('caller-hung-up');
    expect(media.done).toEqual(['close']);
    expect(microphones.watched).toBe(false);
    await until('the socket is closed', () => stand.sockets === 0);
    expect(stand.names()).toEqual(['join', 'leave']);
  });

  it("ends as the gateway says, with the gateway's words", async () => {
    await talk();
    const endings: ClientEvents['state'][] = [];
    client.events.on('state', (change) => endings.push(change));
    stand.tell('ending', { slug: 'agent-hung-up', text: 'The agent finished the call' });
    await state('agent-hung-up');
    expect(endings).toEqual([
      { state: 'ended', ending: { slug: 'agent-hung-up', text: 'The agent finished the call' } },
    ]);
  });

  it('may be followed by another, as if it had not been', async () => {
    await talk();
    client.mute(true);
    client.hangUp();
    await talk();
    expect(client.muted).toBe(false);
    expect(states.slice(-4)).toEqual(['caller-hung-up', 'asking-microphone', 'connecting', 'talking']);
  });

  it('cannot be begun twice at once', async () => {
    await Promise.all([client.call(), client.call()]);
    await done('open');
    expect(states).toEqual(['asking-microphone', 'connecting']);
    expect(stand.names()).toEqual(['join']);
  });

  it('of somebody who may only listen talks as soon as the room is open', async () => {
    stand.joined = { permissions: ['hear'] };
    await client.call();
    await state('talking');
  });

  it('is nothing to hang up before it began', () => {
    client.hangUp();
    expect(states).toEqual([]);
    expect(client.levels()).toEqual({ microphone: 0, others: 0 });
  });
});

describe('a call that does not come about', () => {
  it.each(['microphone-denied', 'microphone-missing', 'microphone-busy', 'page-insecure'] as const)(
    'ends with %s',
    async (problem) => {
      microphones.problem = problem;
      await client.call();
      expect(states).toEqual(['asking-microphone', problem]);
      expect(stand.names()).toEqual([]);
    },
  );

  it('lets go of a microphone that was granted after the visitor hung up', async () => {
    const answer = microphones.leaveUnanswered();
    const calling = client.call();
    client.hangUp();
    answer();
    await calling;
    expect(states).toEqual(['asking-microphone', 'caller-hung-up']);
    expect(microphones.inUse).toEqual([]);
  });

  it('says why the gateway refused', async () => {
    stand.refusals.set('join', 'WEB_KEY_INVALID');
    await client.call();
    await state('refused');
  });

  it('says when the sound path cannot be built', async () => {
    await client.call();
    media.failure = new Error('no codec');
    await state('gateway-unreachable');
  });

  it('says when there is no gateway', async () => {
    await stand.close();
    await client.call();
    await state('gateway-unreachable');
    stand = await GatewayStand.start();
  });

  it('says when the gateway lets it in but no sound flows', async () => {
    makeClient(200);
    await client.call();
    await state('gateway-unreachable');
  });

  it('says when the connection is lost on the way', async () => {
    stand.unanswered.add('join');
    await client.call();
    await until('the question has come', () => stand.names().includes('join'));
    stand.dismiss();
    await state('connection-lost');
  });

  it('says when the page has no credentials', async () => {
    client = new TrunklineClient({
      server: stand.url,
      credentials: () => Promise.reject(new Error('the site’s server is down')),
      microphones,
    });
    client.events.on('state', ({ ending }) => states.push(ending?.slug ?? ''));
    await client.call();
    expect(states.at(-1)).toBe('gateway-unreachable');
  });
});

describe('a loss during the call', () => {
  beforeEach(talk);

  it('of the socket is mended with the resume token, another one each time', async () => {
    stand.joined = { producers: [{ producerId: 'agent', participantId: 'a' }] };
    for (const resumeToken of ['resume-1', 'resume-2']) {
      stand.breakConnections();
      await state('reconnecting');
      await state('talking');
      expect(stand.asked.at(-1)).toEqual({ name: 'join', ask: { resumeToken } });
    }
    expect(media.done).toEqual([
      'restart all',
      'settle agent',
      'unmute',
      'restart all',
      'settle agent',
      'unmute',
    ]);
  });

  it('of ICE is mended by a restart', () => {
    media.connection('send', false);
    media.connection('receive', false);
    expect(client.state).toBe('reconnecting');
    media.connection('send', true);
    expect(client.state).toBe('reconnecting');
    media.connection('receive', true);
    expect(client.state).toBe('talking');
    expect(media.done).toEqual(['restart all', 'restart all']);
  });

  it('of socket and ICE asks for nothing until the socket is back', async () => {
    stand.unanswered.add('join');
    stand.breakConnections();
    await state('reconnecting');
    media.connection('send', false);
    expect(media.done).toEqual([]);
    stand.unanswered.clear();
    stand.breakConnections();
    await done('restart all');
    media.connection('send', true);
    await state('talking');
  });

  it('of the worker builds everything again in the other router', async () => {
    media.connection('receive', false);
    stand.tell('room.moved', {
      routerRtpCapabilities: { codecs: [] },
      producers: [{ producerId: 'agent-2', participantId: 'a' }],
    });
    await done('open');
    expect(client.state).toBe('reconnecting');
    expect(media.facts).toMatchObject({
      codec: 'opus',
      routerRtpCapabilities: { codecs: [] },
      producers: [{ producerId: 'agent-2', participantId: 'a' }],
    });
    media.connection('send', true);
    expect(client.state).toBe('talking');
  });

  it('keeps the visitor muted through all of it', async () => {
    client.mute(true);
    stand.tell('room.moved', { routerRtpCapabilities: {}, producers: [] });
    await done('open');
    await until('muted again', () => media.done.filter((one) => one === 'mute').length === 2);
  });

  it('ends the call when the gateway knows nothing of it any more', async () => {
    stand.refusals.set('join', 'WEB_RESUME_UNKNOWN');
    stand.breakConnections();
    await state('connection-lost');
  });

  it('ends the call when the gateway wants no more of it', async () => {
    stand.dismiss();
    await state('connection-lost');
  });

  it('ends the call when the other router does not take it', async () => {
    media.failure = new Error('refused');
    stand.tell('room.moved', { routerRtpCapabilities: {}, producers: [] });
    await state('connection-lost');
  });

  it('ends the call when patience is over', async () => {
    client.hangUp();
    makeClient(300);
    await talk();
    stand.unanswered.add('join');
    stand.breakConnections();
    await state('reconnecting');
    await state('connection-lost');
  });
});

describe('what the gateway tells', () => {
  beforeEach(talk);

  it('reaches the page: captions, tools, who speaks', async () => {
    stand.tell('caption', { who: 'agent', text: 'Hello.', final: true, utteranceId: 'u1' });
    stand.tell('tool', { name: 'book_appointment', state: 'done' });
    stand.tell('speaking', { participantId: 'a', speaking: true });
    await until('all is told', () => told.speaking !== undefined);
    expect(told.caption).toEqual([{ who: 'agent', text: 'Hello.', final: true, utteranceId: 'u1' }]);
    expect(told.tool).toEqual([{ name: 'book_appointment', state: 'done' }]);
  });

  it('keeps count of who is here', async () => {
    stand.tell('participant.joined', { participantId: 'a', kind: 'agent' });
    stand.tell('participant.joined', { participantId: 'p', kind: 'phone' });
    stand.tell('participant.joined', { participantId: 'p', kind: 'phone' });
    stand.tell('participant.left', { participantId: 'a' });
    await until('four changes', () => told.participants?.length === 5);
    expect(told.participants?.at(-1)).toEqual([{ participantId: 'p', kind: 'phone' }]);
  });

  it('makes new voices heard, and old ones not', async () => {
    stand.tell('producer.added', { producerId: 'x', participantId: 'a' });
    stand.tell('producer.removed', { producerId: 'x', participantId: 'a' });
    stand.tell('ice.restart', { transportId: 't1' });
    await done('restart t1');
    expect(media.done).toEqual(['add x', 'remove x', 'restart t1']);
  });

  it('cannot end the call by failing in one voice', async () => {
    media.failure = new Error('no such producer');
    stand.tell('producer.added', { producerId: 'x', participantId: 'a' });
    await until('the trouble is told', () => told.trouble !== undefined);
    expect(told.trouble?.[0]?.message).toBe('no such producer');
    expect(client.state).toBe('talking');
  });
});

describe('the microphone', () => {
  beforeEach(talk);

  it('is muted and opened again', () => {
    client.mute(true);
    expect(client.muted).toBe(true);
    expect(client.levels().microphone).toBe(0);
    client.mute(false);
    expect(media.done).toEqual(['mute', 'unmute']);
    expect(told.muted).toEqual([true, false]);
  });

  it('is changed during the call, and the old one let go', async () => {
    await client.chooseMicrophone('headset');
    expect(media.done).toEqual(['use headset']);
    expect(microphones.inUse).toEqual(['headset']);
    expect(told.microphones?.at(-1)).toMatchObject({ chosenId: 'headset' });
  });

  it('stays what it was when the other cannot be had', async () => {
    microphones.problem = 'microphone-busy';
    await client.chooseMicrophone('headset');
    expect(microphones.inUse).toEqual(['default']);
    expect(told.microphones?.at(-1)).toMatchObject({ chosenId: 'default' });
    microphones.problem = undefined;
  });

  it('chosen between calls is the one of the next call', async () => {
    client.hangUp();
    await client.chooseMicrophone('headset');
    await talk();
    expect(microphones.inUse).toEqual(['headset']);
  });

  it('that is pulled out gives way to another', async () => {
    await client.chooseMicrophone('headset');
    microphones.unplug();
    await done('use default');
    expect(microphones.inUse).toEqual(['default']);
  });

  it('that was the only one ends the call', async () => {
    microphones.problem = 'microphone-missing';
    microphones.unplug();
    await state('microphone-missing');
  });

  it('that is plugged in can be chosen', async () => {
    microphones.plug({ deviceId: 'desk', label: 'Desk' });
    await until('three are told', () => told.microphones?.at(-1)?.choices.length === 3);
  });
});

describe('playback that the browser blocks', () => {
  it('is told, and begins with a click', async () => {
    await talk();
    media.events.emit('playbackBlocked', null);
    expect(told.playbackBlocked).toEqual([null]);
    await client.unblockPlayback();
    expect(media.done).toEqual(['unblock']);
  });
});
