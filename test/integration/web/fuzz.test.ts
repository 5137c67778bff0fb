/**
 * Ten thousand bad messages against a real door, and floods, while a phone, an agent and a browser talk in
 * the very room that the senders are in: every question is answered or refused with a code that we know, and
 * of the sound of the three nothing is missing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offences_max } from '../../../src/web/asked-socket.ts';
import { SOCKET_PATH } from '../../../src/web/wire.ts';
import { SeededRandom } from '../../support/random.ts';
import { agent_hz, caller_hz, visitor_hz } from '../../support/room-sound.ts';
import { until } from '../../support/until.ts';
import { Browser } from '../../support/web/browser.ts';
import { capabilitiesOf } from '../../support/web/media.ts';
import { TalkingRoom, isComplete } from '../../support/web/talking-room.ts';
import { WildMedia } from '../../support/web/wild-media.ts';
import { WildMessages, type WildMessage } from '../../support/web/wild-messages.ts';

const seed = 20_261_126;
/** `FUZZ_MESSAGES=50000 vitest run test/integration/web/fuzz.test.ts` for more; an agent counts 60 s. */
const messages_total = Number(process.env['FUZZ_MESSAGES'] ?? 10_000);
/** As many as a socket may send of them without being put out. */
const noise_per_socket = offences_max - 1;
const media_per_socket = 200;
/** Two of five messages are questions that get as far as mediasoup. */
const media_share = 0.4;
/** Questions under way at a time on one socket, below the limit of the door. */
const batch = 20;
const sockets_at_a_time = 4;
const frames_total = 2000;
const frames_per_socket = 20;

/** Nobody missed anything of the others while `work` was done, and everybody hears them afterwards. */
async function undisturbed(talking: TalkingRoom, work: () => Promise<void>): Promise<void> {
  const receptions = await talking.receptions(work);
  expect(receptions.filter((one) => !isComplete(one))).toEqual([]);
  expect(await talking.tones()).toEqual({
    phone: [agent_hz, visitor_hz],
    visitor: [caller_hz, agent_hz],
    agent: [caller_hz, visitor_hz],
  });
  expect(talking.moves).toBe(0);
}

describe('messages that chance made up', () => {
  const codes = new Map<unknown, number>();
  let talking: TalkingRoom;
  let token: string;

  beforeAll(async () => {
    const limits = { messages_per_second: 1000, requests_pending_max: 100, sockets_per_address: 100 };
    talking = await TalkingRoom.open(limits);
    token = await talking.token();
  });

  afterAll(() => talking.close());

  async function sendAll(browser: Browser, total: number, next: () => Promise<unknown>): Promise<void> {
    for (let sent = 0; sent < total; sent += batch) {
      const length = Math.min(batch, total - sent);
      for (const code of await Promise.all(Array.from({ length }, next)))
        codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    await browser.ask('leave', {});
    await browser.gone();
  }

  async function asked(browser: Browser, { name, payload }: WildMessage): Promise<Record<string, unknown>> {
    return browser.send(name, payload).catch(() => ({ ok: false, code: 'no answer' }));
  }

  function codeOf(answer: Record<string, unknown>): unknown {
    return answer['ok'] === true ? 'ok' : answer['code'];
  }

  async function noise(random: SeededRandom): Promise<void> {
    const browser = await talking.stage.browser({ origin: null });
    await browser.ask('join', { token });
    const wild = new WildMessages(random);
    await sendAll(browser, noise_per_socket, async () => codeOf(await asked(browser, wild.next())));
  }

  async function toMediasoup(random: SeededRandom): Promise<void> {
    const browser = await talking.stage.browser({ origin: null });
    const joined = await browser.ask('join', { token });
    const producerId = joined.producers[0]?.producerId ?? '';
    const wild = new WildMedia(random, { producerId, rtpCapabilities: capabilitiesOf(joined) });
    for (const direction of ['send', 'receive'] as const) {
      const message = { name: 'transport.create', payload: { direction } };
      wild.learn(message, await browser.ask('transport.create', { direction }));
    }
    await sendAll(browser, media_per_socket, async () => {
      const message = wild.next();
      const answer = await asked(browser, message);
      wild.learn(message, answer);
      return codeOf(answer);
    });
  }

  it(`are refused with a code, ${messages_total} of them`, { timeout: 240_000 }, async () => {
    const mediaSockets = Math.round((messages_total * media_share) / media_per_socket);
    const noiseSockets = Math.ceil((messages_total - mediaSockets * media_per_socket) / noise_per_socket);
    const floods = [
      ...Array.from({ length: mediaSockets }, () => toMediasoup),
      ...Array.from({ length: noiseSockets }, () => noise),
    ].map((flood, index) => () => flood(new SeededRandom(seed + index)));
    const open = talking.stage.rooms.sfu.census();
    await undisturbed(talking, async () => {
      const lane = async (): Promise<void> => {
        for (let flood = floods.pop(); flood !== undefined; flood = floods.pop()) await flood();
      };
      await Promise.all(Array.from({ length: sockets_at_a_time }, lane));
    });
    const refused = ['WEB_MEDIA_REFUSED', 'WEB_MESSAGE_INVALID', 'WEB_NOT_FOUND', 'WEB_NOT_JOINED'];
    expect([...codes.keys()].sort()).toEqual([...refused, 'ok']);
    const answered = [...codes.values()].reduce((sum, one) => sum + one, 0);
    expect(answered).toBeGreaterThanOrEqual(messages_total);
    expect(codes.get('WEB_MEDIA_REFUSED')).toBeGreaterThan(messages_total * media_share * 0.05);
    expect(talking.stage.door.census()).toMatchObject({ guests: 0, transports: 0 });
    await until('nothing of them is left', () => {
      const { transports, producers } = talking.stage.rooms.sfu.census();
      return transports === open.transports && producers === open.producers;
    });
  });

  it('that are no Socket.IO end the sockets they came on', { timeout: 60_000 }, async () => {
    const wild = new WildMessages(new SeededRandom(seed));
    const { door } = talking.stage;
    const url = new URL(`${SOCKET_PATH}/?EIO=4&transport=websocket`, door.url.replace('http', 'ws'));
    await undisturbed(talking, async () => {
      for (let sent = 0; sent < frames_total; sent += frames_per_socket) {
        const socket = new WebSocket(url);
        const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
        await new Promise((resolve) => socket.addEventListener('open', resolve));
        // The namespace is entered, so that what follows reaches our own code, too.
        socket.send('40');
        for (let frame = 0; frame < frames_per_socket; frame += 1) socket.send(wild.nextFrame());
        socket.close();
        await closed;
      }
    });
    await until('nobody is left', () => door.census().sockets === 0, 20_000);
    expect(door.refusals.get('WEB_FAILED')).toBeUndefined();
  });
});

describe('a flood', () => {
  const limits = { messages_per_second: 50, requests_pending_max: 8, sockets_per_address: 10 };
  const flooders = 8;
  const messages_each = 1000;
  const sockets_tried = 200;
  let talking: TalkingRoom;
  let token: string;
  let calm: Browser;

  beforeAll(async () => {
    talking = await TalkingRoom.open(limits);
    token = await talking.token();
    calm = await talking.stage.browser({ origin: null });
    await calm.ask('join', { token });
  });

  afterAll(() => talking.close());

  it('of messages ends the socket that it comes on, and its guest', { timeout: 60_000 }, async () => {
    const { door } = talking.stage;
    await undisturbed(talking, async () => {
      for (let index = 0; index < flooders; index += 1) {
        const wild = await talking.stage.browser({ origin: null });
        await wild.ask('join', { token });
        for (let sent = 0; sent < messages_each; sent += 1)
          wild.socket.emit('transport.create', { direction: 'send' }, () => undefined);
        await wild.gone();
        expect(wild.told('ending')).toMatchObject([{ slug: 'dismissed' }]);
      }
    });
    expect(door.refusals.get('WEB_TOO_FAST')).toBe(flooders * offences_max);
    expect(door.census()).toMatchObject({ sockets: 1, guests: 1, transports: 0 });
    expect(await calm.send('transport.create', { direction: 'receive' })).toMatchObject({ ok: true });
    expect(calm.told('ending')).toEqual([]);
  });

  it('of sockets from one address is refused beyond their number', { timeout: 60_000 }, async () => {
    const { door } = talking.stage;
    let letIn = 0;
    await undisturbed(talking, async () => {
      const tries = Array.from({ length: sockets_tried }, () => Browser.connect(door.url, { origin: null }));
      for (const tried of await Promise.allSettled(tries)) {
        if (tried.status === 'rejected') continue;
        letIn += 1;
        tried.value.close();
      }
    });
    expect(letIn).toBe(limits.sockets_per_address - 1);
    expect(door.refusals.get('WEB_SOCKETS_EXHAUSTED')).toBe(sockets_tried - letIn);
    await until('those are gone', () => door.census().sockets === 1);
    expect(await calm.send('transport.create', { direction: 'send' })).toMatchObject({ ok: true });
    expect(calm.told('ending')).toEqual([]);
  });
});
