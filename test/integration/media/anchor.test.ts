import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseRtcp, RTCP_BYTES_MAX, writeRtcp } from '../../../src/media/rtcp.ts';
import { AnchorStage } from '../../support/media/anchor-stage.ts';
import { rtpPacket } from '../../support/media/packets.ts';
import { frameOf, testSource } from '../../support/media/parts.ts';
import { checkUnbroken, RtpParty } from '../../support/media/rtp-party.ts';
import { until } from '../../support/until.ts';

let stage: AnchorStage;

beforeEach(async () => {
  stage = await AnchorStage.open();
});

afterEach(async () => {
  await stage.close();
  expect(stage.errors).toEqual([]);
  expect(stage.ledger.open).toBe(0);
  expect(stage.pool.used).toBe(0);
});

describe('ports', () => {
  it('are even for RTP and the next for RTCP', () => {
    expect(stage.anchor.rtpPort % 2).toBe(0);
    expect(stage.anchor.rtcpPort).toBe(stage.anchor.rtpPort + 1);
    expect(stage.ledger.open).toBe(2);
  });

  it('are given back to rest, once, however often it is closed', async () => {
    await Promise.all([stage.anchor.close(), stage.anchor.close()]);
    expect([stage.pool.used, stage.pool.quarantined]).toEqual([0, 1]);
  });
});

describe('sound from the caller', () => {
  it('is not let in before the leg is settled', async () => {
    await stage.hear(1, 2);
    expect(stage.heard.frames).toEqual([]);
    expect(stage.anchor.stats().fromCaller.droppedForeignSource).toBe(2);
  });

  it('reaches the sinks as it came, and the source is told once', async () => {
    stage.settle();
    await stage.hear(1, 2, 3);
    expect(stage.heard.frames.map((frame) => frame.payload[0])).toEqual([1, 2, 3]);
    expect(stage.eventsOf('leg.latched')).toEqual([
      { type: 'leg.latched', legId: 'leg', address: '127.0.0.1', port: stage.party.port },
    ]);
  });

  it('from another port than the SDP says is learned, and answered there', async () => {
    const nat = await RtpParty.open({ targetPort: stage.anchor.rtpPort });
    stage.settle();
    for (let i = 0; i < 5; i++) await nat.speak(i);
    await until('learned', () => stage.heard.frames.length === 3);
    expect(stage.eventsOf('leg.latched')).toEqual([expect.objectContaining({ port: nat.port })]);
    expect(stage.anchor.stats().fromCaller.droppedForeignSource).toBe(2);
    stage.ticks(3);
    await nat.heard(3);
    expect(stage.party.received).toEqual([]);
    await nat.close();
  });

  it('of strangers is dropped and counted', async () => {
    stage.settle();
    await stage.hear(1);
    const stranger = await RtpParty.open({ targetPort: stage.anchor.rtpPort });
    for (let i = 0; i < 20; i++) await stranger.speak(66);
    await until('counted', () => stage.anchor.stats().fromCaller.droppedForeignSource === 20);
    await stage.hear(2);
    expect(stage.heard.frames.map((frame) => frame.payload[0])).toEqual([1, 2]);
    await stranger.close();
  });

  it('goes on over a change of SSRC, and over a new port after a re-INVITE', async () => {
    stage.settle();
    await stage.hear(1, 2);
    Object.assign(stage.party, { ssrc: 0x2222, sequence: 50_000, timestamp: 5 });
    await stage.hear(3, 4);
    const moved = await RtpParty.open({ targetPort: stage.anchor.rtpPort });
    stage.settle({ remote: { address: '127.0.0.1', rtpPort: moved.port, rtcpPort: moved.port } });
    await moved.speak(5);
    await until('heard', () => stage.heard.frames.length === 5);
    expect(stage.heard.frames.map((frame) => frame.payload[0])).toEqual([1, 2, 3, 4, 5]);
    expect(stage.anchor.stats().fromCaller.ssrcChanges).toBe(2);
    expect(stage.eventsOf('leg.latched')).toHaveLength(2);
    const steps = stage.heard.frames.slice(1).map((frame, i) => {
      return ((frame.rtpTimestamp - (stage.heard.frames[i]?.rtpTimestamp ?? 0)) >>> 0) - frame.gapMs * 8;
    });
    expect(new Set(steps)).toEqual(new Set([160]));
    await moved.close();
  });

  it('of other payload types is counted; comfort noise is a sign of life without sound', async () => {
    stage.settle();
    await stage.hear(1);
    for (const payloadType of [8, 96, 13]) await stage.party.speak(9, { payloadType });
    await until('taken in', () => stage.anchor.stats().fromCaller.packets === 4);
    expect(stage.anchor.stats().fromCaller).toMatchObject({ droppedPayloadType: 2, lost: 0 });
    expect(stage.heard.frames).toHaveLength(1);
  });

  it('is not given on while we said that we do not receive', async () => {
    stage.settle({ direction: 'sendonly' });
    await stage.hear(1);
    stage.settle({ direction: 'sendrecv' });
    await stage.hear(2);
    expect(stage.heard.frames.map((frame) => frame.payload[0])).toEqual([2]);
  });

  it('that is broken is counted, and the next packet is fine', async () => {
    stage.settle();
    const good = rtpPacket({ sequence: 1, timestamp: 1, ssrc: 1 });
    for (const packet of [
      Buffer.alloc(1),
      good.subarray(0, 11),
      Buffer.alloc(100),
      Buffer.alloc(5000, 0x80),
    ]) {
      await stage.party.raw(packet);
    }
    await until('counted', () => stage.anchor.stats().fromCaller.droppedMalformed === 4);
    await stage.hear(7);
    expect(stage.heard.frames).toHaveLength(1);
  });
});

describe('keys of the caller', () => {
  it.each([
    ['as phones send them', {}],
    ['without a marker', { marker: false }],
    ['without an end bit', { end: false }],
    ['without either', { marker: false, end: false }],
  ])('are told once each and never heard as sound: %s', async (_what, options) => {
    stage.settle();
    await stage.hear(1);
    for (const key of [1, 2, 2, 11]) await stage.party.press(key, options);
    await until('taken in', () => stage.anchor.stats().fromCaller.packets === 33);
    stage.ticks(10);
    await stage.hear(2);
    expect(stage.eventsOf('leg.digit').map(({ digit }) => digit)).toEqual(['1', '2', '2', '#']);
    expect(stage.eventsOf('leg.digit').map(({ durationMs }) => durationMs)).toEqual([120, 120, 120, 120]);
    expect(stage.heard.frames.map((frame) => frame.payload[0])).toEqual([1, 2]);
    expect(stage.anchor.stats().dtmf).toBe('122#');
  });

  it('that are still down when the call ends are told', async () => {
    stage.settle();
    await stage.party.press(9, { end: false });
    await until('taken in', () => stage.anchor.stats().fromCaller.packets === 8);
    await stage.anchor.close();
    expect(stage.eventsOf('leg.digit')).toHaveLength(1);
  });
});

describe('the stream to the caller', () => {
  it('is one packet per tick and one unbroken line, whatever happens', async () => {
    const { anchor, party } = stage;
    const voice = testSource({ id: 'voice' });
    const other = testSource({ id: 'other', paced: false });
    stage.settle();
    stage.ticks(10);
    anchor.sourceAdded(voice);
    for (let i = 0; i < 10; i++) {
      anchor.take(frameOf({ value: 1 }), voice);
      stage.ticks(1);
    }
    // A key, a swap of sources, hold, resume, a new codec, a thread that stood still.
    anchor.press('5', { toneMs: 100, gapMs: 60 });
    stage.ticks(15);
    anchor.sourceRemoved(voice);
    anchor.sourceAdded(other);
    for (let i = 0; i < 10; i++) {
      anchor.take(frameOf({ value: 2, rtpTimestamp: i * 160 }), other);
      stage.ticks(1);
    }
    stage.settle({ direction: 'recvonly', held: true });
    stage.ticks(20);
    stage.settle({ codec: 'pcma', payloadType: 8 });
    stage.ticks(10);
    stage.skip(30);
    stage.ticks(10);
    await party.heard(65);
    expect(party.received).toHaveLength(65);
    checkUnbroken(party.received);
    const kinds = party.received.map(({ payloadType, payload }) =>
      payloadType === 101 ? 'key' : payload[0],
    );
    expect(kinds.slice(0, 10)).toEqual(Array<number>(10).fill(0xff));
    expect(kinds.slice(10, 20)).toEqual(Array<number>(10).fill(1));
    expect(kinds.slice(20, 27)).toEqual(Array<string>(7).fill('key'));
    expect(kinds).toContain(2);
    expect(kinds.slice(-20)).toEqual(Array<number>(20).fill(0xd5));
    // Hold lasted 20 ticks in which nothing was sent; time went on.
    const [lastBefore, firstAfter] = [party.received[44], party.received[45]];
    expect(((firstAfter?.timestamp ?? 0) - (lastBefore?.timestamp ?? 0)) >>> 0).toBe(21 * 160);
    expect(firstAfter?.marker).toBe(true);
  });

  it.each([
    ['before the leg may be sent to', { sending: false }],
    ['on hold', { direction: 'recvonly' as const, held: true }],
    ['while inactive', { direction: 'inactive' as const, held: true }],
    ['to the old hold address', { remote: { address: '0.0.0.0', rtpPort: 9, rtcpPort: 9 } }],
  ])('rests %s', async (_what, changes) => {
    stage.settle(changes);
    stage.ticks(50);
    expect(stage.anchor.stats().toCaller.packets).toBe(0);
    stage.settle();
    stage.ticks(1);
    await stage.party.heard(1);
    expect(stage.party.received).toHaveLength(1);
  });

  it('is refused an address that is none', () => {
    const remote = { address: 'phone.example', rtpPort: 4000, rtcpPort: 4001 };
    expect(() => stage.settle({ remote })).toThrow(
      expect.objectContaining({ code: 'MEDIA_COMMAND_INVALID' }),
    );
    expect(() => stage.settle({ remote: { ...remote, address: '::1' } })).toThrow();
  });
});

describe('silence of the caller', () => {
  it('is told once, and again after the caller was heard', async () => {
    stage.settle();
    stage.ticks(100);
    expect(stage.eventsOf('leg.silent')).toEqual([{ type: 'leg.silent', legId: 'leg', silentMs: 1000 }]);
    await stage.hear(1);
    stage.ticks(100);
    expect(stage.eventsOf('leg.silent')).toHaveLength(2);
  });

  it.each([
    ['is on hold', { direction: 'recvonly' as const, held: true }],
    ['listens only', { direction: 'sendonly' as const }],
    ['is not answered yet', { sending: false }],
  ])('is no silence while the caller %s', (_what, changes) => {
    stage.settle(changes);
    stage.ticks(1000);
    expect(stage.eventsOf('leg.silent')).toEqual([]);
    stage.settle();
    stage.ticks(49);
    expect(stage.eventsOf('leg.silent')).toEqual([]);
    stage.ticks(1);
    expect(stage.eventsOf('leg.silent')).toHaveLength(1);
  });

  it('is broken by comfort noise and by keys', async () => {
    stage.settle();
    await stage.hear(1);
    stage.ticks(40);
    await stage.party.speak(0, { payloadType: 13 });
    await until('taken in', () => stage.anchor.stats().fromCaller.packets === 2);
    stage.ticks(40);
    expect(stage.eventsOf('leg.silent')).toEqual([]);
  });
});

describe('RTCP', () => {
  it('is sent while the call lasts, on hold too, and ends with BYE', async () => {
    stage.settle();
    stage.ticks(5);
    await stage.hear(1);
    stage.settle({ direction: 'recvonly', held: true });
    stage.ticks(1000);
    await until('reports', () => stage.party.reports.length >= 2);
    const types = stage.party.reports.map((report) => parseRtcp(report)?.[0]?.type);
    expect(types[0]).toBe('sr');
    expect(types.slice(1)).toContain('rr');
    await stage.anchor.close();
    await until(
      'BYE',
      () => parseRtcp(stage.party.reports.at(-1) ?? Buffer.alloc(0))?.at(-1)?.type === 'bye',
    );
  });

  it('goes to the port after, from the port after, when it is not muxed', async () => {
    const control = await RtpParty.open();
    const remote = { address: '127.0.0.1', rtpPort: stage.party.port, rtcpPort: control.port };
    stage.settle({ remote });
    stage.ticks(500);
    await until('a report', () => control.reports.length > 0);
    expect(stage.party.reports).toEqual([]);
    await control.close();
  });

  it('of the far end gives loss, jitter and MOS of what it hears', async () => {
    stage.settle();
    stage.ticks(100);
    const { ssrc } = stage.anchor.stats().toCaller;
    expect(stage.anchor.stats()).toMatchObject({ mosFromCaller: null, mosToCaller: null });
    await stage.party.heard(100);
    const highestSequence = stage.party.received[99]?.sequence ?? 0;
    const report = Buffer.alloc(RTCP_BYTES_MAX);
    const block = { ssrc, fractionLost: 0, cumulativeLost: 10, highestSequence, jitter: 80 };
    const length = writeRtcp(report, {
      ssrc: 1,
      cname: 'phone',
      reports: [{ ...block, lastSr: 0, delaySinceLastSr: 0 }],
    });
    await stage.party.raw(report.subarray(0, length), stage.anchor.rtcpPort);
    await until('report read', () => stage.anchor.stats().toCaller.lossRatio !== null);
    const stats = stage.anchor.stats();
    expect(stats.toCaller).toMatchObject({ lossRatio: 0.1, jitterMs: 10 });
    expect(stats.mosToCaller).toBe(3.41);
  });

  it('of strangers and broken RTCP is counted, not believed', async () => {
    stage.settle({ remote: { address: '127.0.0.9', rtpPort: 4000, rtcpPort: 4001 } });
    await stage.party.raw(Buffer.from('80c90001' + '00000001', 'hex'), stage.anchor.rtcpPort);
    await until('counted', () => stage.anchor.stats().fromCaller.droppedForeignSource === 1);
    stage.settle();
    await stage.party.raw(Buffer.from('80c900ff' + '00000001', 'hex'), stage.anchor.rtcpPort);
    await until('counted', () => stage.anchor.stats().fromCaller.droppedMalformed === 1);
  });
});

describe('statistics', () => {
  it('count loss, duplicates and late ones, and tell the MOS', async () => {
    stage.settle();
    await stage.hear(1, 2, 3);
    stage.party.sequence += 2;
    stage.party.timestamp += 320;
    await stage.hear(4);
    stage.party.sequence -= 1;
    stage.party.timestamp -= 160;
    await stage.hear(4);
    stage.party.sequence -= 2;
    await stage.hear(3);
    const { fromCaller, mosFromCaller } = stage.anchor.stats();
    expect(fromCaller).toMatchObject({ packets: 5, duplicates: 1, late: 1, lost: 1, bytes: 800 });
    expect(mosFromCaller).toBeGreaterThan(2);
    expect(mosFromCaller).toBeLessThan(3.5);
    expect(stage.heard.frames).toHaveLength(4);
  });
});
