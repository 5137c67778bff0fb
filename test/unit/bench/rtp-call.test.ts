import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isLoud, RtpCall, type Timings } from '../../../bench/rtp-call.ts';
import { attenuate } from '../../../src/media/g711.ts';
import { silenceOf } from '../../../src/media/jitter-buffer.ts';
import { Tone } from '../../../src/media/tone.ts';

const packet = (payload: Uint8Array): Buffer => Buffer.concat([Buffer.alloc(12), payload]);

const toneOf = (level: number): Uint8Array => {
  const bytes = new Uint8Array(160);
  new Tone([1000], level).fill('pcmu', bytes);
  return bytes;
};

describe('a packet', () => {
  it('with the probe is loud, and also when the voice has been ducked', () => {
    expect(isLoud(packet(toneOf(-6)))).toBe(true);
    const ducked = new Uint8Array(160);
    attenuate('pcmu', toneOf(-6), 0.2, ducked);
    expect(isLoud(packet(ducked))).toBe(true);
  });

  it('with silence, faint noise or no payload is not', () => {
    expect(isLoud(packet(silenceOf('pcmu')))).toBe(false);
    expect(isLoud(packet(new Uint8Array(160).fill(0x7f)))).toBe(false);
    expect(isLoud(packet(toneOf(-60)))).toBe(false);
    expect(isLoud(packet(new Uint8Array()))).toBe(false);
  });
});

describe('a generated call', () => {
  let far: Socket;
  let call: RtpCall;
  let timings: Timings;
  let source: { address: string; port: number };
  const heard: Buffer[] = [];

  beforeEach(async () => {
    timings = {
      jitterMs: [],
      delayMs: [],
      probesLost: 0,
      packetsSent: 0,
      packetsReceived: 0,
      packetsMissing: 0,
      packetsRepeated: 0,
    };
    heard.length = 0;
    far = createSocket('udp4').bind(0, '127.0.0.1');
    far.on('message', (message, from) => {
      heard.push(message);
      source = from;
    });
    await once(far, 'listening');
    call = await RtpCall.open(timings, 200);
  });

  afterEach(async () => {
    call.close();
    await new Promise<void>((resolve) => far.close(() => resolve()));
  });

  const tick = async (nowMs: number): Promise<Buffer> => {
    const came = once(far, 'message');
    call.tick(nowMs);
    await came;
    return heard.at(-1) ?? Buffer.alloc(0);
  };
  const numbered = (sequence: number, message: Buffer): Buffer => {
    message.writeUInt16BE(sequence, 2);
    return message;
  };
  const sendBack = async (message: Buffer): Promise<void> => {
    const before = timings.packetsReceived;
    far.send(message, source.port, source.address);
    await vi.waitUntil(() => timings.packetsReceived > before, { interval: 1 });
  };

  it('sends nothing before it knows where to', () => {
    call.tick(performance.now());
    expect(timings.packetsSent).toBe(0);
  });

  it('counts sequence numbers and time stamps on, with one SSRC', async () => {
    call.settle('127.0.0.1', far.address().port);
    const [one, two] = [await tick(0), await tick(20)];
    expect((two.readUInt16BE(2) - one.readUInt16BE(2)) & 0xffff).toBe(1);
    expect((two.readUInt32BE(4) - one.readUInt32BE(4)) >>> 0).toBe(160);
    expect(two.readUInt32BE(8)).toBe(one.readUInt32BE(8));
    expect(one).toHaveLength(172);
    expect(isLoud(one)).toBe(false);
  });

  it('times a probe from sending to its first sound back, once', async () => {
    call.settle('127.0.0.1', far.address().port);
    const probe = await tick(performance.now() + 10_000);
    expect(isLoud(probe)).toBe(true);
    await sendBack(numbered(1, packet(silenceOf('pcmu'))));
    expect(timings.delayMs).toEqual([]);
    await sendBack(numbered(2, probe));
    await sendBack(numbered(3, probe));
    expect(timings.delayMs).toHaveLength(1);
    expect(timings.delayMs[0]).toBeGreaterThan(0);
    expect(timings.probesLost).toBe(0);
  });

  it('takes nothing from a stranger: the call that had this port before', async () => {
    call.settle('127.0.0.1', far.address().port);
    await tick(0);
    const stranger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    await new Promise((sent) =>
      stranger.send(numbered(9, packet(silenceOf('pcmu'))), source.port, source.address, sent),
    );
    await sendBack(numbered(1, packet(silenceOf('pcmu'))));
    await new Promise<void>((closed) => stranger.close(() => closed()));
    expect(timings).toMatchObject({ packetsReceived: 1, packetsRepeated: 0 });
  });

  it('gives a probe up that does not come back, and sends another', async () => {
    call.settle('127.0.0.1', far.address().port);
    const nowMs = performance.now() + 10_000;
    await tick(nowMs);
    expect(isLoud(await tick(nowMs + 20))).toBe(false);
    await tick(nowMs + 10_000);
    expect(timings.probesLost).toBe(1);
    expect(isLoud(await tick(nowMs + 20_000))).toBe(true);
  });

  it('measures arrivals against 20 ms, and counts what is missing', async () => {
    call.settle('127.0.0.1', far.address().port);
    const probe = await tick(0);
    for (const sequence of [65_535, 0, 3]) {
      probe.writeUInt16BE(sequence, 2);
      await sendBack(probe);
    }
    expect(timings.jitterMs).toHaveLength(2);
    expect(timings.packetsMissing).toBe(2);
    await sendBack(probe);
    expect(timings.packetsRepeated).toBe(1);
    expect(timings.jitterMs).toHaveLength(2);
  });

  it('makes up for several late ticks at once without sending one packet twice', async () => {
    call.settle('127.0.0.1', far.address().port);
    for (let late = 0; late < 6; late += 1) call.tick(late * 20);
    await vi.waitUntil(() => heard.length === 6, { interval: 1 });
    const [first = 0, ...rest] = heard.map((message) => message.readUInt16BE(2));
    expect(rest.map((sequence) => (sequence - first) & 0xffff)).toEqual([1, 2, 3, 4, 5]);
  });
});
