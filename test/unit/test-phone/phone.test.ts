import { describe, expect, it, onTestFinished } from 'vitest';
import { Ear } from '../../support/phone/ear.ts';
import { RtpEndpoint, soundOf } from '../../support/phone/rtp-endpoint.ts';
import { continuity, type ReceivedPacket } from '../../support/phone/rtp-record.ts';
import { BookingScript, ListScript, nextOpenDay, wantsAnswer } from '../../support/phone/scripts.ts';
import { readAnswer, writeOffer } from '../../support/phone/sdp.ts';
import { joined, silence, tone, toneShare } from '../../support/sound/level.ts';
import { until } from '../../support/until.ts';

function packetsOf(count: number): ReceivedPacket[] {
  return Array.from({ length: count }, (_, index) => ({
    arrivalMs: index * 20,
    sequence: (65_530 + index) & 0xffff,
    timestamp: (0xffffff00 + index * 160) >>> 0,
    ssrc: 7,
    payloadType: 0,
    marker: index === 0,
    payload: new Uint8Array(160),
  }));
}

function with_(packets: ReceivedPacket[], index: number, change: Partial<ReceivedPacket>): ReceivedPacket[] {
  return packets.map((packet, at) => (at === index ? { ...packet, ...change } : packet));
}

describe('continuity', () => {
  it('finds nothing in an even line, wrap-around included', () => {
    expect(continuity(packetsOf(50))).toMatchObject({
      packets: 50,
      ssrcs: [7],
      sequenceJumps: 0,
      timestampJumps: 0,
      longestGapMs: 20,
      pauses: [],
      remarks: [],
    });
  });

  it('sees a lost packet, a timestamp that stands still, another SSRC, a late packet', () => {
    const lost = packetsOf(10).toSpliced(5, 1);
    expect(continuity(lost)).toMatchObject({ sequenceJumps: 1, timestampJumps: 1, longestGapMs: 40 });
    const [, , second] = packetsOf(10);
    const still = with_(packetsOf(10), 3, { timestamp: second?.timestamp ?? 0 });
    expect(continuity(still).timestampJumps).toBe(2);
    expect(continuity(with_(packetsOf(10), 4, { ssrc: 8 })).ssrcs).toEqual([7, 8]);
    const late = continuity(with_(packetsOf(10), 9, { arrivalMs: 250 }));
    expect(late.longestGapMs).toBe(90);
    expect(late.remarks).toEqual(['packet 9: 90 ms after the one before']);
  });

  it('takes a marker as the end of a pause, and tells its length on both clocks', () => {
    const before = packetsOf(5);
    const after = packetsOf(60)
      .slice(50)
      .map((packet, index) => ({ ...packet, sequence: 65_535 + index, marker: index === 0 }));
    const line = continuity(
      [...before, ...after].map((one) => ({ ...one, sequence: one.sequence & 0xffff })),
    );
    expect(line).toMatchObject({ sequenceJumps: 0, timestampJumps: 0, longestGapMs: 20 });
    expect(line.pauses).toEqual([{ arrivalMs: 920, timestampMs: 920 }]);
  });
});

describe('the ear', () => {
  function hear(ear: Ear, samples: Int16Array): void {
    for (let at = 0; at < samples.length; at += 160) ear.take(samples.subarray(at, at + 160));
  }

  it('waits for speech and then for silence', async () => {
    const ear = new Ear();
    let fellSilent = false;
    const waiting = ear.silenceAfterSpeech(300).then(() => (fellSilent = true));
    hear(ear, silence(1000));
    expect(ear.speaking).toBe(false);
    hear(ear, tone(300, 500));
    expect(ear.speaking).toBe(true);
    hear(ear, silence(280));
    await Promise.resolve();
    expect(fellSilent).toBe(false);
    hear(ear, silence(20));
    await waiting;
  });

  it('takes no click for speech, and forgets what was said before', async () => {
    const ear = new Ear();
    hear(ear, joined(tone(300, 60), silence(1000)));
    const early = await Promise.race([
      ear.silenceAfterSpeech(100).then(() => 'heard'),
      Promise.resolve('not'),
    ]);
    expect(early).toBe('not');
    hear(ear, joined(tone(300, 500), silence(1000)));
    ear.listenAnew();
    const again = await Promise.race([
      ear.silenceAfterSpeech(100).then(() => 'heard'),
      Promise.resolve('not'),
    ]);
    expect(again).toBe('not');
  });
});

describe('the RTP endpoint', () => {
  async function pair(): Promise<[RtpEndpoint, RtpEndpoint]> {
    const ends = [await RtpEndpoint.open('pcma'), await RtpEndpoint.open('pcma')] as const;
    onTestFinished(() => ends.forEach((end) => end.close()));
    return [...ends];
  }

  it('sends an even line that the other end hears', async () => {
    const [caller, listener] = await pair();
    caller.sendTo({ address: '127.0.0.1', port: listener.port });
    await caller.play(tone(700, 400));
    await until('twenty packets', () => listener.received.packets.length >= 20);
    const { packets } = listener.received;
    expect(continuity(packets)).toMatchObject({ sequenceJumps: 0, timestampJumps: 0 });
    const heard = joined(...packets.slice(0, 20).map((packet) => soundOf(packet, 'pcma')));
    expect(toneShare(heard, 700, 8000)).toBeGreaterThan(0.9);
    expect(listener.source.port).toBe(caller.port);
  });

  it('presses keys as RFC 4733 wants, or as some phones do', async () => {
    const [caller, listener] = await pair();
    caller.sendTo({ address: '127.0.0.1', port: listener.port });
    await caller.press('5', { toneMs: 60 });
    await caller.press('#', { toneMs: 60, marker: false, endBit: false });
    const events = listener.received.packets.filter((packet) => packet.payloadType === 101);
    const ofKey = (event: number): ReceivedPacket[] => events.filter(({ payload }) => payload[0] === event);
    const ends = (packets: ReceivedPacket[]): number =>
      packets.filter(({ payload }) => ((payload[1] ?? 0) & 0x80) !== 0).length;
    expect(ofKey(5).map((packet) => packet.marker)).toEqual([true, false, false, false, false, false]);
    expect(new Set(ofKey(5).map((packet) => packet.timestamp)).size).toBe(1);
    expect(ends(ofKey(5))).toBe(3);
    expect(ofKey(11).map((packet) => packet.marker)).toEqual([false, false, false]);
    expect(ends(ofKey(11))).toBe(0);
  });
});

describe('a session description', () => {
  it('is written and read alike', () => {
    const sdp = writeOffer({ port: 4000, codecs: ['pcma', 'pcmu'], direction: 'sendonly', version: 3 });
    expect(readAnswer(sdp)).toEqual({
      address: '127.0.0.1',
      port: 4000,
      direction: 'sendonly',
      payloadTypes: [8, 0, 101],
    });
  });

  it('without audio is refused', () => {
    expect(() => readAnswer('v=0\r\nm=audio 0 RTP/AVP 0\r\nc=IN IP4 127.0.0.1\r\n')).toThrow('no audio');
  });
});

describe('scripts', () => {
  it('a list goes on when it is understood, and repeats itself when it is not', () => {
    const script = new ListScript(['one', 'two', 'three']);
    expect(script.answer('Welcome.')).toBe('one');
    expect(script.answer('Your name?')).toBe('two');
    expect(script.answer('Sorry, I did not get that.')).toBe('two');
    expect(script.answer('And when?')).toBe('three');
    expect(script.answer('Anything else?')).toBe('three');
  });

  it('a booking is for a day on which the clinic is open', () => {
    const days = [22, 23, 24, 25, 26, 27, 28].map((day) => nextOpenDay(new Date(2026, 10, day, 12)));
    expect(days).toEqual([...Array<string>(5).fill('tomorrow'), 'on Monday', 'on Monday']);
    expect(new BookingScript('on Monday').answer('Hello?')).toContain('appointment on Monday at ten');
    expect(new BookingScript('on Monday', { time: 'at noon' }).answer('Hello?')).toContain(
      'on Monday at noon',
    );
  });

  it('a booking may want more, one thing each time that is asked', () => {
    const script = new BookingScript('tomorrow', { afterwards: ['text me', 'where are you'] });
    script.answer('How can I help you?');
    const asked = (): string => script.answer('Is there anything else I can do for you?');
    expect([asked(), asked(), asked(), asked()]).toEqual([
      ...['text me', 'where are you', 'no thank you', 'no thank you'],
    ]);
  });

  it('a booking listens, and finds another time when one is taken', () => {
    const script = new BookingScript();
    expect(script.answer('How can I help you?')).toContain('appointment');
    expect(script.answer('May I have your name, please?')).toContain('Emily Wilson');
    expect(script.answer('That is tomorrow at ten. Is that right?')).toBe('yes that is right');
    expect(script.answer('That time is taken already. And at what time?')).toBe('at two in the afternoon');
    expect(script.answer('Sorry, at what time?')).toBe('at two in the afternoon');
    expect(script.answer('That time is taken already. And at what time?')).toBe('at three in the afternoon');
    expect(script.answer('(static)')).toBe('at three in the afternoon');
    expect(script.answer('Is there anything else I can do for you?')).toBe('no thank you');
    expect(script.answer('Thank you for calling. Goodbye.')).toBe('');
  });

  it('know questions from pieces of a reply', () => {
    expect(wantsAnswer('You are booked. Is there anything else? ')).toBe(true);
    expect(wantsAnswer('Sorry, I did not catch that. You can book an appointment.')).toBe(true);
    expect(wantsAnswer('You are booked for tomorrow.')).toBe(false);
  });
});
