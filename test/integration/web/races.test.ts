/** Things that happen at once, or in an order that nobody wished for. */
import { afterEach, describe, expect, it } from 'vitest';
import { newId } from '../../../src/base/ids.ts';
import { until } from '../../support/until.ts';
import { DoorStage, WIDGET_KEY } from '../../support/web/door-stage.ts';
import { microphone } from '../../support/web/media.ts';

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

async function nothingIsLeft(on: DoorStage): Promise<void> {
  await until('every visit is over', () => on.door.census().visits + on.door.census().guests === 0);
  const parts = { links: 0, voices: 0, patches: 0, routers: 0, transports: 0, producers: 0 };
  expect(await on.rooms.census()).toMatchObject(parts);
  expect(on.rooms.rooms.size).toBe(0);
}

describe('a socket', () => {
  it('that is gone before it was let in leaves a participant that can be given up', async () => {
    const on = await open();
    const browser = await on.browser();
    browser.socket.emit('join', entry, () => undefined);
    browser.close();
    await until('the gateway has noticed', () => on.door.census().sockets === 0);
    await on.door.close();
    await nothingIsLeft(on);
  });

  it('that joins twice at once is let in once', async () => {
    const on = await open();
    const browser = await on.browser();
    const answers = await Promise.all([browser.send('join', entry), browser.send('join', entry)]);
    expect(answers.map((one) => one['ok']).sort()).toEqual([false, true]);
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1 });
    await browser.ask('leave', {});
    await nothingIsLeft(on);
  });

  it('that leaves while it makes its transports leaves nothing behind', async () => {
    const on = await open();
    const browser = await on.browser();
    await browser.ask('join', entry);
    const made = [1, 2, 3].map(() => browser.send('transport.create', { direction: 'send' }));
    await Promise.allSettled([...made, browser.send('leave', {})]);
    await browser.gone();
    await nothingIsLeft(on);
  });

  it('that asks after it has left is told so, or nothing', async () => {
    const on = await open();
    const browser = await on.browser();
    await browser.ask('join', entry);
    const [left, late] = await Promise.allSettled([
      browser.send('leave', {}),
      browser.send('leave', {}),
      browser.send('transport.create', { direction: 'send' }),
    ]);
    expect(left).toMatchObject({ status: 'fulfilled', value: { ok: true } });
    expect(late.status).toBe('fulfilled');
    await browser.gone();
    expect(browser.told('ending')).toHaveLength(1);
    await nothingIsLeft(on);
  });

  it('that comes back twice with one token is let in once', async () => {
    const on = await open();
    const browser = await on.browser();
    const { resumeToken } = await browser.ask('join', entry);
    const [one, other] = [await on.browser(), await on.browser()];
    const answers = await Promise.all([one, other].map((again) => again.send('join', { resumeToken })));
    expect(answers.map((answer) => answer['code'])).toContain('WEB_RESUME_TOO_LATE');
    expect(answers.map((answer) => answer['ok'])).toContain(true);
    expect(on.door.census()).toMatchObject({ visits: 1, guests: 1 });
  });
});

describe('visits', () => {
  it('beside each other know nothing of each other', async () => {
    const on = await open();
    const browsers = await Promise.all([1, 2, 3].map(() => on.browser()));
    const joins = await Promise.all(browsers.map((browser) => browser.ask('join', entry)));
    expect(new Set(joins.map(({ roomId }) => roomId)).size).toBe(3);
    expect(new Set(joins.map(({ participantId }) => participantId)).size).toBe(3);
    const [first, ...others] = browsers;
    const { transportId = '' } = (await first?.ask('transport.create', { direction: 'send' })) ?? {};
    await first?.ask('produce', { transportId, rtpParameters: microphone('opus', 5) });
    await first?.ask('leave', {});
    await until('one is over', () => on.door.census().visits === 2);
    for (const other of others) {
      expect(await other.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
      expect(other.told('producer.added')).toEqual([]);
      expect(other.told('participant.left')).toEqual([]);
    }
    await Promise.all(others.map((other) => other.ask('leave', {})));
    await nothingIsLeft(on);
  });

  it('that open while the gateway closes are closed with it', async () => {
    const on = await open();
    const browsers = await Promise.all([1, 2, 3, 4].map(() => on.browser()));
    for (const browser of browsers) browser.socket.emit('join', entry, () => undefined);
    await until('one has begun', () => on.door.census().visits > 0);
    await on.door.close();
    await nothingIsLeft(on);
    for (const browser of browsers) await browser.gone();
  });

  it('whose room is closed by somebody else are over', async () => {
    const on = await open();
    const browser = await on.browser();
    const { roomId } = await browser.ask('join', entry);
    await on.rooms.rooms.get(roomId)?.close();
    expect(await browser.hears('ending')).toMatchObject({ slug: 'room-closed' });
    await nothingIsLeft(on);
    expect(on.journal.get(roomId)?.ending?.slug).toBe('room-closed');
  });
});

describe('a room', () => {
  it('that two browsers enter at once, and leave at once, goes on without them', async () => {
    const on = await open();
    const roomId = newId('call');
    const origin = { sipCallId: 'abc', trunk: 'local', from: 'a', to: 'b', profile: 'clinic' };
    on.journal.open({ callId: roomId, tenant: 'clinic', ...origin });
    const room = await on.rooms.rooms.open({ roomId, thread: on.rooms.thread });
    const token = await on.token({ room: roomId, role: 'human' });
    for (let round = 0; round < 3; round += 1) {
      const browsers = await Promise.all([1, 2].map(() => on.browser({ origin: null })));
      await Promise.all(browsers.map((browser) => browser.ask('join', { token })));
      expect(on.door.census().guests).toBe(2);
      const told = browsers.map((browser) => browser.told('participant.joined').length);
      expect(told[0] === 1 || told[1] === 1).toBe(true);
      await Promise.all(browsers.map((browser) => browser.ask('leave', {})));
      await until('both are out', () => on.door.census().guests === 0);
    }
    expect(on.rooms.rooms.get(roomId)).toBe(room);
    await room.close();
    await nothingIsLeft(on);
  });

  it('moved by the loss of its worker takes back a browser that was away meanwhile', async () => {
    const on = await open({ workers: 1 });
    const browser = await on.browser();
    const joined = await browser.ask('join', entry);
    await browser.ask('transport.create', { direction: 'send' });
    browser.close();
    await until('the gateway has noticed', () => on.door.census().sockets === 0);
    for (const pid of on.rooms.sfu.pids) process.kill(pid, 'SIGKILL');
    await until('the transports are gone', () => on.door.census().transports === 0);
    const again = await on.browser();
    const back = await again.ask('join', { resumeToken: joined.resumeToken });
    expect(back).toMatchObject({ resumed: true, participantId: joined.participantId });
    expect(back.producers).toMatchObject([{ participantId: on.agents[0]?.portId }]);
    const { transportId } = await again.ask('transport.create', { direction: 'send' });
    await again.ask('produce', { transportId, rtpParameters: microphone('opus', 5) });
    await again.ask('leave', {});
    await nothingIsLeft(on);
  });
});
