import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import type { Sfu } from '../../../src/media/sfu.ts';
import type { SfuRouter } from '../../../src/media/sfu-router.ts';
import {
  RouterLink,
  settle_retry_ms,
  tracks_max,
  type RoomTrackCodec,
  type Track,
} from '../../../src/room/router-link.ts';
import { DirectParty } from '../../support/router-party.ts';
import { ScriptedThread } from '../../support/scripted-thread.ts';
import { silentLog, startSfu } from '../../support/sfu.ts';
import { until } from '../../support/until.ts';

const caller = { participantId: 'caller', portId: 'leg', codec: 'pcmu' } as const;
const agent = { participantId: 'agent', portId: 'voice', codec: 'pcma' } as const;
const pcmu = { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 };
const nothing = { workers: 1, routers: 0, transports: 0, producers: 0, consumers: 0 };

let sfu: Sfu;
let thread: ScriptedThread;
let link: RouterLink;
let seen: string[];

beforeEach(async () => {
  sfu = await startSfu();
  thread = await ScriptedThread.open();
  seen = [];
});

afterEach(async () => {
  await link.close();
  await sfu.close();
  thread.close();
});

function open(
  options: { clock?: Clock; trackCodec?: RoomTrackCodec; added?: (track: Track) => void } = {},
): RouterLink {
  thread.onCommand = (command) => seen.push(command.type);
  const tell = (what: string, track: Track): Promise<void> => {
    seen.push(`${what} ${track.participantId}`);
    return Promise.resolve();
  };
  link = new RouterLink({
    linkId: 'link',
    trackCodec: options.trackCodec ?? 'g711',
    thread,
    sfu,
    tracks: {
      added: (track) => {
        options.added?.(track);
        return tell('added', track);
      },
      removed: (track) => tell('removed', track),
    },
    clock: options.clock ?? systemClock,
    log: silentLog,
  });
  return link;
}

/** Everybody else's producer in the router; nothing is sent on it. */
async function remoteProducer(
  router: SfuRouter,
  ssrc: number,
  appData: Record<string, unknown> = {},
  codec: { mimeType: string; payloadType: number; clockRate: number; channels?: number } = pcmu,
): Promise<string> {
  const transport = await router.createDirectTransport();
  const rtpParameters = { codecs: [codec], encodings: [{ ssrc }] };
  return (await transport.produce({ kind: 'audio', rtpParameters, appData })).id;
}

/** A clock that fires nothing by itself. */
function handClock(): { clock: Clock; due: { delayMs: number; fire: () => void }[] } {
  const due: { delayMs: number; fire: () => void }[] = [];
  const after: Clock['after'] = (delayMs, fire) => {
    due.push({ delayMs, fire });
    return () => undefined;
  };
  return { due, clock: { nowMs: () => systemClock.nowMs(), after } };
}

describe('a link', () => {
  it('is opened, aimed, and told of each voice before anybody hears it', async () => {
    open().add(caller);
    link.add(agent);
    await link.router();
    expect(thread.types).toEqual(['link.open', 'link.target', 'link.send', 'link.send']);
    const [target] = thread.of('link.target');
    expect(target?.uplinkPort).not.toBe(target?.downlinkPort);
    expect(thread.of('link.send')).toMatchObject([
      { linkId: 'link', fromId: 'leg', codec: 'pcmu', payloadType: 0, flowing: false },
      { linkId: 'link', fromId: 'voice', codec: 'pcma', payloadType: 8, flowing: false },
    ]);
    expect(sfu.census()).toEqual({ ...nothing, routers: 1, transports: 2, producers: 2 });
  });

  it('starts the flow with the first consumer and stops it with the last, once each', async () => {
    open().add(caller);
    const router = await link.router();
    const producerId = router.producers[0]?.producerId ?? '';
    const [one, two] = [await DirectParty.join(router), await DirectParty.join(router)];
    await one.consume(producerId);
    await two.consume(producerId);
    await link.router();
    one.close();
    await link.router();
    expect(thread.of('link.send').map(({ flowing }) => flowing)).toEqual([false, true]);
    two.close();
    await until('the flow stops', () => thread.of('link.send').length === 3);
    expect(thread.of('link.send').at(-1)).toMatchObject({ fromId: 'leg', flowing: false });
  });

  it('declares and patches a track before it lets its sound come', async () => {
    let paused: boolean | undefined;
    open({ added: ({ producerId }) => (paused = demand(producerId) === 0) });
    const router = await link.router();
    const demand = (producerId: string): number => router.demand(producerId);
    const producerId = await remoteProducer(router, 7, { participantId: 'visitor' });
    await until('the track flows', () => router.demand(producerId) === 1);
    expect(paused).toBe(true);
    expect(seen).toEqual(['link.open', 'link.target', 'link.receive', 'added visitor']);
  });

  it('unpatches a track before it drops it, and needs no tag to know it', async () => {
    open();
    const router = await link.router();
    const transport = await router.createDirectTransport();
    const codecs = [{ mimeType: 'audio/PCMA', payloadType: 8, clockRate: 8000 }];
    const { id } = await transport.produce({
      kind: 'audio',
      rtpParameters: { codecs, encodings: [{ ssrc: 9 }] },
    });
    await until('the track is there', () => seen.includes(`added ${id}`));
    transport.close();
    await until('the track is dropped', () => seen.includes('link.drop'));
    expect(seen.slice(2)).toEqual(['link.receive', `added ${id}`, `removed ${id}`, 'link.drop']);
    const [received] = thread.of('link.receive');
    expect(received).toMatchObject({ codec: 'pcma', payloadType: 8 });
    expect(thread.of('link.drop')).toMatchObject([{ ssrc: received?.ssrc }]);
  });

  it('takes no more tracks than the limit, and the next one when there is room again', async () => {
    open();
    const router = await link.router();
    const first = await router.createDirectTransport();
    const codecs = [{ mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 }];
    for (let ssrc = 1; ssrc <= tracks_max; ssrc += 1)
      await first.produce({ kind: 'audio', rtpParameters: { codecs, encodings: [{ ssrc }] } });
    await until('all are heard', () => thread.of('link.receive').length === tracks_max);
    const late = await remoteProducer(router, 5000, { participantId: 'late' });
    await link.router();
    expect(router.demand(late)).toBe(0);
    first.close();
    await until('the late one is heard', () => router.demand(late) === 1);
    expect(seen).toContain('added late');
  });

  it('takes a voice out without waiting for any router', async () => {
    process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
    await until('the worker is gone', () => sfu.census().workers === 0);
    open().add(caller);
    await link.remove('caller');
    await link.remove('caller');
    const router = await link.router();
    expect(router.producers).toEqual([]);
    expect(thread.of('link.send')).toEqual([]);
  });
});

describe('a lost router', () => {
  it('is replaced under the same SSRC, with the flow stopped and every track forgotten', async () => {
    open().add(caller);
    const old = await link.router();
    await (await DirectParty.join(old)).consume(old.producers[0]?.producerId ?? '');
    await remoteProducer(old, 7, { participantId: 'visitor' });
    await until(
      'sound flows both ways',
      () => seen.includes('added visitor') && thread.of('link.send').length === 2,
    );
    await link.router();
    const [told] = thread.of('link.send');
    thread.commands.length = 0;
    seen.length = 0;
    const routed = new Promise<SfuRouter>((resolve) => link.events.once('routed', resolve));
    process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
    const next = await routed;
    expect(seen).toEqual(['removed visitor', 'link.drop', 'link.send', 'link.target']);
    expect(thread.of('link.send')).toEqual([{ ...told, flowing: false }]);
    expect(next.producers.map((one) => one.tag['participantId'])).toEqual(['caller']);
    expect(thread.of('link.open')).toEqual([]);
  });

  it('is replaced even when it is lost while being moved into', async () => {
    let kills = 0;
    open();
    thread.onCommand = (command) => {
      if (command.type !== 'link.target' || kills >= 2) return;
      kills += 1;
      process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
    };
    link.add(caller);
    const router = await link.router();
    await until('it settled', () => router.closed || router.producers.length === 1);
    const last = await link.router();
    expect([kills, last.producers.length]).toEqual([2, 1]);
  });
});

describe('a thread that refuses', () => {
  it('the link itself: whoever opens it is told', async () => {
    thread.refused.add('link.open');
    await expect(open().opened()).rejects.toMatchObject({ code: 'MEDIA_NOT_OPEN' });
    await link.close();
    expect(sfu.census()).toEqual(nothing);
  });

  it('a voice: the link tries again after a while, and the rest goes on', async () => {
    const { clock, due } = handClock();
    thread.refused.add('link.send');
    open({ clock }).add(caller);
    await until('it failed', () => due.length === 1);
    expect(due[0]?.delayMs).toBe(settle_retry_ms);
    thread.refused.clear();
    due[0]?.fire();
    const router = await link.router();
    expect(router.producers).toHaveLength(1);
    expect(thread.of('link.send')).toHaveLength(2);
  });

  it('its aim: the router is given back, and another one is taken later', async () => {
    const { clock, due } = handClock();
    thread.refused.add('link.target');
    open({ clock }).add(caller);
    await until('it failed', () => due.length === 1);
    expect(sfu.census()).toEqual(nothing);
    thread.refused.clear();
    due[0]?.fire();
    expect((await link.router()).producers).toHaveLength(1);
    expect(sfu.census()).toMatchObject({ routers: 1, transports: 2 });
  });

  it('to forget: closing goes on all the same, and twice is once', async () => {
    open().add(caller);
    await link.router();
    thread.refused.add('link.close');
    thread.refused.add('link.drop');
    await link.remove('caller');
    await Promise.all([link.close(), link.close()]);
    await link.close();
    expect(thread.of('link.close')).toHaveLength(1);
    expect(sfu.census()).toEqual(nothing);
  });
});

describe('a room of browsers', () => {
  const opusCodec = { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 };

  it('has its voices in Opus, whatever they speak in the thread, and takes those of others', async () => {
    open({ trackCodec: 'opus' }).add(caller);
    link.add(agent);
    const router = await link.router();
    expect(router.producers.map(({ codec }) => codec)).toEqual(['opus', 'opus']);
    expect(thread.of('link.send')).toMatchObject([
      { fromId: 'leg', codec: 'opus', payloadType: 100 },
      { fromId: 'voice', codec: 'opus', payloadType: 100 },
    ]);
    await remoteProducer(router, 7, { participantId: 'visitor' }, opusCodec);
    await until('it is taken', () => seen.includes('added visitor'));
    const [received] = thread.of('link.receive');
    expect(received).toMatchObject({ codec: 'opus', payloadType: 100 });
  });

  it('goes on without libopus: who is in Opus is left out, and asked for once', async () => {
    thread.refusal = 'OPUS_UNAVAILABLE';
    thread.refused.add('link.receive');
    thread.refused.add('link.send');
    open({ trackCodec: 'opus' }).add(agent);
    const router = await link.router();
    const mute = await remoteProducer(router, 7, { participantId: 'mute' }, opusCodec);
    await until('it was tried', () => thread.of('link.receive').length === 1);
    await link.router();
    expect([router.demand(mute), sfu.census().consumers]).toEqual([0, 0]);
    thread.refused.delete('link.receive');
    const heard = await remoteProducer(router, 8, { participantId: 'heard' });
    await until('the next is heard', () => router.demand(heard) === 1);
    expect(thread.of('link.receive')).toHaveLength(2);
    expect(thread.of('link.send')).toHaveLength(1);
    await (await DirectParty.join(router)).consume(router.producers[0]?.producerId ?? '');
    await until('it was tried', () => thread.of('link.send').length === 2);
    expect(await link.router()).toBe(router);
  });
});

describe('closing', () => {
  it('ends whoever waits for the router', async () => {
    process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
    await until('the worker is gone', () => sfu.census().workers === 0);
    const waiting = open().router();
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
    await link.close();
    await refused;
    await expect(link.router()).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });

  it('at once leaves nothing in any worker', async () => {
    await open().close();
    expect(thread.types).toEqual(['link.open', 'link.close']);
    expect(sfu.census()).toEqual(nothing);
  });

  it.each(['link.target', 'link.send', 'link.receive'] as const)(
    'in the middle of %s leaves nothing in any worker',
    async (type) => {
      open();
      const closed = new Promise<void>((resolve) => {
        thread.onCommand = (command) => {
          if (command.type === type) resolve(link.close());
        };
      });
      link.add(caller);
      if (type === 'link.receive') await remoteProducer(await link.router(), 7);
      await closed;
      expect(thread.of('link.close')).toHaveLength(1);
      expect(sfu.census()).toEqual(nothing);
    },
  );
});
