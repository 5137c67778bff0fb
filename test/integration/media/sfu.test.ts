import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { TrunklineError } from '../../../src/base/errors.ts';
import type { Sfu } from '../../../src/media/sfu.ts';
import { respawn_calm_ms, respawn_first_ms, respawn_ms_max } from '../../../src/media/sfu-worker.ts';
import { DirectParty, PlainParty } from '../../support/router-party.ts';
import { lives, startSfu } from '../../support/sfu.ts';
import { tone } from '../../support/sound/level.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

const nothing = { routers: 0, transports: 0, producers: 0, consumers: 0 };
let sfu: Sfu | undefined;

/** A clock that stands still; the last thing asked for is fired by hand. */
class ManualClock implements Clock {
  due: { readonly delayMs: number; readonly fire: () => void } | undefined;
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    this.due = { delayMs, fire };
    return () => (this.due = undefined);
  }

  fire(): void {
    const { due } = this;
    this.due = undefined;
    due?.fire();
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }
}

async function start(options: Parameters<typeof startSfu>[0] = {}): Promise<Sfu> {
  sfu = await startSfu(options);
  return sfu;
}

afterEach(async () => {
  await sfu?.close();
  sfu = undefined;
});

describe('workers', () => {
  it('start one process each, and are gone after close', async () => {
    const sfu = await start({ workers: 2 });
    const pids = [...sfu.pids];
    expect(new Set(pids).size).toBe(2);
    expect(sfu.census()).toEqual({ workers: 2, ...nothing });
    await sfu.close();
    expect(pids.filter(lives)).toEqual([]);
    expect(sfu.census().workers).toBe(0);
  });

  it('leave no signal listeners behind: the gateway drains before they go', async () => {
    const before = [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')];
    await start({ workers: 2 });
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual(before);
  });

  it('that are not there are named with the remedy', async () => {
    const failure = await startSfu({ workerBinary: '/nowhere/mediasoup-worker' }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TrunklineError);
    expect(failure).toMatchObject({ code: 'WORKER_BINARY_MISSING' });
    expect(String(failure)).toContain('npm run setup');
  });

  it('do not start on a port that is taken, and none is left running', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    await expect(startSfu({ webRtcPort: port })).rejects.toMatchObject({ code: 'WORKER_BINARY_MISSING' });
    squatter.close();
  });

  it('share the routers evenly, even when they are asked for at once', async () => {
    const sfu = await start({ workers: 2 });
    await Promise.all(Array.from({ length: 6 }, () => sfu.createRouter()));
    const [first = 0] = sfu.pids;
    process.kill(first, 'SIGKILL');
    await until('half of the routers are lost', () => sfu.census().routers === 3);
  });

  it('come back after SIGKILL, and routers are asked for meanwhile without an error', async () => {
    const sfu = await start();
    const router = await sfu.createRouter();
    const [pid = 0] = sfu.pids;
    const lost = new Promise((resolve) => router.events.once('lost', resolve));
    process.kill(pid, 'SIGKILL');
    await lost;
    expect([router.closed, sfu.census()]).toEqual([true, { workers: 0, ...nothing }]);
    const next = await sfu.createRouter();
    expect(next.closed).toBe(false);
    expect(sfu.pids).not.toContain(pid);
    expect(sfu.census()).toEqual({ workers: 1, ...nothing, routers: 1 });
  });

  it('that die again and again are started ever more slowly, and quickly after a calm life', async () => {
    const clock = new ManualClock();
    const sfu = await start({ clock });
    const delaysMs: number[] = [];
    const die = async (): Promise<void> => {
      process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
      await until('the death is noticed', () => clock.due !== undefined);
      delaysMs.push(clock.due?.delayMs ?? 0);
      clock.fire();
      await until('it is back', () => sfu.census().workers === 1);
    };
    for (let deaths = 0; deaths < 10; deaths += 1) await die();
    const doubled = Array.from({ length: 10 }, (_, n) => Math.min(respawn_ms_max, respawn_first_ms * 2 ** n));
    expect(delaysMs).toEqual(doubled);
    clock.pass(respawn_calm_ms);
    await die();
    expect(delaysMs.at(-1)).toBe(respawn_first_ms);
  });

  it('are killed when they hang at the end', async () => {
    const clock = new ManualClock();
    const sfu = await start({ clock });
    const [pid = 0] = sfu.pids;
    process.kill(pid, 'SIGSTOP');
    const closed = sfu.close();
    await until('patience is counted', () => clock.due !== undefined);
    clock.fire();
    await closed;
    expect(lives(pid)).toBe(false);
  });

  it('let whoever waits for a router give up', async () => {
    const sfu = await start();
    const router = await sfu.createRouter();
    const giveUp = new AbortController();
    const refused = new Promise<unknown>((resolve) => {
      router.events.once('lost', () => {
        sfu.createRouter(giveUp.signal).catch(resolve);
        giveUp.abort(new Error('the caller hung up'));
      });
    });
    process.kill(sfu.pids[0] ?? 0, 'SIGKILL');
    expect(await refused).toMatchObject({ message: 'the caller hung up' });
  });

  it('make no router after close', async () => {
    const sfu = await start();
    await Promise.all([sfu.close(), sfu.close()]);
    await expect(sfu.createRouter()).rejects.toMatchObject({ code: 'SFU_CLOSED' });
  });
});

describe('a router', () => {
  it('offers G.711 under its static payload types, Opus and telephone-event', async () => {
    const router = await (await start()).createRouter();
    const codecs = router.rtpCapabilities.codecs ?? [];
    expect(codecs.map((one) => one.mimeType)).toEqual(
      expect.arrayContaining([
        'audio/opus',
        'audio/PCMU',
        'audio/PCMA',
        'audio/G722',
        'audio/telephone-event',
      ]),
    );
    expect(codecs.find((one) => one.mimeType === 'audio/PCMU')?.preferredPayloadType).toBe(0);
    expect(codecs.find((one) => one.mimeType === 'audio/PCMA')?.preferredPayloadType).toBe(8);
  });

  it('gives a browser UDP and TCP candidates at the announced address', async () => {
    const router = await (await start({ announcedAddress: 'sound.example.org' })).createRouter();
    const { iceCandidates } = await router.createWebRtcTransport();
    expect(iceCandidates.map((one) => one.protocol).sort()).toEqual(['tcp', 'udp']);
    expect(new Set(iceCandidates.map((one) => one.address))).toEqual(new Set(['sound.example.org']));
  });

  it('tells of every producer that comes and goes, with its tag and codec', async () => {
    const router = await (await start()).createRouter();
    const seen: unknown[] = [];
    router.events.on('producerAdded', ({ codec, tag }) => seen.push(['added', codec, tag]));
    router.events.on('producerRemoved', ({ codec, tag }) => seen.push(['removed', codec, tag]));
    const party = await PlainParty.join(router, 'pcma');
    const producer = await party.produce('visitor');
    expect(router.producers.map((one) => one.producerId)).toEqual([producer.id]);
    producer.close();
    expect(seen).toEqual([
      ['added', 'pcma', { participantId: 'visitor' }],
      ['removed', 'pcma', { participantId: 'visitor' }],
    ]);
    expect(router.producers).toEqual([]);
    party.close();
  });

  it('counts who wants a producer: joining, pausing, muting, leaving', async () => {
    const router = await (await start()).createRouter();
    const party = await PlainParty.join(router, 'pcmu');
    const listener = await DirectParty.join(router);
    const producer = await party.produce('visitor');
    const counts: number[] = [];
    router.events.on('demandChanged', ({ consumers }) => counts.push(consumers));
    const one = await listener.consume(producer.id);
    const two = await listener.consume(producer.id);
    await one.pause();
    await one.resume();
    await producer.pause();
    await until('nobody gets sound of a muted producer', () => router.demand(producer.id) === 0);
    await producer.resume();
    await until('both get sound again', () => router.demand(producer.id) === 2);
    one.close();
    two.close();
    expect(counts).toEqual([1, 2, 1, 2, 1, 0, 1, 2, 1, 0]);
    party.close();
    listener.close();
  });

  it('carries a tone from one PlainTransport to another and to a DirectTransport', async () => {
    const sfu = await start();
    const router = await sfu.createRouter();
    const [speaker, plain] = [await PlainParty.join(router, 'pcmu'), await PlainParty.join(router, 'pcmu')];
    const direct = await DirectParty.join(router);
    const producer = await speaker.produce('speaker');
    await Promise.all([plain.consume(producer.id), direct.consume(producer.id)]);
    await speaker.endpoint.play(tone(440, 1000));
    await until('both hear it', () => Math.min(plain.heard.length, direct.heard.length) >= 50);
    for (const payloads of [plain.heard, direct.heard].map((heard) => heard.map((one) => one.payload)))
      expect(toneLevels(payloads, 'pcmu', [440])[0]).toBeGreaterThan(-20);
    for (const party of [speaker, plain, direct]) party.close();
    router.close();
    expect(sfu.census()).toEqual({ workers: 1, ...nothing });
  });

  it('that closes while something is being made in it leaves no trace in the census', async () => {
    const sfu = await start();
    for (let round = 0; round < 10; round += 1) {
      const router = await sfu.createRouter();
      const party = await PlainParty.join(router, 'pcmu');
      const producing = party.produce('visitor').catch(() => undefined);
      const opening = router.createDirectTransport().catch(() => undefined);
      router.close();
      await Promise.all([producing, opening]);
      expect(router.producers).toEqual([]);
      party.close();
    }
    expect(sfu.census()).toEqual({ workers: 1, ...nothing });
  });

  it('that is closed on purpose is not lost', async () => {
    const router = await (await start()).createRouter();
    let lost = false;
    router.events.on('lost', () => (lost = true));
    router.close();
    router.close();
    expect([router.closed, lost]).toEqual([true, false]);
  });
});
