/** Bad messages of every kind: refused with a code, counted, and nobody else is disturbed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join_within_ms, offences_max } from '../../../src/web/asked-socket.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { Browser } from '../../support/web/browser.ts';
import { DoorStage, WIDGET_KEY } from '../../support/web/door-stage.ts';
import { capabilitiesOf, dtlsParameters, microphone } from '../../support/web/media.ts';

const entry = { widgetKey: WIDGET_KEY, profile: 'clinic' };

let stage: DoorStage;

beforeAll(async () => {
  stage = await DoorStage.open({ web: { limits: { messages_per_second: 1000, sockets_per_address: 40 } } });
});

afterAll(() => stage.close());

async function visitor(): Promise<Browser> {
  const browser = await stage.browser();
  await browser.ask('join', entry);
  return browser;
}

function counted(code: string): number {
  return [...stage.door.refusals].find(([one]) => one === code)?.[1] ?? 0;
}

describe('a page', () => {
  it.each(['websocket', 'polling'] as const)('of a site that is not listed gets no %s', async (transport) => {
    const before = counted('WEB_ORIGIN_REFUSED');
    await expect(
      Browser.connect(stage.door.url, { origin: 'http://evil.test', transport }),
    ).rejects.toThrow();
    expect(counted('WEB_ORIGIN_REFUSED')).toBe(before + 1);
  });

  it('may come by polling when it is listed', async () => {
    const browser = await stage.browser({ transport: 'polling' });
    expect(await browser.send('join', entry)).toMatchObject({ ok: true });
    await browser.ask('leave', {});
  });

  it('that names no origin needs a token', async () => {
    const browser = await stage.browser({ origin: null });
    expect(await browser.send('join', entry)).toMatchObject({ ok: false, code: 'WEB_KEY_INVALID' });
    const token = await stage.token({ profile: 'clinic' });
    expect(await browser.send('join', { token })).toMatchObject({ ok: true, role: 'visitor' });
    await browser.ask('leave', {});
  });

  it.each([
    ['an unknown key', { widgetKey: 'unknown-key', profile: 'clinic' }, 'WEB_KEY_INVALID'],
    ['another profile', { widgetKey: WIDGET_KEY, profile: 'sales' }, 'WEB_KEY_INVALID'],
    ['a token that is none', { token: 'abc' }, 'WEB_TOKEN_INVALID'],
    ['a resume token that is none', { resumeToken: 'abc' }, 'WEB_RESUME_TOO_LATE'],
    ['nothing', {}, 'WEB_MESSAGE_INVALID'],
    ['key and token', { widgetKey: WIDGET_KEY, profile: 'clinic', token: 'x' }, 'WEB_MESSAGE_INVALID'],
    ['a list', [WIDGET_KEY], 'WEB_MESSAGE_INVALID'],
    ['null', null, 'WEB_MESSAGE_INVALID'],
    ['a key of the wrong kind', { widgetKey: 7, profile: 'clinic' }, 'WEB_MESSAGE_INVALID'],
    ['a token without end', { token: 'x'.repeat(5000) }, 'WEB_MESSAGE_INVALID'],
  ])('that joins with %s is refused', async (_what, ask, code) => {
    const browser = await stage.browser();
    const before = counted(code);
    expect(await browser.send('join', ask)).toMatchObject({ ok: false, code });
    expect(counted(code)).toBe(before + 1);
    browser.close();
  });
});

describe('a question', () => {
  it('before join is refused, whatever it is', async () => {
    const browser = await stage.browser();
    const refused = { ok: false, code: 'WEB_NOT_JOINED' };
    expect(await browser.send('leave', {})).toMatchObject(refused);
    expect(await browser.send('transport.create', { direction: 'send' })).toMatchObject(refused);
    browser.close();
  });

  it('join is asked once', async () => {
    const browser = await visitor();
    expect(await browser.send('join', entry)).toMatchObject({ code: 'WEB_NOT_JOINED' });
    await browser.ask('leave', {});
  });

  it.each([
    ['leave', { really: true }],
    ['transport.create', { direction: 'sideways' }],
    ['transport.create', {}],
    ['transport.connect', { transportId: 'x', dtlsParameters: { fingerprints: [] } }],
    ['produce', { transportId: 'x', rtpParameters: { codecs: [] } }],
    ['constructor', {}],
    ['__proto__', {}],
    ['no.such.question', {}],
  ])('%s with %j is refused', async (name, ask) => {
    const browser = await visitor();
    expect(await browser.send(name, ask)).toMatchObject({ ok: false, code: 'WEB_MESSAGE_INVALID' });
    await browser.ask('leave', {});
  });

  it('on a socket that never joins is not waited for', async () => {
    const clock = new ManualClock();
    const patient = await DoorStage.open({ clock });
    try {
      const [silent, joined] = [await patient.browser(), await patient.browser()];
      await joined.ask('join', entry);
      clock.advance(join_within_ms - 1);
      expect(await silent.send('leave', {})).toMatchObject({ code: 'WEB_NOT_JOINED' });
      clock.advance(1);
      await silent.gone();
      expect(await joined.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
    } finally {
      await patient.close();
    }
  });

  it('that is none ends the socket when it is one of too many', async () => {
    const browser = await visitor();
    const before = counted('WEB_MESSAGE_INVALID');
    for (let sent = 1; sent < offences_max; sent += 1) await browser.send('nonsense', sent);
    expect(browser.socket.connected).toBe(true);
    browser.socket.emit('nonsense', offences_max);
    await browser.gone();
    expect(counted('WEB_MESSAGE_INVALID')).toBe(before + offences_max);
  });

  it('that is one of too many ends the visit at once, and nothing brings it back', async () => {
    const browser = await stage.browser();
    const { roomId, resumeToken } = await browser.ask('join', entry);
    const { visits } = stage.door.census();
    for (let sent = 0; sent < offences_max; sent += 1) browser.socket.emit('nonsense', sent);
    await browser.gone();
    expect(browser.told('ending')).toMatchObject([{ slug: 'dismissed' }]);
    await until('the visit is over', () => stage.door.census().visits === visits - 1);
    expect(stage.journal.get(roomId)?.ending?.slug).toBe('dismissed');
    const next = await stage.browser();
    expect(await next.send('join', { resumeToken })).toMatchObject({ code: 'WEB_RESUME_TOO_LATE' });
    next.close();
  });

  it('that is one of too many ends a visit that was about to begin', async () => {
    const browser = await stage.browser();
    const { visits, guests } = stage.door.census();
    const agents = stage.agents.length;
    browser.socket.emit('join', entry, () => undefined);
    for (let sent = 0; sent < offences_max; sent += 1) browser.socket.emit('nonsense', sent);
    await browser.gone();
    await until('the visit was opened', () => stage.agents.length === agents + 1);
    await until('it is over', () => stage.agents.at(-1)?.closed === true);
    await until('nobody is left of it', () => stage.door.census().visits === visits);
    expect(stage.door.census().guests).toBe(guests);
  });

  it('that comes after one too many is not looked at', async () => {
    const browser = await visitor();
    const before = counted('WEB_MESSAGE_INVALID');
    for (let sent = 0; sent < 2 * offences_max; sent += 1) browser.socket.emit('nonsense', sent);
    await browser.gone();
    expect(counted('WEB_MESSAGE_INVALID')).toBe(before + offences_max);
  });

  it('without an answer being wanted is counted', async () => {
    const browser = await visitor();
    const before = counted('WEB_MESSAGE_INVALID');
    browser.socket.emit('leave', {});
    browser.socket.emit('transport.create');
    await until('both are counted', () => counted('WEB_MESSAGE_INVALID') === before + 2);
    await browser.ask('leave', {});
  });

  it.each([
    ['transport.restartIce', { transportId: 'none' }],
    ['transport.connect', { transportId: 'none', dtlsParameters }],
    ['produce', { transportId: 'none', rtpParameters: microphone('opus', 5) }],
    ['producer.pause', { producerId: 'none' }],
    ['producer.close', { producerId: 'none' }],
    ['consume', { producerId: 'none', rtpCapabilities: {} }],
    ['consumer.resume', { consumerId: 'none' }],
  ])('%s for what is not there is refused', async (name, ask) => {
    const browser = await visitor();
    expect(await browser.send(name, ask)).toMatchObject({ ok: false, code: 'WEB_NOT_FOUND' });
    await browser.ask('leave', {});
  });

  it('for what belongs to another visitor is refused', async () => {
    const [one, other] = [await visitor(), await visitor()];
    const { transportId } = await one.ask('transport.create', { direction: 'send' });
    expect(await other.send('transport.restartIce', { transportId })).toMatchObject({
      code: 'WEB_NOT_FOUND',
    });
    const { producerId } = await one.ask('produce', { transportId, rtpParameters: microphone('opus', 6) });
    expect(await other.send('producer.close', { producerId })).toMatchObject({ code: 'WEB_NOT_FOUND' });
    const stolen = { producerId, rtpCapabilities: {} };
    expect(await other.send('consume', stolen)).toMatchObject({ code: 'WEB_NOT_FOUND' });
    expect(await one.send('consume', stolen)).toMatchObject({ code: 'WEB_NOT_FOUND' });
    await Promise.all([one.ask('leave', {}), other.ask('leave', {})]);
  });

  it('that mediasoup refuses, or that speaks another codec, is answered so', async () => {
    const browser = await stage.browser();
    const joined = await browser.ask('join', entry);
    const refused = { ok: false, code: 'WEB_MEDIA_REFUSED' };
    const { transportId } = await browser.ask('transport.create', { direction: 'send' });
    const receive = await browser.ask('transport.create', { direction: 'receive' });
    const pcmu = microphone('pcmu', 5);
    expect(await browser.send('produce', { transportId, rtpParameters: pcmu })).toMatchObject(refused);
    const opus = microphone('opus', 5);
    const onReceive = { transportId: receive.transportId, rtpParameters: opus };
    expect(await browser.send('produce', onReceive)).toMatchObject(refused);
    const unknown = { ...opus, codecs: opus.codecs.map((one) => ({ ...one, clockRate: 44_100 })) };
    expect(await browser.send('produce', { transportId, rtpParameters: unknown })).toMatchObject(refused);
    const deaf = { producerId: joined.producers[0]?.producerId, rtpCapabilities: { codecs: [] } };
    expect(await browser.send('consume', deaf)).toMatchObject(refused);
    const able = { ...deaf, rtpCapabilities: capabilitiesOf(joined) };
    expect(await browser.send('consume', able)).toMatchObject({ ok: true });
    await browser.ask('leave', {});
  });
});

describe('a flood', () => {
  it('of messages is held back, then cut off; others are not disturbed', async () => {
    const web = { limits: { messages_per_second: 20, requests_pending_max: 4 } };
    const flooded = await DoorStage.open({ web });
    try {
      const [calm, wild] = [await flooded.browser(), await flooded.browser()];
      await calm.ask('join', entry);
      await wild.ask('join', entry);
      for (let index = 0; index < 500; index += 1) wild.socket.emit('transport.create', {}, () => undefined);
      await wild.gone();
      expect(flooded.door.refusals.get('WEB_TOO_FAST')).toBeGreaterThan(50);
      expect(await calm.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
      expect(calm.told('ending')).toEqual([]);
    } finally {
      await flooded.close();
    }
  });

  it('of questions at a time is held back', async () => {
    const few = await DoorStage.open({ web: { limits: { requests_pending_max: 2 } } });
    try {
      const browser = await few.browser();
      await browser.ask('join', entry);
      const ask = { direction: 'send' };
      const answers = await Promise.all([1, 2, 3].map(() => browser.send('transport.create', ask)));
      expect(answers.map((one) => one['code'])).toEqual([undefined, undefined, 'WEB_TOO_FAST']);
    } finally {
      await few.close();
    }
  });

  it('of sockets from one address is refused, until some are closed', async () => {
    const few = await DoorStage.open({ web: { limits: { sockets_per_address: 2 } } });
    try {
      const [one] = [await few.browser(), await few.browser()];
      await expect(few.browser()).rejects.toThrow();
      expect(few.door.refusals.get('WEB_SOCKETS_EXHAUSTED')).toBe(1);
      one.close();
      await until('one is closed', () => few.door.census().sockets === 1);
      await few.browser();
    } finally {
      await few.close();
    }
  });

  it('of visits is refused', async () => {
    const few = await DoorStage.open({ web: { limits: { visits_max: 1 } } });
    try {
      const [one, other] = [await few.browser(), await few.browser()];
      await one.ask('join', entry);
      expect(await other.send('join', entry)).toMatchObject({ ok: false, code: 'WEB_FULL' });
    } finally {
      await few.close();
    }
  });

  it('of bytes ends the socket that sent them', async () => {
    const browser = await visitor();
    browser.socket.emit('leave', { text: 'x'.repeat(70_000) });
    await browser.gone();
  });
});
