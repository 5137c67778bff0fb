/** A room that is open already, entered with a token: a phone call's, or another visitor's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import type { Browser } from '../../support/web/browser.ts';
import { DoorStage, OTHER_TENANT_KEY, WIDGET_KEY } from '../../support/web/door-stage.ts';
import { capabilitiesOf, microphone } from '../../support/web/media.ts';

const entry = { widgetKey: WIDGET_KEY, profile: 'clinic' };
let stage: DoorStage;

beforeAll(async () => {
  stage = await DoorStage.open();
});

afterAll(() => stage.close());

async function enter(question: object): Promise<Browser> {
  const browser = await stage.browser({ origin: null });
  await browser.ask('join', { token: await stage.token(question) });
  return browser;
}

describe("a phone call's room", () => {
  it('takes a human agent, who speaks PCMU and finds the caller there', async () => {
    const { room, roomId, callerId } = await stage.phoneCall();
    const browser = await stage.browser({ origin: null });
    const token = await stage.token({ room: roomId, role: 'human' });
    const joined = await browser.ask('join', { token });
    expect(joined).toMatchObject({ roomId, role: 'human', codec: 'pcmu', resumed: false });
    expect(joined.permissions).toEqual(['publish', 'hear', 'end']);
    expect(joined.participants).toEqual([{ participantId: callerId, kind: 'phone' }]);
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    const opus = { transportId, rtpParameters: microphone('opus', 1) };
    expect(await browser.send('produce', opus)).toMatchObject({ code: 'WEB_MEDIA_REFUSED' });
    await browser.ask('produce', { transportId, rtpParameters: microphone('pcmu', 1) });
    await until('the phone hears the human', () => room.participantIds.includes(joined.participantId));
    await browser.ask('transport.create', { direction: 'receive' });
    const consuming = await browser.ask('consume', {
      producerId: joined.producers[0]?.producerId ?? '',
      rtpCapabilities: capabilitiesOf(joined),
    });
    expect(consuming).toMatchObject({ participantId: callerId });
    await browser.ask('leave', {});
    expect(await browser.hears('ending')).toMatchObject({ slug: 'visitor-left' });
    await until('the human is out', () => !room.participantIds.includes(joined.participantId));
    expect(stage.rooms.rooms.get(roomId)).toBe(room);
    await room.close();
  });

  it('tells its guests when it is closed', async () => {
    const { room, roomId } = await stage.phoneCall();
    const [one, other] = [
      await enter({ room: roomId, role: 'human' }),
      await enter({ room: roomId, role: 'observer' }),
    ];
    await room.close();
    expect(await one.hears('ending')).toMatchObject({ slug: 'room-closed' });
    expect(await other.hears('ending')).toMatchObject({ slug: 'room-closed' });
    await Promise.all([one.gone(), other.gone()]);
    await until('nobody is left', () => stage.door.census().guests === 0);
  });

  it('tells its guests who comes and goes, and what they can hear', async () => {
    const { room, roomId } = await stage.phoneCall();
    const one = await enter({ room: roomId, role: 'human' });
    const other = await stage.browser({ origin: null });
    const joined = await other.ask('join', { token: await stage.token({ room: roomId, role: 'human' }) });
    const { participantId } = joined;
    expect(await one.hears('participant.joined')).toEqual({ participantId, kind: 'human' });
    const { transportId } = await other.ask('transport.create', { direction: 'send' });
    const { producerId } = await other.ask('produce', {
      transportId,
      rtpParameters: microphone('pcmu', 4),
    });
    expect(await one.hears('producer.added')).toEqual({ producerId, participantId });
    expect(other.told('producer.added')).toEqual([]);
    const late = await stage.rooms.admitCaller(room, { codec: 'pcma', frequencyHz: 900 });
    const phone = { participantId: late.participantId, kind: 'phone' };
    expect(await one.hears('participant.joined', ({ kind }) => kind === 'phone')).toEqual(phone);
    await other.ask('leave', {});
    await one.hears('producer.removed', (gone) => gone.producerId === producerId);
    await one.hears('participant.left', (gone) => gone.participantId === participantId);
    await room.remove(late.participantId);
    await one.hears('participant.left', (gone) => gone.participantId === late.participantId);
    await room.close();
  });
});

describe('rights', () => {
  it('an observer hears, and cannot send', async () => {
    const { room, roomId } = await stage.phoneCall();
    const browser = await enter({ room: roomId, role: 'observer' });
    const send = { direction: 'send' };
    expect(await browser.send('transport.create', send)).toMatchObject({ code: 'WEB_FORBIDDEN' });
    const { transportId } = await browser.ask('transport.create', { direction: 'receive' });
    const produce = { transportId, rtpParameters: microphone('pcmu', 4) };
    expect(await browser.send('produce', produce)).toMatchObject({ code: 'WEB_FORBIDDEN' });
    await room.close();
  });

  it('who may not hear is told of no producer, and can consume none', async () => {
    const { room, roomId } = await stage.phoneCall();
    const listening = await stage.browser({ origin: null });
    const human = await stage.token({ room: roomId, role: 'human' });
    const { producers } = await listening.ask('join', { token: human });
    const browser = await stage.browser({ origin: null });
    const token = await stage.token({ room: roomId, role: 'human', permissions: ['publish'] });
    expect(await browser.ask('join', { token })).toMatchObject({ producers: [], permissions: ['publish'] });
    const receive = { direction: 'receive' };
    expect(await browser.send('transport.create', receive)).toMatchObject({ code: 'WEB_FORBIDDEN' });
    const consume = { producerId: producers[0]?.producerId, rtpCapabilities: {} };
    expect(await browser.send('consume', consume)).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await room.close();
  });

  it('nobody enters the room of another tenant', async () => {
    const { room, roomId } = await stage.phoneCall();
    const response = await stage.askToken({ room: roomId, role: 'human' }, OTHER_TENANT_KEY);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await room.close();
  });

  it('nobody enters a room that was closed meanwhile', async () => {
    const { room, roomId } = await stage.phoneCall();
    const token = await stage.token({ room: roomId, role: 'human' });
    await room.close();
    const browser = await stage.browser({ origin: null });
    expect(await browser.send('join', { token })).toMatchObject({ ok: false, code: 'WEB_NOT_FOUND' });
  });
});

describe("a visitor's room", () => {
  it('takes a second browser, and ends for both when the first one leaves', async () => {
    const first = await stage.browser();
    const { roomId, participantId } = await first.ask('join', entry);
    const second = await stage.browser({ origin: null });
    const joined = await second.ask('join', { token: await stage.token({ room: roomId, role: 'visitor' }) });
    expect(joined.codec).toBe('opus');
    expect(joined.participants.map(({ kind }) => kind).sort()).toEqual(['agent', 'visitor']);
    expect(joined.participants).toContainEqual({ participantId, kind: 'visitor' });
    await first.ask('leave', {});
    expect(await second.hears('ending')).toMatchObject({ slug: 'room-closed' });
    await until('nothing is left', () => stage.door.census().visits + stage.door.census().guests === 0);
  });

  it('goes on when the second one leaves', async () => {
    const first = await stage.browser();
    const { roomId } = await first.ask('join', entry);
    const second = await enter({ room: roomId, role: 'human' });
    await second.ask('leave', {});
    await second.gone();
    await first.hears('participant.left');
    expect(await first.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
    expect(first.told('ending')).toEqual([]);
    await first.ask('leave', {});
  });
});
