/** Who may hear whom in a browser: enforced by the gateway, and changed during the call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Joined } from '../../../src/web/wire.ts';
import type { Browser } from '../../support/web/browser.ts';
import { DoorStage } from '../../support/web/door-stage.ts';
import { capabilitiesOf, microphone } from '../../support/web/media.ts';
import { until } from '../../support/until.ts';

let stage: DoorStage;
let ssrc = 100;

beforeAll(async () => {
  stage = await DoorStage.open();
});

afterAll(() => stage.close());

/** Somebody in the room, with a microphone when it may have one. */
class Guest {
  readonly browser: Browser;
  readonly joined: Joined;
  producerId = '';

  private constructor(browser: Browser, joined: Joined) {
    this.browser = browser;
    this.joined = joined;
  }

  static async enter(roomId: string, role: string): Promise<Guest> {
    const browser = await stage.browser({ origin: null });
    const token = await stage.token({ room: roomId, role });
    const guest = new Guest(browser, await browser.ask('join', { token }));
    if (guest.joined.permissions.includes('publish')) {
      const { transportId } = await browser.ask('transport.create', { direction: 'send' });
      ssrc += 1;
      const rtpParameters = microphone('pcmu', ssrc);
      guest.producerId = (await browser.ask('produce', { transportId, rtpParameters })).producerId;
    }
    await browser.ask('transport.create', { direction: 'receive' });
    return guest;
  }

  get participantId(): string {
    return this.joined.participantId;
  }

  /** Whether the gateway lets it consume that. */
  async mayConsume(producerId: string): Promise<boolean> {
    const ask = { producerId, rtpCapabilities: capabilitiesOf(this.joined) };
    const answer = await this.browser.send('consume', ask);
    if (answer['ok'] !== true) expect(answer).toMatchObject({ code: 'WEB_NOT_FOUND' });
    return answer['ok'] === true;
  }

  told(name: 'producer.added' | 'producer.removed'): string[] {
    return this.browser.told(name).map(({ producerId }) => producerId);
  }
}

describe('a supervisor in a call', () => {
  it('listens at first: hears all, is heard by nobody, and the visitor does not know of it', async () => {
    const { room, roomId, callerId } = await stage.phoneCall();
    const visitor = await Guest.enter(roomId, 'visitor');
    const human = await Guest.enter(roomId, 'human');
    const supervisor = await Guest.enter(roomId, 'supervisor');
    await until('its sound is in the room', () => room.participantIds.includes(supervisor.participantId));
    expect(await supervisor.mayConsume(human.producerId)).toBe(true);
    expect(await supervisor.mayConsume(visitor.producerId)).toBe(true);
    expect(await human.mayConsume(supervisor.producerId)).toBe(false);
    expect(await visitor.mayConsume(supervisor.producerId)).toBe(false);
    expect(room.hears(callerId, supervisor.participantId)).toBe(false);
    const joinedAs = { participantId: supervisor.participantId, kind: 'supervisor' };
    expect(human.browser.told('participant.joined')).toContainEqual(joinedAs);
    expect(visitor.browser.told('participant.joined')).not.toContainEqual(joinedAs);
    expect(visitor.told('producer.added')).not.toContain(supervisor.producerId);
    await room.close();
  });

  it('whispers, barges in and falls silent again, in the thread and in every browser', async () => {
    const { room, roomId, callerId } = await stage.phoneCall();
    const visitor = await Guest.enter(roomId, 'visitor');
    const human = await Guest.enter(roomId, 'human');
    const supervisor = await Guest.enter(roomId, 'supervisor');
    const { browser, producerId, participantId } = supervisor;
    const mode = (wanted: 'listen' | 'whisper' | 'barge'): Promise<unknown> =>
      browser.ask('mode', { mode: wanted });
    await mode('whisper');
    await human.browser.hears('producer.added', (one) => one.producerId === producerId);
    expect(await human.mayConsume(producerId)).toBe(true);
    expect(await visitor.mayConsume(producerId)).toBe(false);
    expect(room.hears(callerId, participantId)).toBe(false);

    await mode('barge');
    await visitor.browser.hears('producer.added', (one) => one.producerId === producerId);
    await visitor.browser.hears('participant.joined', (one) => one.participantId === participantId);
    expect(await visitor.mayConsume(producerId)).toBe(true);
    expect(room.hears(callerId, participantId)).toBe(true);

    await mode('listen');
    await visitor.browser.hears('producer.removed', (one) => one.producerId === producerId);
    await human.browser.hears('producer.removed', (one) => one.producerId === producerId);
    await visitor.browser.hears('participant.left', (one) => one.participantId === participantId);
    expect(await visitor.mayConsume(producerId)).toBe(false);
    expect(await human.mayConsume(producerId)).toBe(false);
    expect(room.hears(callerId, participantId)).toBe(false);
    // What the human had of the whisper is closed at the gateway, not merely forgotten by its page.
    const router = await room.router();
    await until('nobody takes its sound but the phone', () => router.demand(producerId) <= 1);
    await room.close();
  });

  it('does what its token permits, and nobody else does any of it', async () => {
    const { room, roomId } = await stage.phoneCall();
    const [human, observer] = [await Guest.enter(roomId, 'human'), await Guest.enter(roomId, 'observer')];
    for (const mode of ['listen', 'whisper', 'barge']) {
      expect(await human.browser.send('mode', { mode })).toMatchObject({ code: 'WEB_FORBIDDEN' });
      expect(await observer.browser.send('mode', { mode })).toMatchObject({ code: 'WEB_FORBIDDEN' });
    }
    const mute = await stage.browser({ origin: null });
    const token = await stage.token({ room: roomId, role: 'supervisor', permissions: ['hear', 'whisper'] });
    await mute.ask('join', { token });
    expect(await mute.send('mode', { mode: 'barge' })).toMatchObject({ code: 'WEB_FORBIDDEN' });
    expect(await mute.send('mode', { mode: 'whisper' })).toMatchObject({ ok: true });
    expect(await mute.send('mode', { mode: 'listen' })).toMatchObject({ ok: true });
    expect(await mute.send('mode', { mode: 'shout' })).toMatchObject({ code: 'WEB_MESSAGE_INVALID' });
    await room.close();
  });
});

describe('held callers', () => {
  it('lose every voice and get them back', async () => {
    const { room, roomId, callerId } = await stage.phoneCall();
    const visitor = await Guest.enter(roomId, 'visitor');
    const human = await Guest.enter(roomId, 'human');
    expect(await visitor.mayConsume(human.producerId)).toBe(true);
    await room.setManners([
      [visitor.participantId, 'held'],
      [callerId, 'held'],
    ]);
    await visitor.browser.hears('producer.removed', (one) => one.producerId === human.producerId);
    await human.browser.hears('producer.removed', (one) => one.producerId === visitor.producerId);
    expect(await visitor.mayConsume(human.producerId)).toBe(false);
    expect(await human.mayConsume(visitor.producerId)).toBe(false);
    const before = visitor.told('producer.added').length;
    await room.setManners([[visitor.participantId, 'open']]);
    await until('it is told of the human again', () => visitor.told('producer.added').length > before);
    expect(await visitor.mayConsume(human.producerId)).toBe(true);
    await room.close();
  });
});
