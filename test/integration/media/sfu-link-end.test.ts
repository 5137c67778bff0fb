import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/media/frame.ts';
import type { Sfu } from '../../../src/media/sfu.ts';
import { SfuLinkEnd } from '../../../src/media/sfu-link-end.ts';
import type { SfuRouter } from '../../../src/media/sfu-router.ts';
import { PAYLOAD_TYPE_OF, RtpEndpoint } from '../../support/phone/rtp-endpoint.ts';
import { DirectParty, PlainParty } from '../../support/router-party.ts';
import { startSfu } from '../../support/sfu.ts';
import { tone } from '../../support/sound/level.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

let sfu: Sfu;
let router: SfuRouter;
/** The thread's end: one socket for both ways. */
let socket: RtpEndpoint;
let end: SfuLinkEnd;

beforeAll(async () => {
  sfu = await startSfu();
});

beforeEach(async () => {
  router = await sfu.createRouter();
  await openEnd('pcmu');
});

afterEach(() => {
  socket.close();
  router.close();
  expect(sfu.census()).toEqual({ workers: 1, routers: 0, transports: 0, producers: 0, consumers: 0 });
});

afterAll(() => sfu.close());

async function openEnd(codec: Codec): Promise<void> {
  socket = await RtpEndpoint.open(codec);
  end = await SfuLinkEnd.open(router, { linkId: 'link', port: socket.port });
}

function produce(codec: Codec = 'pcmu'): Promise<string> {
  return end.produce({ participantId: 'caller', codec, ssrc: socket.ssrc });
}

function sendTo(port: number): void {
  socket.sendTo({ address: '127.0.0.1', port });
}

describe('the uplink', () => {
  it.each(['pcmu', 'pcma'] as const)('takes %s from the link’s socket, byte for byte', async (codec) => {
    socket.close();
    end.close();
    await openEnd(codec);
    const listener = await DirectParty.join(router);
    await listener.consume(await produce(codec));
    sendTo(end.uplinkPort);
    await socket.play(tone(440, 800));
    await until('it is heard', () => listener.heard.length >= 40);
    const [level = -Infinity] = toneLevels(
      listener.heard.map((one) => one.payload),
      codec,
      [440],
    );
    expect(level).toBeGreaterThan(-20);
    listener.close();
  });

  it('hears nobody but the link’s socket, not even under the right SSRC', async () => {
    const stranger = await RtpEndpoint.open('pcmu');
    const producerId = await end.produce({ participantId: 'caller', codec: 'pcmu', ssrc: stranger.ssrc });
    stranger.sendTo({ address: '127.0.0.1', port: end.uplinkPort });
    await stranger.play(tone(440, 200));
    expect(await router.packetsFrom(producerId)).toBe(0);
    const ours = await produce();
    sendTo(end.uplinkPort);
    await socket.play(tone(700, 200));
    expect(await router.packetsFrom(ours)).toBeGreaterThan(0);
    expect(await router.packetsFrom(producerId)).toBe(0);
    stranger.close();
  });

  it('names its producers, so that they are known for ours', async () => {
    await produce();
    const visitor = await PlainParty.join(router, 'pcmu');
    await visitor.produce('visitor');
    expect(router.producers.map((one) => [one.tag['participantId'], end.owns(one)])).toEqual([
      ['caller', true],
      ['visitor', false],
    ]);
    visitor.close();
  });

  it('refuses a second producer with the same SSRC', async () => {
    await produce();
    await expect(produce()).rejects.toThrow('ssrc');
  });

  it('ends a producer with all who consume it', async () => {
    const producerId = await produce();
    const listener = await DirectParty.join(router);
    const consumer = await listener.consume(producerId);
    const closed = new Promise<void>((resolve) => consumer.once('producerclose', resolve));
    end.stopProducing(producerId);
    end.stopProducing(producerId);
    await closed;
    expect(router.producers).toEqual([]);
    listener.close();
  });
});

describe('the downlink', () => {
  it('brings a remote producer under the SSRC and payload type that it told, from its one port', async () => {
    const visitor = await PlainParty.join(router, 'pcmu');
    const producer = await visitor.produce('visitor');
    const arrival = await end.consume(producer.id);
    await end.resume(producer.id);
    await visitor.endpoint.play(tone(1000, 600));
    const heard = socket.received.packets.filter((one) => one.payloadType === PAYLOAD_TYPE_OF.pcmu);
    expect(arrival).toMatchObject({ codec: 'pcmu', payloadType: 0 });
    expect(heard.length).toBeGreaterThan(20);
    expect(new Set(heard.map((one) => one.ssrc))).toEqual(new Set([arrival.ssrc]));
    const [level = -Infinity] = toneLevels(
      heard.map((one) => one.payload),
      'pcmu',
      [1000],
    );
    expect(level).toBeGreaterThan(-20);
    visitor.close();
  });

  it('is silent until it is resumed', async () => {
    const visitor = await PlainParty.join(router, 'pcma');
    const producer = await visitor.produce('visitor');
    const arrival = await end.consume(producer.id);
    await visitor.endpoint.play(tone(1000, 200));
    const ours = (): number => socket.received.packets.filter((one) => one.ssrc === arrival.ssrc).length;
    expect(ours()).toBe(0);
    await end.resume(producer.id);
    await until('it flows', () => ours() > 0);
    visitor.close();
  });

  it('gives each remote producer an SSRC of its own', async () => {
    const visitors = await Promise.all(
      ['pcmu', 'pcma'].map((codec) => PlainParty.join(router, codec as Codec)),
    );
    const arrivals = [];
    for (const visitor of visitors) arrivals.push(await end.consume((await visitor.produce('visitor')).id));
    expect(new Set(arrivals.map(({ ssrc }) => ssrc)).size).toBe(2);
    expect(arrivals.map(({ codec, payloadType }) => [codec, payloadType])).toEqual([
      ['pcmu', 0],
      ['pcma', 8],
    ]);
    for (const visitor of visitors) visitor.close();
  });

  it('refuses what no media thread can decode', async () => {
    const transport = await router.createDirectTransport();
    const codecs = [{ mimeType: 'audio/G722', payloadType: 9, clockRate: 8000 }];
    const producer = await transport.produce({
      kind: 'audio',
      rtpParameters: { codecs, encodings: [{ ssrc: 5 }] },
    });
    await expect(end.consume(producer.id)).rejects.toThrow();
    transport.close();
  });

  it('lets go of a producer when it is told to, and when the producer ends', async () => {
    const visitor = await PlainParty.join(router, 'pcmu');
    const producer = await visitor.produce('visitor');
    await end.consume(producer.id);
    await end.resume(producer.id);
    expect(router.demand(producer.id)).toBe(1);
    end.stopConsuming(producer.id);
    end.stopConsuming(producer.id);
    expect(router.demand(producer.id)).toBe(0);
    await end.consume(producer.id);
    visitor.close();
    await until('the consumer is gone', () => sfu.census().consumers === 0);
    await end.resume(producer.id);
  });
});

describe('both', () => {
  it('listen on ports of their own, and close with everything on them, once', async () => {
    await produce();
    expect(end.uplinkPort).not.toBe(end.downlinkPort);
    expect(sfu.census()).toMatchObject({ transports: 2, producers: 1 });
    end.close();
    end.close();
    expect(sfu.census()).toMatchObject({ routers: 1, transports: 0, producers: 0 });
  });

  it('listen where they are told to, beside the phone’s RTP ports', async () => {
    const range = { min: 50_100, max: 50_199 };
    const narrow = await startSfu({ loopbackPorts: range });
    const there = await SfuLinkEnd.open(await narrow.createRouter(), { linkId: 'link', port: socket.port });
    for (const port of [there.uplinkPort, there.downlinkPort]) {
      expect(port).toBeGreaterThanOrEqual(range.min);
      expect(port).toBeLessThanOrEqual(range.max);
    }
    await narrow.close();
  });

  it('fail with the reason when no port is left', async () => {
    const one = { min: end.uplinkPort, max: end.uplinkPort };
    const full = await startSfu({ loopbackPorts: one });
    const opening = SfuLinkEnd.open(await full.createRouter(), { linkId: 'link', port: socket.port });
    await expect(opening).rejects.toThrow('no more available ports');
    await full.close();
  });
});
