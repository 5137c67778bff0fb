import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emit } from '../../../src/media/frame.ts';
import type { Codec, Frame } from '../../../src/media/frame.ts';
import { transcode } from '../../../src/media/g711.ts';
import { openOpusStates } from '../../../src/media/opus.ts';
import { SfuLink, TRACKS_MAX } from '../../../src/media/sfu-link.ts';
import { Tone } from '../../../src/media/tone.ts';
import { SocketLedger } from '../../../src/media/udp.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Collector, frameOf, testSource } from '../../support/media/parts.ts';
import { rtpPacket } from '../../support/media/packets.ts';
import { checkUnbroken, RtpParty } from '../../support/media/rtp-party.ts';
import { SeededRandom } from '../../support/random.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

const TRACK = { ssrc: 0xabcdef01, payloadType: 0, codec: 'pcmu' as const };

let clock: ManualClock;
let ledger: SocketLedger;
let errors: unknown[];
let link: SfuLink;
/** The router's two PlainTransports: packets go to one and come from the other. */
let uplink: RtpParty;
let downlink: RtpParty;

beforeEach(async () => {
  clock = new ManualClock();
  ledger = new SocketLedger();
  errors = [];
  link = await SfuLink.open({ linkId: 'link', ledger, clock, onError: (error) => errors.push(error) });
  uplink = await RtpParty.open({ targetPort: link.port });
  downlink = await RtpParty.open({ targetPort: link.port });
  link.target({ uplinkPort: uplink.port, downlinkPort: downlink.port });
});

afterEach(async () => {
  await Promise.all([link.close(), link.close(), uplink.close(), downlink.close()]);
  expect(ledger.open).toBe(0);
  expect(errors).toEqual([]);
});

describe('sending to the router', () => {
  it('gives frames on untouched, under the SSRC and payload type that were agreed', async () => {
    const source = testSource();
    const sender = link.sender(TRACK);
    sender.flowing = true;
    const random = new SeededRandom(10);
    const payloads = Array.from({ length: 20 }, () => random.bytes(160));
    for (const [i, payload] of payloads.entries()) {
      sender.take(frameOf({ payload, rtpTimestamp: 900 + i * 160 }), source);
      clock.advance(20);
    }
    await uplink.heard(20);
    checkUnbroken(uplink.received);
    expect(uplink.received.map((packet) => Buffer.from(packet.payload))).toEqual(payloads);
    expect(uplink.received[0]).toMatchObject({ ssrc: TRACK.ssrc, payloadType: 0, marker: true });
    expect(uplink.received.filter((packet) => packet.marker)).toHaveLength(1);
  });

  it('translates the other law', async () => {
    const sender = link.sender({ ...TRACK, payloadType: 8, codec: 'pcma' });
    sender.flowing = true;
    const payload = new SeededRandom(11).bytes(160);
    const expected = new Uint8Array(160);
    transcode('pcmu', payload, expected);
    sender.take(frameOf({ payload, codec: 'pcmu' }), testSource());
    await uplink.heard(1);
    expect(uplink.received[0]).toMatchObject({ payloadType: 8, payload: expected });
  });

  it('sends nothing while nobody listens there, nor before it knows where to', async () => {
    const sender = link.sender(TRACK);
    sender.take(frameOf({ value: 1 }), testSource());
    sender.flowing = true;
    sender.take(frameOf({ value: 2 }), testSource());
    await uplink.heard(1);
    expect(uplink.received.map((packet) => packet.payload[0])).toEqual([2]);
    const lonely = await SfuLink.open({ linkId: 'l', ledger, clock, onError: (error) => errors.push(error) });
    const nowhere = lonely.sender(TRACK);
    nowhere.flowing = true;
    nowhere.take(frameOf({ value: 1 }), testSource());
    await lonely.close();
  });

  it('keeps one line over pauses, changes of source and gaps', async () => {
    const [one, other] = [testSource({ id: 'one' }), testSource({ id: 'other' })];
    const sender = link.sender(TRACK);
    sender.flowing = true;
    const say = (source: typeof one, rtpTimestamp: number): void => {
      sender.take(frameOf({ rtpTimestamp: rtpTimestamp >>> 0 }), source);
      clock.advance(20);
    };
    for (let i = 0; i < 5; i++) say(one, 0xfffffff0 + i * 160);
    for (let i = 0; i < 5; i++) say(other, 77_777_777 + i * 160);
    say(other, 77_777_777 + 9 * 160);
    sender.flowing = false;
    clock.advance(980);
    say(other, 1);
    sender.flowing = true;
    for (let i = 0; i < 5; i++) say(one, i * 160);
    await uplink.heard(16);
    checkUnbroken(uplink.received);
    const [first] = uplink.received;
    const at = uplink.received.map((packet) => ((packet.timestamp - (first?.timestamp ?? 0)) >>> 0) / 160);
    expect(at).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 65, 66, 67, 68, 69]);
  });

  it('goes on with the same line when the room moves to another router', async () => {
    const next = await RtpParty.open();
    const sender = link.sender(TRACK);
    sender.flowing = true;
    sender.take(frameOf({ rtpTimestamp: 0 }), testSource({ id: 's' }));
    await uplink.heard(1);
    link.target({ uplinkPort: next.port, downlinkPort: downlink.port });
    expect(link.sender({ ...TRACK, payloadType: 100 })).toBe(sender);
    sender.take(frameOf({ rtpTimestamp: 160 }), testSource({ id: 's' }));
    await next.heard(1);
    checkUnbroken([...uplink.received, ...next.received].map((packet) => ({ ...packet, payloadType: 0 })));
    expect(next.received[0]?.payloadType).toBe(100);
    await next.close();
  });

  it('passes over frames that are not 20 ms', async () => {
    const sender = link.sender(TRACK);
    sender.flowing = true;
    sender.take(frameOf({ payload: new Uint8Array(80) }), testSource());
    sender.take(frameOf({ value: 4 }), testSource());
    await uplink.heard(1);
    expect(uplink.received[0]?.payload[0]).toBe(4);
  });
});

describe('receiving from the router', () => {
  it('feeds each source by its SSRC', async () => {
    const sinks = [1, 2].map((ssrc) => {
      const sink = new Collector();
      link.receiver(`source-${ssrc}`, { ...TRACK, ssrc }).sinks = [sink];
      return sink;
    });
    for (let i = 0; i < 6; i++) {
      downlink.ssrc = 1 + (i % 2);
      await downlink.raw(Buffer.alloc(0));
      await downlink.speak(i, { sequence: Math.floor(i / 2), timestamp: Math.floor(i / 2) * 160 });
    }
    await until('heard', () => sinks.every((sink) => sink.frames.length === 3));
    expect(sinks.map((sink) => sink.frames.map((frame) => frame.payload[0]))).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
    expect(sinks.map((sink) => sink.from[0])).toEqual(['source-1', 'source-2']);
    expect(link.droppedMalformed).toBe(6);
  });

  it('listens to the router’s two ports only, to known SSRCs and to their payload type', async () => {
    const sink = new Collector();
    link.receiver('source', { ...TRACK, ssrc: 1 }).sinks = [sink];
    const stranger = await RtpParty.open({ targetPort: link.port });
    stranger.ssrc = 1;
    await stranger.speak(1);
    await until('counted', () => link.droppedForeignSource === 1);
    downlink.ssrc = 99;
    await downlink.speak(2);
    downlink.ssrc = 1;
    await downlink.speak(3, { payloadType: 8 });
    await downlink.raw(Buffer.from('80c90001' + '00000001' + '0000000000000000', 'hex'));
    await until('counted', () => link.droppedUnknown === 3);
    uplink.ssrc = 1;
    await uplink.speak(4);
    await until('heard', () => sink.frames.length === 1);
    await stranger.close();
  });

  it('ends with drop, which names what it ended', async () => {
    const sender = link.sender({ ...TRACK, ssrc: 5 });
    const receiver = link.receiver('source', { ...TRACK, ssrc: 6 });
    expect(link.ports).toEqual([sender, receiver]);
    expect(link.drop(5)).toEqual([sender]);
    expect(link.drop(6)).toEqual([receiver]);
    expect(link.drop(6)).toEqual([]);
    downlink.ssrc = 6;
    await downlink.speak(1);
    await until('counted', () => link.droppedUnknown === 1);
    expect(receiver.packets).toBe(0);
  });

  it('refuses an SSRC twice, and more tracks than its limit', () => {
    link.receiver('a', TRACK);
    expect(() => link.receiver('b', TRACK)).toThrow(
      expect.objectContaining({ code: 'MEDIA_COMMAND_INVALID' }),
    );
    for (let ssrc = 1; ssrc < TRACKS_MAX; ssrc++) link.receiver(`s${ssrc}`, { ...TRACK, ssrc });
    expect(() => link.receiver('more', { ...TRACK, ssrc: 9999 })).toThrow(
      expect.objectContaining({ code: 'MEDIA_COMMAND_INVALID' }),
    );
  });
});

describe('a track in Opus', () => {
  const OPUS = { ...TRACK, payloadType: 100, codec: 'opus' as const };
  const before = openOpusStates();

  /** 20 ms of a tone, as the `index`th frame of its source. */
  const toneFrames = (codec: Codec, frames: number): Frame[] => {
    const tone = new Tone([1000], -12);
    return Array.from({ length: frames }, (_, index) => {
      const payload = new Uint8Array(160);
      tone.fill(codec, payload);
      return frameOf({ codec, payload, rtpTimestamp: index * 160, marker: index === 0 });
    });
  };

  it.each(['pcmu', 'pcma'] as const)('is sent from %s on the 48 kHz clock, and read back', async (codec) => {
    const [speaker, sink] = [testSource(), new Collector()];
    const sender = link.sender(OPUS);
    sender.flowing = true;
    link.receiver('back', { ...OPUS, ssrc: 2 }).sinks = [sink];
    for (const frame of toneFrames(codec, 40)) {
      sender.take(frame, speaker);
      clock.advance(20);
    }
    await uplink.heard(40);
    const start = uplink.received[0]?.timestamp ?? 0;
    uplink.received.forEach(({ payloadType, timestamp, marker, payload }, i) => {
      expect([payloadType, (timestamp - start) >>> 0, marker]).toEqual([100, i * 960, i === 0]);
      expect(payload.length).toBeLessThanOrEqual(160);
    });
    for (const packet of uplink.received) await downlink.raw(rtpPacket({ ...packet, ssrc: 2 }));
    await until('heard', () => sink.frames.length === 40);
    const heard = sink.frames.slice(5).map(({ payload }) => payload);
    expect(toneLevels(heard, 'pcmu', [1000])[0]).toBeGreaterThan(-15);
    expect(sink.frames.every((frame) => frame.codec === 'pcmu' && frame.gapMs === 0)).toBe(true);
  });

  it('moves on with time while its source says nothing', async () => {
    const sender = link.sender(OPUS);
    sender.flowing = true;
    const [frame = frameOf()] = toneFrames('pcmu', 1);
    const speaker = testSource();
    for (const rtpTimestamp of [0, 160, 8000]) sender.take({ ...frame, rtpTimestamp }, speaker);
    await uplink.heard(3);
    const at = uplink.received.map(({ timestamp }) => timestamp);
    expect(at.map((timestamp) => (timestamp - (at[0] ?? 0)) >>> 0)).toEqual([0, 960, 48_000]);
    checkUnbroken(uplink.received);
  });

  it('may follow one in G.711 under the same SSRC, and the other way round', async () => {
    const [sender, speaker] = [link.sender(TRACK), testSource()];
    sender.flowing = true;
    const frames = toneFrames('pcmu', 3);
    for (const [i, track] of [TRACK, OPUS, TRACK].entries()) {
      expect(link.sender(track)).toBe(sender);
      sender.take(frames[i] ?? frameOf(), speaker);
    }
    await uplink.heard(3);
    expect(uplink.received.map(({ payloadType }) => payloadType)).toEqual([0, 100, 0]);
    expect(uplink.received[2]?.payload).toEqual(frames[2]?.payload);
  });

  it('is counted as malformed where it holds no Opus', async () => {
    const sink = new Collector();
    link.receiver('source', { ...OPUS, ssrc: 1 }).sinks = [sink];
    downlink.ssrc = 1;
    await downlink.speak(0, { payloadType: 100, payload: Buffer.of(3, 0) });
    await until('counted', () => link.droppedMalformed === 1);
    expect(sink.frames).toEqual([]);
  });

  it('holds one encoder or decoder, which is freed when the track or the link is closed', async () => {
    for (let ssrc = 1; ssrc <= 20; ssrc++) link.sender({ ...OPUS, ssrc });
    for (let ssrc = 101; ssrc <= 120; ssrc++) link.receiver(`source-${ssrc}`, { ...OPUS, ssrc });
    expect(openOpusStates()).toBe(before + 40);
    const dropped = [...link.drop(1), ...link.drop(101)];
    for (const port of [...dropped, ...dropped]) port.close();
    expect(openOpusStates()).toBe(before + 38);
    await link.close();
    expect(openOpusStates()).toBe(before);
  });
});

describe('a round trip', () => {
  it('through a router that only swaps SSRCs gives the same bytes', async () => {
    const [speaker, sink] = [testSource(), new Collector()];
    const sender = link.sender(TRACK);
    sender.flowing = true;
    speaker.sinks = [sender];
    link.receiver('back', { ...TRACK, ssrc: 2 }).sinks = [sink];
    downlink.ssrc = 2;
    for (let i = 0; i < 10; i++) {
      emit(speaker, frameOf({ value: i, rtpTimestamp: i * 160 }));
      await uplink.heard(i + 1);
      await downlink.speak(uplink.received[i]?.payload[0] ?? 255);
    }
    await until('back', () => sink.frames.length === 10);
    expect(sink.frames.map((frame) => frame.payload[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
