import { afterEach, describe, expect, it } from 'vitest';
import { RELOAD_WITHIN_MS, type Joined } from '../../../src/web/wire.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import type { Browser } from '../../support/web/browser.ts';
import { DoorStage, WIDGET_KEY } from '../../support/web/door-stage.ts';
import { capabilitiesOf, dtlsParameters, microphone } from '../../support/web/media.ts';

const entry = { widgetKey: WIDGET_KEY, profile: 'clinic' };
let stage: DoorStage | undefined;

afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

async function open(options: Parameters<typeof DoorStage.open>[0] = {}): Promise<DoorStage> {
  stage = await DoorStage.open(options);
  return stage;
}

async function visitor(on: DoorStage): Promise<{ browser: Browser; joined: Joined }> {
  const browser = await on.browser();
  return { browser, joined: await browser.ask('join', entry) };
}

async function nothingIsLeft(on: DoorStage): Promise<void> {
  await until('the visit is over', () => on.door.census().visits === 0);
  expect(on.door.census()).toMatchObject({ visits: 0, guests: 0, transports: 0 });
  const open = { links: 0, voices: 0, patches: 0, routers: 0, transports: 0, producers: 0, consumers: 0 };
  expect(await on.rooms.census()).toMatchObject(open);
}

function endingOf(on: DoorStage, joined: Joined): string | undefined {
  return on.journal.get(joined.roomId)?.ending?.slug;
}

describe('a visit', () => {
  it('finds the agent in a room of its own, and says what may be consumed', async () => {
    const on = await open();
    const { joined } = await visitor(on);
    const [agent] = on.agents;
    expect(joined).toMatchObject({ role: 'visitor', codec: 'opus', resumed: false, iceServers: [] });
    expect(joined.permissions).toEqual(['publish', 'hear']);
    expect(joined.participants).toEqual([{ participantId: agent?.portId, kind: 'agent' }]);
    expect(joined.producers).toMatchObject([{ participantId: agent?.portId }]);
    expect(on.journal.get(joined.roomId)).toMatchObject({ source: 'web', tenant: 'clinic' });
    expect(on.door.census()).toEqual({ sockets: 1, visits: 1, guests: 1, transports: 0 });
  });

  it('goes through every step of the media, from the transport to mute', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const send = await browser.ask('transport.create', { direction: 'send' });
    const receive = await browser.ask('transport.create', { direction: 'receive' });
    expect(send.iceCandidates.map((one) => one.protocol).sort()).toEqual(['tcp', 'udp']);
    for (const { transportId } of [send, receive])
      expect(await browser.send('transport.connect', { transportId, dtlsParameters })).toEqual({ ok: true });
    const { producerId } = await browser.ask('produce', {
      transportId: send.transportId,
      rtpParameters: microphone('opus', 1234),
    });
    await browser.ask('producer.pause', { producerId });
    await browser.ask('producer.resume', { producerId });
    const [agent] = joined.producers;
    const consuming = await browser.ask('consume', {
      producerId: agent?.producerId ?? '',
      rtpCapabilities: capabilitiesOf(joined),
    });
    expect(consuming).toMatchObject({ kind: 'audio', participantId: agent?.participantId });
    expect(consuming.rtpParameters.codecs[0]?.mimeType).toBe('audio/opus');
    await browser.ask('consumer.resume', { consumerId: consuming.consumerId });
    await browser.ask('consumer.pause', { consumerId: consuming.consumerId });
    const restarted = await browser.ask('transport.restartIce', { transportId: send.transportId });
    expect(restarted.iceParameters.usernameFragment).not.toBe(send.iceParameters.usernameFragment);
    expect(on.door.census().transports).toBe(2);
    await browser.ask('producer.close', { producerId });
    expect(await browser.send('producer.pause', { producerId })).toMatchObject({ code: 'WEB_NOT_FOUND' });
  });

  it('wires the microphone to the agent, and unwires it', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    const { patches: before = -1 } = await on.rooms.census();
    const rtpParameters = microphone('opus', 77);
    const { producerId } = await browser.ask('produce', { transportId, rtpParameters });
    const room = on.rooms.rooms.get(joined.roomId);
    await until(
      'the visitor is in the room',
      () => room?.participantIds.includes(joined.participantId) === true,
    );
    expect(await on.rooms.census()).toMatchObject({ patches: before + 1 });
    await browser.ask('producer.close', { producerId });
    await until('it is out again', () => room?.participantIds.includes(joined.participantId) === false);
    expect(await on.rooms.census()).toMatchObject({ patches: before });
  });

  it('does not greet before the visitor can hear', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    await browser.ask('transport.create', { direction: 'receive' });
    const { consumerId } = await browser.ask('consume', {
      producerId: joined.producers[0]?.producerId ?? '',
      rtpCapabilities: capabilitiesOf(joined),
    });
    await browser.ask('consumer.resume', { consumerId });
    expect(on.agents[0]?.greeted).toBe(0);
  });

  it('replaces a microphone and a transport by the new one', async () => {
    const on = await open();
    const { browser } = await visitor(on);
    const first = await browser.ask('transport.create', { direction: 'send' });
    const make = (transportId: string, ssrc: number): ReturnType<typeof browser.ask<'produce'>> =>
      browser.ask('produce', { transportId, rtpParameters: microphone('opus', ssrc) });
    const one = await make(first.transportId, 1);
    const other = await make(first.transportId, 2);
    expect(await browser.send('producer.pause', one)).toMatchObject({ code: 'WEB_NOT_FOUND' });
    expect(await browser.send('producer.pause', other)).toEqual({ ok: true });
    const second = await browser.ask('transport.create', { direction: 'send' });
    expect(on.door.census().transports).toBe(1);
    const lost = { transportId: first.transportId };
    expect(await browser.send('transport.restartIce', lost)).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await make(second.transportId, 3);
  });
});

describe('a visitor reads along', () => {
  it('what both say, and what tools do', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const { roomId } = joined;
    on.journal.caption(roomId, { who: 'visitor', text: 'tomor', final: false, utteranceId: 'u1' });
    on.journal.caption(roomId, { who: 'visitor', text: 'tomorrow', final: true, utteranceId: 'u1' });
    on.journal.caption(roomId, { who: 'agent', text: '', final: true, utteranceId: 'i0' });
    on.journal.caption(roomId, { who: 'agent', text: 'At ten?', final: true, utteranceId: 'i1' });
    on.journal.caption('call_other', { who: 'agent', text: 'secret', final: true, utteranceId: 'i2' });
    const tool = { type: 'tool', name: 'book', arguments: {} } as const;
    on.journal.add(roomId, { ...tool, result: { ok: true } });
    on.journal.add(roomId, { ...tool, result: { ok: false, reason: 'taken' } });
    on.journal.add(roomId, { type: 'heard', text: 'not a tool' });
    await browser.hears('tool', ({ state }) => state === 'failed');
    expect(browser.told('tool').map(({ state }) => state)).toEqual(['done', 'failed']);
    expect(browser.told('caption').map(({ text }) => text)).toEqual(['tomor', 'tomorrow', 'At ten?']);
  });
});

describe('the end of a visit', () => {
  it('comes when the visitor hangs up', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    await browser.ask('transport.create', { direction: 'send' });
    expect(await browser.send('leave', {})).toEqual({ ok: true });
    expect(await browser.hears('ending')).toMatchObject({ slug: 'visitor-left' });
    await browser.gone();
    await nothingIsLeft(on);
    expect(endingOf(on, joined)).toBe('visitor-left');
    expect(on.agents[0]?.closed).toBe(true);
  });

  it.each([
    ['agent-hung-up', 'hangUp', { reason: 'done' }],
    ['model-unavailable', 'failed', { code: 'MODEL_UNAVAILABLE', detail: 'gone' }],
  ] as const)('%s comes when the agent says so', async (slug, name, payload) => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    on.agents[0]?.events.emit(name, payload);
    expect(await browser.hears('ending')).toMatchObject({ slug });
    await browser.gone();
    await nothingIsLeft(on);
    expect(endingOf(on, joined)).toBe(slug);
  });

  it('comes when it has lasted as long as it may', async () => {
    const clock = new ManualClock();
    const on = await open({ clock, durationMaxMs: 60_000 });
    const { browser, joined } = await visitor(on);
    clock.advance(60_000);
    expect(await browser.hears('ending')).toMatchObject({ slug: 'max-duration' });
    await nothingIsLeft(on);
    expect(endingOf(on, joined)).toBe('max-duration');
    expect(clock.pending).toBe(0);
  });

  it('comes when no sound can pass, after an ICE restart was asked for', async () => {
    const clock = new ManualClock();
    const on = await open({ clock });
    const { browser } = await visitor(on);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    await browser.ask('transport.connect', { transportId, dtlsParameters });
    clock.advance(5000);
    expect(await browser.hears('ice.restart')).toEqual({ transportId });
    expect(on.door.alerts).toBe(1);
    clock.advance(40_000);
    expect(await browser.hears('ending')).toMatchObject({ slug: 'ice-lost' });
    await nothingIsLeft(on);
  });

  it('comes when the gateway stops, and nobody is let in any more', async () => {
    const on = await open();
    const { browser } = await visitor(on);
    on.door.drain();
    const late = await on.browser();
    expect(await late.send('join', entry)).toMatchObject({ code: 'WEB_FULL' });
    await on.door.close();
    expect(browser.told('ending')).toMatchObject([{ slug: 'shutting-down' }]);
    await nothingIsLeft(on);
  });

  it('comes once, whatever follows', async () => {
    const on = await open();
    const { browser } = await visitor(on);
    on.agents[0]?.events.emit('hangUp', { reason: 'done' });
    on.agents[0]?.events.emit('failed', { code: 'MODEL_UNAVAILABLE', detail: 'late' });
    await browser.gone();
    expect(browser.told('ending')).toHaveLength(1);
    await nothingIsLeft(on);
  });
});

describe('a socket that is lost', () => {
  it('may be followed by another: the same participant, with the same transports', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    browser.close();
    await until('the gateway has noticed', () => on.door.census().sockets === 0);
    const next = await on.browser();
    const again = await next.ask('join', { resumeToken: joined.resumeToken });
    expect(again).toMatchObject({
      resumed: true,
      participantId: joined.participantId,
      roomId: joined.roomId,
    });
    expect(again.resumeToken).not.toBe(joined.resumeToken);
    await next.ask('transport.restartIce', { transportId });
    expect(on.agents).toHaveLength(1);
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1, transports: 1 });
  });

  it('is replaced at once when it only seems to live', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const next = await on.browser();
    expect(await next.ask('join', { resumeToken: joined.resumeToken })).toMatchObject({ resumed: true });
    await browser.gone();
    expect(await next.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1 });
  });

  it('cannot be resumed with a token that was used, made up, or is too old', async () => {
    const clock = new ManualClock();
    const on = await open({ clock });
    const { browser, joined } = await visitor(on);
    browser.close();
    await until('the gateway has noticed', () => on.door.census().sockets === 0);
    const next = await on.browser();
    const refused = { ok: false, code: 'WEB_RESUME_TOO_LATE' };
    expect(await next.send('join', { resumeToken: 'made-up' })).toMatchObject(refused);
    const { resumeToken } = await next.ask('join', { resumeToken: joined.resumeToken });
    next.close();
    await until('the gateway has noticed again', () => on.door.census().sockets === 0);
    const third = await on.browser();
    expect(await third.send('join', { resumeToken: joined.resumeToken })).toMatchObject(refused);
    clock.advance(29_999);
    expect(on.door.census().visits).toBe(1);
    clock.advance(1);
    await until('the visit is over', () => on.door.census().visits === 0);
    const fourth = await on.browser();
    expect(await fourth.send('join', { resumeToken })).toMatchObject(refused);
    expect(endingOf(on, joined)).toBe('visitor-lost');
    await nothingIsLeft(on);
  });
});

describe('a page that goes', () => {
  it('is silent at once, and may be loaded anew: the same participant, with new transports', async () => {
    const on = await open();
    const { browser, joined } = await visitor(on);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    await browser.ask('produce', { transportId, rtpParameters: microphone('opus', 3) });
    expect(await browser.send('page.gone', {})).toEqual({ ok: true });
    await browser.gone();
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1, transports: 0 });
    const next = await on.browser();
    const again = await next.ask('join', { resumeToken: joined.resumeToken });
    expect(again).toMatchObject({ resumed: true, participantId: joined.participantId });
    const made = await next.ask('transport.create', { direction: 'send' });
    await next.ask('produce', {
      transportId: made.transportId,
      rtpParameters: microphone('opus', 4),
    });
    expect(on.agents).toHaveLength(1);
    expect(on.agents[0]?.closed).toBe(false);
  });

  it('has been closed when nobody comes back', async () => {
    const clock = new ManualClock();
    const on = await open({ clock });
    const { browser, joined } = await visitor(on);
    await browser.ask('page.gone', {});
    await browser.gone();
    clock.advance(RELOAD_WITHIN_MS - 1);
    expect(on.door.census().visits).toBe(1);
    clock.advance(1);
    await nothingIsLeft(on);
    expect(endingOf(on, joined)).toBe('visitor-left');
    const late = await on.browser();
    const resume = { resumeToken: joined.resumeToken };
    expect(await late.send('join', resume)).toMatchObject({ code: 'WEB_RESUME_TOO_LATE' });
  });

  it('that says so twice, or leaves as well, goes once', async () => {
    const on = await open();
    const { browser } = await visitor(on);
    await Promise.allSettled([browser.send('page.gone', {}), browser.send('page.gone', {})]);
    await browser.gone();
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1 });
  });
});

describe('a worker that dies', () => {
  it('moves the visit: the browser is told, and makes its transports again', async () => {
    const on = await open({ workers: 2 });
    const { browser, joined } = await visitor(on);
    await browser.ask('transport.create', { direction: 'send' });
    const room = on.rooms.rooms.get(joined.roomId);
    const before = await room?.router();
    for (const pid of on.rooms.sfu.pids) if (before !== undefined) process.kill(pid, 'SIGKILL');
    const moved = await browser.hears('room.moved');
    expect(moved.producers).toMatchObject([{ participantId: on.agents[0]?.portId }]);
    expect(on.door.census().transports).toBe(0);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    await browser.ask('produce', { transportId, rtpParameters: microphone('opus', 9) });
    expect(browser.told('ending')).toEqual([]);
    await browser.ask('leave', {});
    await nothingIsLeft(on);
  });
});
