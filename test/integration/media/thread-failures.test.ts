import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Command } from '../../../src/media/control.ts';
import type { MediaThreadHandle, MediaThreads } from '../../../src/media/threads.ts';
import { POLICY } from '../../support/media/anchor-stage.ts';
import { startThreads } from '../../support/media/start-threads.ts';
import { until } from '../../support/until.ts';

let threads: MediaThreads;
let thread: MediaThreadHandle;
let errors: { thread: string; where: string; detail: string }[];
let deaths: string[];

async function use(options: Parameters<typeof startThreads>[0] = {}): Promise<void> {
  threads = await startThreads(options);
  thread = threads.leastLoaded();
  errors = [];
  deaths = [];
  threads.events.on('error', (error) => errors.push(error));
  threads.events.on('died', ({ reason }) => deaths.push(reason));
}

function openLeg(legId: string, on: MediaThreadHandle = thread): Promise<unknown> {
  return on.request({ type: 'leg.open', legId, policy: POLICY });
}

function openVoice(voiceId: string): Promise<null> {
  return thread.request({ type: 'voice.open', voiceId, codec: 'pcmu', spec: {} });
}

function tell(voiceId: string, command: string): Promise<null> {
  return thread.request({ type: 'voice.command', voiceId, command });
}

describe('commands that cannot be', () => {
  beforeAll(() => use());

  afterAll(() => threads.close());

  it.each<[string, unknown]>([
    ['of no known type', { type: 'leg.explode', legId: 'x' }],
    ['with a key too many', { type: 'census', why: 1 }],
    ['with a port out of range', { type: 'link.target', linkId: 'x', uplinkPort: 0, downlinkPort: 70_000 }],
    ['with letters as digits', { type: 'leg.dtmf', legId: 'x', digits: 'xyz', toneMs: 100, gapMs: 100 }],
    ['without an id', { type: 'leg.open', legId: '', policy: POLICY }],
    ['that are nothing', {}],
  ])('are answered with MEDIA_COMMAND_INVALID: %s', async (_what, command) => {
    await expect(thread.request(command as Command)).rejects.toMatchObject({ code: 'MEDIA_COMMAND_INVALID' });
    expect(await thread.request({ type: 'census' })).toMatchObject({ legs: 0 });
  });

  it.each<Command>([
    { type: 'leg.stats', legId: 'x' },
    { type: 'leg.close', legId: 'x' },
    { type: 'link.close', linkId: 'x' },
    { type: 'link.drop', linkId: 'x', ssrc: 1 },
    { type: 'voice.close', voiceId: 'x' },
    { type: 'voice.command', voiceId: 'x', command: 1 },
    { type: 'player.close', playerId: 'x' },
    { type: 'patch', from: 'x', to: 'y' },
  ])('are answered with MEDIA_NOT_OPEN where nothing is open: $type', async (command) => {
    await expect(thread.request(command)).rejects.toMatchObject({ code: 'MEDIA_NOT_OPEN' });
  });

  it('are ids that are taken, whatever has them', async () => {
    await openVoice('same');
    await expect(openVoice('same')).rejects.toMatchObject({ code: 'MEDIA_COMMAND_INVALID' });
    await expect(openLeg('same')).rejects.toMatchObject({ code: 'MEDIA_COMMAND_INVALID' });
    expect(await thread.request({ type: 'census' })).toMatchObject({
      voices: 1,
      legs: 0,
      sockets: 0,
      portsUsed: 0,
    });
    expect(thread.load).toBe(0);
    await thread.request({ type: 'voice.close', voiceId: 'same' });
  });

  it('leave nothing behind: a link to an unknown source', async () => {
    await thread.request({ type: 'link.open', linkId: 'l' });
    const track = { linkId: 'l', ssrc: 1, payloadType: 0, codec: 'pcmu' } as const;
    await expect(
      thread.request({ type: 'link.send', ...track, fromId: 'nobody', flowing: true }),
    ).rejects.toMatchObject({ code: 'MEDIA_NOT_OPEN' });
    await expect(thread.request({ type: 'link.open', linkId: 'l' })).rejects.toMatchObject({
      code: 'MEDIA_COMMAND_INVALID',
    });
    expect(await thread.request({ type: 'census' })).toMatchObject({ links: 1, patches: 0, sockets: 1 });
  });
});

describe('ports', () => {
  afterEach(() => threads.close());

  it('that are used up are told as such, and come back after their rest', async () => {
    const min = 33_000;
    await use({ rtpPortMin: min, rtpPortMax: min + 3, quarantineMs: 30 });
    await openLeg('1');
    await openLeg('2');
    await expect(openLeg('3')).rejects.toMatchObject({ code: 'RTP_PORTS_EXHAUSTED' });
    expect(thread.load).toBe(2);
    await thread.request({ type: 'leg.close', legId: '1' });
    // Rest: asked for until it is over.
    while ((await thread.request({ type: 'census' })).portsQuarantined > 0);
    await openLeg('3');
  });

  it('are shared out: two threads never use the same', async () => {
    await use({ count: 2, rtpPortMin: 33_101, rtpPortMax: 33_110 });
    const [one, two] = threads.handles;
    if (one === undefined || two === undefined) throw new Error('two threads');
    const ports: number[] = [];
    for (const handle of [one, two]) {
      for (const legId of ['a', 'b']) {
        ports.push((await handle.request({ type: 'leg.open', legId, policy: POLICY })).rtpPort);
      }
    }
    expect(new Set(ports).size).toBe(4);
    expect(ports.every((port) => port % 2 === 0 && port >= 33_102 && port <= 33_108)).toBe(true);
  });
});

describe('a voice that fails', () => {
  beforeEach(() => use());

  afterEach(() => threads.close());

  it('in its command is answered with MEDIA_FAILED, and told', async () => {
    await openVoice('v');
    await expect(tell('v', 'throw')).rejects.toMatchObject({ code: 'MEDIA_FAILED' });
    expect(errors).toEqual([
      expect.objectContaining({ where: 'command', detail: 'a voice threw in its command' }),
    ]);
    expect(threads.errors).toBe(1);
  });

  it('out of anybody’s reach is contained: the other calls go on', async () => {
    await openLeg('leg');
    await openVoice('v');
    await tell('v', 'reject');
    await until('told', () => errors.length === 1);
    expect(errors[0]).toMatchObject({ where: 'uncaught', detail: 'a voice rejected' });
    expect(await thread.request({ type: 'census' })).toMatchObject({ legs: 1, voices: 1 });
    expect(deaths).toEqual([]);
  });

  it('in a storm takes its thread down, and that is told once', async () => {
    await openVoice('v');
    const pending = expect(
      tell('v', 'storm').then(() => thread.request({ type: 'census' })),
    ).rejects.toMatchObject({
      code: 'MEDIA_THREAD_DIED',
    });
    await until('died', () => deaths.length === 1);
    await pending;
    await expect(thread.request({ type: 'census' })).rejects.toMatchObject({ code: 'MEDIA_THREAD_DIED' });
    expect(thread.load).toBe(0);
  });

  it('reports what it wants, to who asked about this voice', async () => {
    const told: unknown[] = [];
    thread.voiceEvents('v').on('event', (event) => told.push(event));
    await openVoice('v');
    await openVoice('w');
    await tell('w', 'hello');
    await tell('v', 'hello');
    await thread.request({ type: 'voice.close', voiceId: 'v' });
    expect(told).toEqual([{ type: 'opened' }, { type: 'commanded', command: 'hello' }, { type: 'closed' }]);
  });
});

describe('a thread', () => {
  afterEach(() => threads.close());

  it('that answers nothing is timed out', async () => {
    await use({ commandTimeoutMs: 200 });
    await openVoice('v');
    await expect(tell('v', 'hang')).rejects.toMatchObject({ code: 'MEDIA_COMMAND_TIMEOUT' });
    await threads.close();
    expect(errors.some(({ where }) => where === 'close')).toBe(true);
  });

  it('that dies is replaced, and the others take the calls meanwhile', async () => {
    // Its alarms ring at once, so that nobody waits for the restart; commands get no alarm.
    const clock = {
      nowMs: () => performance.now(),
      after: (delayMs: number, fire: () => void) => systemClock.after(delayMs === 1000 ? 0 : delayMs, fire),
    };
    await use({ count: 2, clock });
    await openVoice('v');
    await tell('v', 'storm').catch(() => null);
    await until('died', () => deaths.length === 1);
    expect(threads.leastLoaded()).not.toBe(thread);
    await until('replaced', () => threads.handles.length === 2);
    expect(threads.handles.map(({ name }) => name)).toEqual(['media-0', 'media-1']);
    expect((await threads.census()).every(({ census }) => census.voices === 0)).toBe(true);
    expect(threads.errors).toBeGreaterThan(0);
  });

  it('that cannot start is told, and none is left running', async () => {
    await expect(startThreads({ count: 2, agent: 'broken' })).rejects.toMatchObject({
      code: 'MEDIA_THREAD_DIED',
    });
  });

  it('with the fewest legs gets the next call', async () => {
    await use({ count: 2 });
    const used: string[] = [];
    for (let i = 0; i < 4; i++) {
      const handle = threads.leastLoaded();
      used.push(handle.name);
      void openLeg(`leg${i}`, handle);
    }
    expect(used.toSorted()).toEqual(['media-0', 'media-0', 'media-1', 'media-1']);
    await threads.census();
    expect(threads.handles.map(({ load }) => load)).toEqual([2, 2]);
  });

  it('ends by itself when it is closed with everything open', async () => {
    await use();
    await openLeg('leg');
    await openVoice('v');
    await thread.request({ type: 'link.open', linkId: 'l' });
    const track = { linkId: 'l', ssrc: 1, payloadType: 0, codec: 'pcmu' } as const;
    await thread.request({ type: 'link.send', ...track, fromId: 'leg', flowing: true });
    await thread.request({ type: 'patch', from: 'leg', to: 'v' });
    const play = { kind: 'tone', frequencyHz: 440, level: -10 } as const;
    await thread.request({ type: 'player.open', playerId: 'p', codec: 'pcmu', play });
    await Promise.all([threads.close(), threads.close()]);
    expect([errors, deaths]).toEqual([[], []]);
    await expect(thread.request({ type: 'census' })).rejects.toMatchObject({ code: 'MEDIA_THREAD_DIED' });
    expect(() => threads.leastLoaded()).toThrow(expect.objectContaining({ code: 'MEDIA_THREAD_DIED' }));
  });
});
