/** Human agents at their desks, over real sockets: rung, accepting, holding, handing back, supervising. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Joined } from '../../../src/web/wire.ts';
import { until } from '../../support/until.ts';
import type { Browser } from '../../support/web/browser.ts';
import { DESK_KEY, DESK_SITE, DeskSocket } from '../../support/web/desk.ts';
import { DoorStage, OTHER_TENANT_KEY, TENANT_KEY, WIDGET_KEY } from '../../support/web/door-stage.ts';
import { microphone } from '../../support/web/media.ts';

let stage: DoorStage;
const desks: DeskSocket[] = [];

beforeAll(async () => {
  stage = await DoorStage.open();
});

afterEach(async () => {
  for (const desk of desks.splice(0)) desk.close();
  await until(
    'every desk is signed out',
    () => stage.desk.queue.staff('clinic').away === 0 && !stage.desk.queue.isStaffed('clinic'),
  );
});

afterAll(() => stage.close());

async function sit(name: string, role = 'human', key = TENANT_KEY): Promise<DeskSocket> {
  const token = await stage.token({ desk: true, role, name }, key);
  const desk = await DeskSocket.signIn(stage.door.url, token);
  desks.push(desk);
  return desk;
}

async function available(name: string, key = TENANT_KEY): Promise<DeskSocket> {
  const desk = await sit(name, 'human', key);
  await desk.ask('presence', { available: true });
  await desk.shows('that it takes calls', (state) => state.available);
  return desk;
}

/** A visitor whose agent asks for a human. */
async function visit(): Promise<{ visitor: Browser; joined: Joined; callId: string }> {
  const visitor = await stage.browser();
  const joined = await visitor.ask('join', { widgetKey: WIDGET_KEY, profile: 'clinic' });
  return { visitor, joined, callId: joined.roomId };
}

function request(callId: string): string {
  const wish = { callId, reason: 'asks for a nurse', briefing: 'Ms Wilson has a fever.', announced: true };
  const answer = stage.desk.queue.request(wish);
  if (!answer.taken) throw new Error(answer.why);
  return answer.handoffId;
}

/** The human's page enters the room, and the queue is told as soon as its microphone is through. */
async function enter(token: string, handoffId: string): Promise<Browser> {
  const human = await stage.browser({ origin: null });
  const { codec } = await human.ask('join', { token });
  const { transportId } = await human.ask('transport.create', { direction: 'send' });
  await human.ask('produce', { transportId, rtpParameters: microphone(codec, 77) });
  stage.desk.queue.tell(handoffId, 'joined');
  return human;
}

describe('signing in', () => {
  it('by a token of the tenant’s server, with the role that it names', async () => {
    const desk = await stage.token({ desk: true, role: 'supervisor', name: 'Sam' });
    const socket = await DeskSocket.connect(stage.door.url);
    desks.push(socket);
    expect(await socket.ask('signIn', { token: desk })).toMatchObject({
      ...{ name: 'Sam', role: 'supervisor', tenant: 'clinic' },
      state: { available: false, handoffs: [], colleagues: { available: 0, busy: 0, away: 0 } },
    });
  });

  const post = (body: object, origin?: string): Promise<Response> =>
    fetch(new URL('/v1/desk/sessions', stage.door.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(origin === undefined ? {} : { origin }) },
      body: JSON.stringify(body),
    });

  it('by the key of the configuration, from the desk’s own page alone', async () => {
    const response = await post({ key: DESK_KEY, name: 'Nora' }, DESK_SITE);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { token } = (await response.json()) as { token: string };
    desks.push(await DeskSocket.signIn(stage.door.url, token));
  });

  it.each<[string, object, string | undefined, number, string | undefined]>([
    ['another site', { key: DESK_KEY, name: 'Eve' }, 'https://evil.example', 403, 'WEB_ORIGIN_REFUSED'],
    ['no site', { key: DESK_KEY, name: 'Eve' }, undefined, 403, 'WEB_ORIGIN_REFUSED'],
    ['a wrong key', { key: 'guess', name: 'Eve' }, DESK_SITE, 401, 'WEB_KEY_INVALID'],
    [
      'a role that is not the key’s',
      { key: DESK_KEY, name: 'Eve', role: 'supervisor' },
      DESK_SITE,
      401,
      'WEB_KEY_INVALID',
    ],
    ['no name', { key: DESK_KEY, name: ' ' }, DESK_SITE, 400, undefined],
    [
      'a role that sits at no desk',
      { key: DESK_KEY, name: 'Eve', role: 'visitor' },
      DESK_SITE,
      400,
      undefined,
    ],
  ])('not from %s', async (_what, body, origin, status, code) => {
    const response = await post(body, origin);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { code?: string }).code).toBe(code);
  });

  it('not by any other token, nor twice, nor without one', async () => {
    const socket = await DeskSocket.connect(stage.door.url);
    desks.push(socket);
    expect(await socket.send('presence', { available: true })).toMatchObject({ code: 'WEB_NOT_JOINED' });
    for (const question of [{ profile: 'clinic' }, { profile: 'clinic', role: 'human' }]) {
      const token = await stage.token(question);
      expect(await socket.send('signIn', { token })).toMatchObject({ code: 'WEB_TOKEN_INVALID' });
    }
    expect(await socket.send('signIn', { token: 'abc' })).toMatchObject({ code: 'WEB_TOKEN_INVALID' });
    const token = await stage.token({ desk: true, role: 'human' });
    await socket.ask('signIn', { token });
    expect(await socket.send('signIn', { token })).toMatchObject({ code: 'WEB_NOT_JOINED' });
    expect((await stage.askToken({ desk: true, role: 'visitor' })).status).toBe(400);
    expect((await stage.askToken({ desk: true, profile: 'clinic', role: 'human' })).status).toBe(400);
    await expect(DeskSocket.connect(stage.door.url, 'https://evil.example')).rejects.toThrow();
  });

  it('a token that opens a desk opens no room', async () => {
    const browser = await stage.browser({ origin: null });
    const token = await stage.token({ desk: true, role: 'human' });
    expect(await browser.send('join', { token })).toMatchObject({ ok: false, code: 'WEB_NOT_FOUND' });
  });
});

describe('a caller who wants a human', () => {
  it('rings, is accepted once, is held and handed back', async () => {
    const [nora, omar] = [await available('Nora'), await available('Omar')];
    const { visitor, joined, callId } = await visit();
    const handoffId = request(callId);
    const { handoffs } = await nora.shows('a ring', (state) => state.handoffs[0]?.ringsHere === true);
    expect(handoffs[0]).toMatchObject({
      ...{ handoffId, callId, state: 'ringing', source: 'web', profile: 'clinic', mine: false, by: '' },
      ...{ reason: 'asks for a nurse', briefing: 'Ms Wilson has a fever.' },
    });
    const { sound } = await nora.ask('briefing', { handoffId });
    expect(Buffer.from(sound, 'base64').toString()).toBe('spoken: Ms Wilson has a fever.');
    await omar.shows('a ring', (state) => state.handoffs[0]?.ringsHere === true);

    const [first, second] = await Promise.all([
      nora.send('accept', { handoffId }),
      omar.send('accept', { handoffId }),
    ]);
    expect([first['ok'], second['ok']].filter((ok) => ok === true)).toHaveLength(1);
    const loser = first['ok'] === true ? second : first;
    expect(loser).toMatchObject({ ok: false, code: 'DESK_CALL_TAKEN' });
    const [winner, other] = first['ok'] === true ? [nora, omar] : [omar, nora];
    const token = String((first['ok'] === true ? first : second)['token']);
    await other.shows('who has it', (state) => state.handoffs[0]?.by !== '' && !state.handoffs[0]?.ringsHere);

    const human = await enter(token, handoffId);
    await winner.shows('its call', ({ handoffs: [one] }) => one?.mine === true && one.state === 'talking');
    const room = stage.rooms.rooms.get(callId);
    const { participantId } = joined;
    expect(room?.standing(participantId).manner).toBe('open');
    await human.ask('hold', { held: true });
    expect(await human.send('hold', { held: true })).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await until('the visitor has music', () => room?.standing(participantId).manner === 'held');
    await visitor.hears('producer.added', ({ participantId: from }) => from.startsWith('music'));
    await human.ask('hold', { held: false });
    await until('the visitor has the human', () => room?.standing(participantId).manner === 'open');
    await human.ask('handBack', {});
    expect(await human.hears('ending')).toMatchObject({ slug: 'visitor-left' });
    await winner.shows('an empty queue', (state) => state.handoffs.length === 0);
    expect(visitor.told('ending')).toEqual([]);
    await visitor.ask('leave', {});
  });

  it('is left by a page that goes away: music at once, the agent soon', async () => {
    const nora = await available('Nora');
    const { visitor, callId } = await visit();
    const handoffId = request(callId);
    await nora.shows('a ring', (state) => state.handoffs[0]?.ringsHere === true);
    const human = await enter((await nora.ask('accept', { handoffId })).token, handoffId);
    human.close();
    await nora.shows('music for the caller', ({ handoffs: [one] }) => one?.state === 'held');
    await visitor.ask('leave', {});
    await nora.shows('an empty queue', (state) => state.handoffs.length === 0);
  });

  it('may be ended by the human, for everybody', async () => {
    const nora = await available('Nora');
    const { visitor, callId } = await visit();
    const handoffId = request(callId);
    await nora.shows('a ring', (state) => state.handoffs[0]?.ringsHere === true);
    const human = await enter((await nora.ask('accept', { handoffId })).token, handoffId);
    await human.ask('end', {});
    expect(await visitor.hears('ending')).toMatchObject({ slug: 'human-hung-up' });
    await human.hears('ending');
    await until('it is recorded', () => stage.journal.get(callId)?.ending?.slug === 'human-hung-up');
    const timeline = stage.journal.get(callId)?.timeline ?? [];
    const steps = timeline.flatMap((one) => (one.type === 'handoff' ? [one.step] : []));
    expect(steps).toEqual(['requested', 'announced', 'rang', 'accepted', 'joined', 'call_over']);
  });

  it('is nothing to visitors: they can neither hold nor end a call', async () => {
    const { visitor } = await visit();
    for (const [name, ask] of [
      ['hold', { held: true }],
      ['end', {}],
      ['handBack', {}],
    ] as const)
      expect(await visitor.send(name, ask)).toMatchObject({ code: 'WEB_FORBIDDEN' });
    await visitor.ask('leave', {});
  });
});

describe('tenants', () => {
  it('a desk sees and gets the calls of its own tenant only', async () => {
    const [nora, stan] = [await available('Nora'), await available('Stan', OTHER_TENANT_KEY)];
    const { visitor, callId } = await visit();
    const handoffId = request(callId);
    await nora.shows('a ring', (state) => state.handoffs.length === 1);
    expect(stan.state.handoffs).toEqual([]);
    expect(await stan.send('accept', { handoffId })).toMatchObject({ code: 'DESK_CALL_TAKEN' });
    expect(await stan.send('briefing', { handoffId })).toMatchObject({ code: 'DESK_CALL_TAKEN' });
    const spy = await sit('Spy', 'supervisor', OTHER_TENANT_KEY);
    expect(spy.state.calls).toEqual([]);
    expect(await spy.send('supervise', { callId })).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await nora.ask('decline', { handoffId });
    await nora.shows('that it gave up', (state) => state.handoffs.length === 0);
    await visitor.ask('leave', {});
  });
});

describe('a supervisor', () => {
  it('sees the calls of the tenant as they come and go, and enters one to listen', async () => {
    const sam = await sit('Sam', 'supervisor');
    const { visitor, callId } = await visit();
    const { calls } = await sam.shows('the call', (state) =>
      state.calls.some((one) => one.callId === callId),
    );
    expect(calls.find((one) => one.callId === callId)).toMatchObject({
      source: 'web',
      with: 'agent',
      by: '',
    });
    const { token } = await sam.ask('supervise', { callId });
    const ears = await stage.browser({ origin: null });
    const joined = await ears.ask('join', { token });
    expect(joined.role).toBe('supervisor');
    const room = stage.rooms.rooms.get(callId);
    expect(room?.standing(joined.participantId).manner).toBe('listening');
    await ears.ask('mode', { mode: 'whisper' });
    await ears.ask('leave', {});
    await until('it is on the timeline', () =>
      (stage.journal.get(callId)?.timeline ?? []).some(
        (one) => one.type === 'supervised' && one.mode === 'left',
      ),
    );
    const supervised = stage.journal
      .get(callId)
      ?.timeline.flatMap((one) => (one.type === 'supervised' ? [`${one.by} ${one.mode}`] : []));
    expect(supervised).toEqual(['Sam listen', 'Sam whisper', 'Sam left']);
    await visitor.ask('leave', {});
    await sam.shows('that it is over', (state) => !state.calls.some((one) => one.callId === callId));
  });

  it('is no human agent: it is rung for nothing, and a human agent supervises nobody', async () => {
    const sam = await sit('Sam', 'supervisor');
    await sam.ask('presence', { available: true });
    expect(stage.desk.queue.isStaffed('clinic')).toBe(false);
    const nora = await available('Nora');
    const { visitor, callId } = await visit();
    expect(nora.state.calls).toEqual([]);
    expect(await nora.send('supervise', { callId })).toMatchObject({ code: 'WEB_FORBIDDEN' });
    await visitor.ask('leave', {});
  });
});

describe('bad messages', () => {
  it.each<[string, unknown]>([
    ['signIn', {}],
    ['presence', { available: 'yes' }],
    ['accept', { handoffId: '' }],
    ['accept', null],
    ['join', { token: 'a' }],
    ['nonsense', {}],
  ])('%s %j is refused, and nobody is disturbed', async (name, payload) => {
    const nora = await available('Nora');
    expect(await nora.send(name, payload)).toMatchObject({ ok: false, code: 'WEB_MESSAGE_INVALID' });
    expect(nora.socket.connected).toBe(true);
  });
});
