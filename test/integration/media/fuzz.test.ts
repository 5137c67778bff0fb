import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RTCP_BYTES_MAX, writeRtcp } from '../../../src/media/rtcp.ts';
import { AnchorStage } from '../../support/media/anchor-stage.ts';
import { eventPayload, rtpPacket } from '../../support/media/packets.ts';
import { checkUnbroken } from '../../support/media/rtp-party.ts';
import { SeededRandom } from '../../support/random.ts';
import { until } from '../../support/until.ts';

const PACKETS = 50_000;
/** Sent in between the anchor's own turns, so that no kernel buffer runs over. */
const BATCH = 50;

let stage: AnchorStage;

beforeEach(async () => {
  stage = await AnchorStage.open();
});

afterEach(async () => {
  await stage.close();
  expect(stage.ledger.open).toBe(0);
});

/** A packet that is nearly right, in one of many ways, or not at all. */
function anyPacket(random: SeededRandom, sequence: number): Buffer {
  const line = { sequence, timestamp: sequence * 160, ssrc: random.chance(0.02) ? random.below(2 ** 32) : 7 };
  const sound = rtpPacket({ ...line, payload: random.bytes(random.below(400)) });
  const kind = random.below(10);
  if (kind < 4) return sound;
  if (kind < 6) return random.mutate(sound);
  if (kind === 6) {
    const payload = eventPayload(random.below(256), {
      end: random.chance(0.5),
      duration: random.below(65_536),
    });
    return rtpPacket({ ...line, payloadType: 101, payload });
  }
  if (kind === 7) return random.bytes(random.below(200));
  const report = Buffer.alloc(RTCP_BYTES_MAX);
  const length = writeRtcp(report, {
    ssrc: random.below(2 ** 32),
    cname: 'x'.repeat(random.below(200)),
    reports: [
      {
        ssrc: random.below(2 ** 32),
        fractionLost: random.below(256),
        cumulativeLost: random.below(2 ** 23),
        highestSequence: random.below(2 ** 32),
        jitter: random.below(2 ** 32),
        lastSr: random.below(2 ** 32),
        delaySinceLastSr: random.below(2 ** 32),
      },
    ],
  });
  return kind === 8 ? report.subarray(0, length) : random.mutate(report.subarray(0, length));
}

describe('a live anchor under a storm of packets', () => {
  it('throws nothing, counts on, gives whole frames only, and its own stream never breaks', async () => {
    const random = new SeededRandom(2026);
    stage.settle();
    for (let sent = 0; sent < PACKETS; sent += BATCH) {
      for (let i = 0; i < BATCH; i++) {
        const toRtcp = random.chance(0.1);
        const packet = anyPacket(random, (sent + i) & 0xffff);
        await stage.party.raw(packet, toRtcp ? stage.anchor.rtcpPort : stage.anchor.rtpPort);
      }
      // A turn of the event loop reads 32 datagrams of a socket.
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      stage.ticks(1);
      if (random.chance(0.05)) stage.settle({ direction: random.chance(0.5) ? 'sendrecv' : 'recvonly' });
      if (random.chance(0.05)) stage.anchor.press('1', { toneMs: 100, gapMs: 60 });
    }
    stage.settle();
    Object.assign(stage.party, { ssrc: 0x7777, sequence: 1, timestamp: 1 });
    for (const value of [1, 2, 3]) await stage.party.speak(value);
    // What is left of the storm comes first; then a caller is heard as if nothing had been.
    const last = (back: number): Uint8Array | undefined => stage.heard.frames.at(-back)?.payload;
    await until('the caller is heard', () => last(1)?.every((byte) => byte === 3) === true);
    expect([last(3)?.[7], last(2)?.[7], last(1)?.[7]]).toEqual([1, 2, 3]);
    expect(stage.errors).toEqual([]);
    expect(stage.heard.frames.length).toBeGreaterThan(1000);
    expect(stage.heard.frames.every((frame) => frame.payload.length === 160 && frame.gapMs >= 0)).toBe(true);
    const { fromCaller, toCaller } = stage.anchor.stats();
    for (const value of Object.values(fromCaller)) expect(value).toBeGreaterThanOrEqual(0);
    expect(fromCaller.droppedMalformed).toBeGreaterThan(100);
    await until('all received', () => stage.party.received.length === toCaller.packets);
    checkUnbroken(stage.party.received);
  }, 60_000);
});
