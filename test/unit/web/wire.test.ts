import { describe, expect, it } from 'vitest';
import { ENDINGS } from '../../../src/base/ending.ts';
import { EVENTS, REQUESTS, refusal, type EventName, type RequestName } from '../../../src/web/wire.ts';
import { dtlsParameters, microphone } from '../../support/web/media.ts';

const long = 'x'.repeat(5000);
const opus = microphone('opus', 1);

function accepts(name: RequestName, ask: unknown): boolean {
  return REQUESTS[name].ask.safeParse(ask).success;
}

describe('a question', () => {
  it.each<[RequestName, unknown]>([
    ['join', { token: 'a.b.c' }],
    ['join', { widgetKey: 'demo', profile: 'clinic' }],
    ['join', { resumeToken: 'abc' }],
    ['transport.create', { direction: 'receive' }],
    ['transport.connect', { transportId: 't', dtlsParameters }],
    ['transport.restartIce', { transportId: 't' }],
    ['produce', { transportId: 't', rtpParameters: opus }],
    ['produce', { transportId: 't', rtpParameters: microphone('pcmu', 2) }],
    ['producer.pause', { producerId: 'p' }],
    ['producer.resume', { producerId: 'p' }],
    ['producer.close', { producerId: 'p' }],
    ['consume', { producerId: 'p', rtpCapabilities: {} }],
    ['consumer.pause', { consumerId: 'c' }],
    ['consumer.resume', { consumerId: 'c' }],
    ['mode', { mode: 'listen' }],
    ['mode', { mode: 'whisper' }],
    ['mode', { mode: 'barge' }],
    ['hold', { held: true }],
    ['handBack', {}],
    ['end', {}],
    ['leave', {}],
  ])('%s may be %j', (name, ask) => {
    expect(accepts(name, ask)).toBe(true);
  });

  it.each<[RequestName, unknown]>([
    ['join', {}],
    ['join', { token: '' }],
    ['join', { token: long }],
    ['join', { widgetKey: 'demo' }],
    ['join', { widgetKey: 'demo', profile: 'clinic', role: 'supervisor' }],
    ['join', { token: 'a', resumeToken: 'b' }],
    ['transport.create', { direction: 'both' }],
    ['transport.create', { direction: 'send', transportId: 't' }],
    ['transport.connect', { transportId: 't' }],
    ['transport.connect', { transportId: '', dtlsParameters }],
    ['transport.connect', { transportId: 't', dtlsParameters: { fingerprints: [] } }],
    ['produce', { transportId: 't', rtpParameters: { ...opus, codecs: [] } }],
    ['produce', { transportId: 't', rtpParameters: { ...opus, encodings: [{}, {}] } }],
    ['consume', { producerId: 'p' }],
    ['consume', { producerId: long, rtpCapabilities: {} }],
    ['mode', { mode: 'open' }],
    ['mode', {}],
    ['hold', { held: 'yes' }],
    ['hold', {}],
    ['end', { callId: 'somebody-else' }],
    ['handBack', { to: 'me' }],
    ['leave', null],
    ['leave', { now: true }],
  ])('%s may not be %j', (name, ask) => {
    expect(accepts(name, ask)).toBe(false);
  });

  it.each([
    ['no list of bytes', 'not a fingerprint'],
    ['one byte', 'AB'],
    ['half a byte', 'AB:C'],
    ['empty', ''],
    ['without end', 'AB:'.repeat(1000)],
  ])('with a DTLS fingerprint that is %s is none', (_what, value) => {
    const fingerprints = [{ algorithm: 'sha-256', value }];
    expect(accepts('transport.connect', { transportId: 't', dtlsParameters: { fingerprints } })).toBe(false);
  });

  it.each([
    ['a payload type out of range', { payloadType: 128 }],
    ['a clock that stands', { clockRate: 0 }],
    ['a clock that is broken', { clockRate: 8000.5 }],
    ['too many channels', { channels: 9 }],
    ['nested parameters', { parameters: { a: { b: 1 } } }],
    ['parameters without end', { parameters: { a: long } }],
  ])('to produce with %s is none', (_what, change) => {
    const codecs = [{ ...opus.codecs[0], ...change }];
    const rtpParameters = { ...opus, codecs };
    expect(accepts('produce', { transportId: 't', rtpParameters })).toBe(false);
  });

  it('keeps nothing that it does not know of what browsers say of their codecs', () => {
    const rtpParameters = { ...opus, msid: 'a b', codecs: [{ ...opus.codecs[0], surprise: 1 }] };
    const parsed = REQUESTS.produce.ask.parse({ transportId: 't', rtpParameters });
    expect(parsed.rtpParameters).toEqual(opus);
  });

  it('has a name that is an event of no socket', () => {
    const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener'];
    for (const name of [...Object.keys(REQUESTS), ...Object.keys(EVENTS)])
      expect(reserved).not.toContain(name);
  });
});

describe('an event', () => {
  it.each<[EventName, unknown]>([
    ['participant.joined', { participantId: 'p', kind: 'phone' }],
    ['participant.left', { participantId: 'p' }],
    ['producer.added', { producerId: 'a', participantId: 'p' }],
    ['producer.removed', { producerId: 'a', participantId: 'p' }],
    ['speaking', { participantId: 'p', speaking: true }],
    ['caption', { who: 'agent', text: 'Hello.', final: true, utteranceId: 'u' }],
    ['tool', { name: 'book_appointment', state: 'done' }],
    ['ice.restart', { transportId: 't' }],
    ['room.moved', { routerRtpCapabilities: {}, producers: [] }],
    ['ending', { slug: 'visitor-left', text: 'The visitor hung up' }],
  ])('%s is read as it is written', (name, payload) => {
    expect(EVENTS[name].parse(payload)).toEqual(payload);
  });

  it.each<[EventName, unknown]>([
    ['participant.joined', { participantId: 'p', kind: 'ghost' }],
    ['caption', { who: 'nobody', text: 'Hello.', final: true, utteranceId: 'u' }],
    ['speaking', { participantId: 'p', speaking: 1 }],
    ['tool', { name: 'x', state: 'perhaps' }],
  ])('%s is not %j', (name, payload) => {
    expect(EVENTS[name].safeParse(payload).success).toBe(false);
  });

  it('can tell every ending', () => {
    for (const [slug, { text }] of Object.entries(ENDINGS))
      expect(EVENTS.ending.parse({ slug, text })).toEqual({ slug, text });
  });
});

describe('a refusal', () => {
  it('has code and message, and is told from a result', () => {
    expect(refusal.safeParse({ ok: false, code: 'WEB_FULL', message: 'Full.' }).success).toBe(true);
    expect(refusal.safeParse({ ok: true, producerId: 'p' }).success).toBe(false);
  });
});
