import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SipClient } from '../../../bench/sip-client.ts';
import { SoundCall } from '../../../bench/sound-call.ts';
import { silenceOf } from '../../../src/media/jitter-buffer.ts';
import { Tone } from '../../../src/media/tone.ts';

let sipEnd: Socket;
let rtpEnd: Socket;
let client: SipClient;
let caller: RemoteInfo;
const packets: Buffer[] = [];
const methods: string[] = [];

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Agrees to everything; a call is answered with the port of `rtpEnd`, unless `status` says otherwise. */
function answerWith(status: number): void {
  sipEnd.on('message', (message, from) => {
    const request = message.toString();
    const method = request.split(' ', 1)[0] ?? '';
    methods.push(method);
    if (method === 'ACK') return;
    const kept = request.split('\r\n').filter((line) => /^(via|from|to|call-id|cseq):/i.test(line));
    const sdp = `v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ${rtpEnd.address().port} RTP/AVP 0\r\n`;
    const body = method === 'INVITE' ? sdp : '';
    const line = `SIP/2.0 ${method === 'INVITE' ? status : 200} X`;
    const text = [line, ...kept, `Content-Length: ${body.length}`, '', body].join('\r\n');
    sipEnd.send(text, from.port, from.address);
  });
}

beforeEach(async () => {
  packets.length = 0;
  methods.length = 0;
  [sipEnd, rtpEnd] = [await bound(), await bound()];
  rtpEnd.on('message', (packet, from) => {
    packets.push(packet);
    caller = from;
  });
  client = await SipClient.open(sipEnd.address().port);
});

afterEach(() => {
  client.close();
  sipEnd.close();
  rtpEnd.close();
});

/** The next packet for which it holds. */
async function next(holds: (packet: Buffer) => boolean = () => true): Promise<Buffer> {
  for (;;) {
    const [packet] = (await once(rtpEnd, 'message')) as [Buffer];
    if (holds(packet)) return packet;
  }
}

const tone = (ms: number): Uint8Array => {
  const bytes = new Uint8Array(8 * ms);
  new Tone([440], -12).fill('pcmu', bytes);
  return bytes;
};
const silent = (packet: Buffer): boolean => packet.subarray(12).equals(silenceOf('pcmu'));

function reply(payload: Uint8Array, sequence: number): void {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(sequence, 2);
  rtpEnd.send(Buffer.concat([header, payload]), caller.port, caller.address);
}

describe('a caller with a voice', () => {
  it('is silent until it is told what to say, says all of it in order, and is silent again', async () => {
    answerWith(200);
    const call = await SoundCall.place(client, '+15550100');
    expect(call.answeredMs).toBeGreaterThan(call.invitedMs);
    expect(silent(await next())).toBe(true);
    // The last packet is half full.
    const sound = tone(70);
    const sentMs = await call.say(sound);
    expect(sentMs).toBeGreaterThan(call.answeredMs);
    await next((packet) => !silent(packet) && packet.subarray(12 + 80).every((byte) => byte === 0xff));
    expect(silent(await next())).toBe(true);
    const said = packets.filter((packet) => !silent(packet)).map((packet) => packet.subarray(12));
    expect(Buffer.concat(said).subarray(0, sound.length).equals(sound)).toBe(true);
    expect(said).toHaveLength(4);
    const numbers = packets.map((packet) => packet.readUInt16BE(2));
    expect(
      numbers.every((number, at) => at === 0 || number === (((numbers[at - 1] ?? 0) + 1) & 0xffff)),
    ).toBe(true);
    expect(call.lateMs.length).toBeGreaterThanOrEqual(packets.length);
    expect(Math.min(...call.lateMs)).toBeGreaterThanOrEqual(0);
    await call.hangUp();
    expect(methods).toEqual(['INVITE', 'ACK', 'BYE']);
  });

  it('keeps what it hears, with level and number, and tells the first sound of it', async () => {
    answerWith(200);
    const call = await SoundCall.place(client, '+15550100');
    await next();
    expect(await call.hears(0, 30)).toBeNull();
    reply(silenceOf('pcmu'), 7);
    reply(tone(20), 8);
    const heardMs = await call.hears(0, 10_000);
    expect(call.heard.map((one) => one.sequence)).toEqual([7, 8]);
    expect(call.heard[0]?.levelDbfs).toBe(-Infinity);
    expect(call.heard[1]?.levelDbfs).toBeCloseTo(-15.2, 0);
    expect(heardMs).toBe(call.heard[1]?.atMs);
    expect(await call.falls(40, 10_000)).toBe(true);
    await call.hangUp();
  });

  it('says when it is not answered, and leaves nothing open', async () => {
    answerWith(503);
    await expect(SoundCall.place(client, '+15550100')).rejects.toThrow('503');
    expect(packets).toEqual([]);
  });
});
