import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import type { Direction } from '../../../src/media/control.ts';
import type { Codec } from '../../../src/media/frame.ts';
import { OfferAnswer, chooseCodec } from '../../../src/media/offer-answer.ts';
import { readSdp } from '../../../src/media/sdp.ts';

const local = { address: '192.0.2.5', rtpPort: 20_000, rtcpPort: 20_001 };

function offer(options: { address?: string; types?: string; lines?: string[]; port?: number } = {}): string {
  const { address = '192.0.2.1', types = '0 8 101', lines = [], port = 4000 } = options;
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${types}`,
    'a=rtpmap:101 telephone-event/8000',
    ...lines,
    '',
  ].join('\r\n');
}

const session = (codecs: Codec[] = ['pcmu', 'pcma']): OfferAnswer => new OfferAnswer(local, codecs);
const directionOf = (sdp: string): Direction | undefined => readSdp(sdp).audio[0]?.direction;
const originOf = (sdp: string): string => /^o=.*$/m.exec(sdp)?.[0] ?? '';
const versionOf = (sdp: string): number => Number(originOf(sdp).split(' ')[2]);

describe('answers', () => {
  it('settles where to send and what', () => {
    const { sdp, settlement } = session().answer(offer());
    expect(settlement).toEqual({
      remote: { address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 },
      codec: 'pcmu',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      direction: 'sendrecv',
      held: false,
    });
    expect(sdp).toContain('m=audio 20000 RTP/AVP 0 101\r\n');
    expect(sdp).toContain('a=ptime:20\r\n');
  });

  const choices: [string, Codec[], string, Codec, number][] = [
    ["the trunk's favourite", ['pcma', 'pcmu'], '0 8 101', 'pcma', 8],
    ['the only common one', ['pcma'], '0 8 101', 'pcma', 8],
    ['what the caller has', ['pcma', 'pcmu'], '0 101', 'pcmu', 0],
    ["the caller's payload type", ['pcma'], '0 96 101', 'pcma', 96],
  ];
  for (const [what, codecs, types, codec, payloadType] of choices)
    it(`chooses ${what}`, () => {
      const text = offer({ types, lines: ['a=rtpmap:96 PCMA/8000'] });
      const { settlement, sdp } = session(codecs).answer(text);
      expect([settlement.codec, settlement.payloadType]).toEqual([codec, payloadType]);
      expect(sdp).toContain(`RTP/AVP ${payloadType} 101`);
      expect(chooseCodec(text, codecs, '')).toBe(codec);
    });

  const directions: [string, Parameters<typeof offer>[0], Direction, boolean][] = [
    ['sendrecv', {}, 'sendrecv', false],
    ['sendonly', { lines: ['a=sendonly'] }, 'recvonly', true],
    ['recvonly', { lines: ['a=recvonly'] }, 'sendonly', false],
    ['inactive', { lines: ['a=inactive'] }, 'inactive', true],
    ['0.0.0.0', { address: '0.0.0.0' }, 'recvonly', true],
    ['0.0.0.0 and sendonly', { address: '0.0.0.0', lines: ['a=sendonly'] }, 'recvonly', true],
    ['0.0.0.0 and recvonly', { address: '0.0.0.0', lines: ['a=recvonly'] }, 'inactive', true],
    ['0.0.0.0 and inactive', { address: '0.0.0.0', lines: ['a=inactive'] }, 'inactive', true],
  ];
  for (const [what, options, direction, held] of directions)
    it(`meets ${what} with ${direction}, first and later`, () => {
      const fresh = session().answer(offer(options));
      expect([directionOf(fresh.sdp), fresh.settlement.held]).toEqual([direction, held]);
      const talk = session();
      talk.answer(offer());
      const later = talk.answer(offer(options));
      expect([directionOf(later.sdp), later.settlement.held]).toEqual([direction, held]);
      expect(later.settlement.remote.address).toBe('192.0.2.1');
      expect(directionOf(talk.answer(offer()).sdp)).toBe('sendrecv');
    });

  it('counts the version up on a change only, and keeps the session', () => {
    const talk = session();
    const texts = [
      offer(),
      offer(),
      offer({ lines: ['a=sendonly'] }),
      offer({ port: 4002, lines: ['a=sendonly'] }),
    ];
    const answers = texts.map((text) => talk.answer(text).sdp);
    expect(answers.map(versionOf)).toEqual([1, 1, 2, 2]);
    expect(new Set(answers.map((sdp) => originOf(sdp).split(' ')[1])).size).toBe(1);
  });

  it('follows a new address, port, payload type, and codec', () => {
    const talk = session();
    talk.answer(offer());
    const changed = offer({
      address: '192.0.2.7',
      port: 4100,
      types: '8 97',
      lines: ['a=rtpmap:97 telephone-event/8000'],
    });
    expect(talk.answer(changed).settlement).toMatchObject({
      remote: { address: '192.0.2.7', rtpPort: 4100, rtcpPort: 4101 },
      codec: 'pcma',
      telephoneEventPayloadType: 97,
    });
  });

  it('keeps the codec in use while it is offered, whatever the trunk likes better', () => {
    const talk = session();
    talk.answer(offer({ types: '8' }));
    expect(talk.answer(offer({ types: '0 8' })).settlement.codec).toBe('pcma');
  });

  it('refuses all media lines but one with port 0, in their order', () => {
    const talk = session();
    const two = offer({ lines: ['m=video 5000 RTP/AVP 99', 'm=audio 4100 RTP/AVP 0'] });
    const ports = (sdp: string): string[] =>
      [...sdp.matchAll(/^m=(\w+ \d+)/gm)].map(([, line]) => line ?? '');
    expect(ports(talk.answer(two).sdp)).toEqual(['audio 20000', 'video 0', 'audio 0']);
    const secondOnly = two.replace('m=audio 4000', 'm=audio 0');
    expect(ports(talk.answer(secondOnly).sdp)).toEqual(['audio 0', 'video 0', 'audio 20000']);
    expect(ports(talk.answer(two).sdp)).toEqual(['audio 0', 'video 0', 'audio 20000']);
    expect(ports(talk.offer())).toEqual(['audio 0', 'video 0', 'audio 20000']);
  });

  it('answers rtcp-mux and AVPF in kind', () => {
    const text = offer({ lines: ['a=rtcp-mux'] }).replace('RTP/AVP', 'RTP/AVPF');
    const { sdp, settlement } = session().answer(text);
    expect(sdp).toContain('m=audio 20000 RTP/AVPF 0 101');
    expect(sdp).toContain('a=rtcp-mux');
    expect(settlement.remote.rtcpPort).toBe(settlement.remote.rtpPort);
  });

  it('changes nothing when an offer cannot be taken', () => {
    const talk = session(['pcmu']);
    const before = talk.answer(offer());
    for (const bad of [
      '',
      offer({ types: '8' }),
      offer({ port: 0 }),
      offer().replaceAll('IP4 192.0.2.1', 'IP6 ::5'),
    ])
      expect(() => talk.answer(bad)).toThrow(TrunklineError);
    expect(talk.settlement).toEqual(before.settlement);
    expect(versionOf(talk.answer(offer()).sdp)).toBe(1);
  });

  it('tells before the ports are open that IPv6 cannot be reached', () => {
    const text = offer().replaceAll('IP4 192.0.2.1', 'IP6 ::5');
    expect(() => chooseCodec(text, ['pcmu'], '192.0.2.5')).toThrow('SDP_NO_AUDIO');
    expect(chooseCodec(text, ['pcmu'], '2001:db8::1')).toBe('pcmu');
  });
});

describe('offers of our own', () => {
  it('begin a call: all that the trunk allows, then the answer decides', () => {
    const talk = session(['pcma', 'pcmu']);
    const sdp = talk.offer();
    expect(sdp).toContain('m=audio 20000 RTP/AVP 8 0 101\r\n');
    expect([talk.offerOpen, talk.settlement]).toEqual([true, undefined]);
    expect(talk.accept(offer({ types: '0 96', lines: ['a=rtpmap:96 telephone-event/8000'] }))).toMatchObject({
      codec: 'pcmu',
      payloadType: 0,
      telephoneEventPayloadType: 96,
      direction: 'sendrecv',
    });
    expect(talk.offerOpen).toBe(false);
  });

  it('repeat what is in use first, and let a held call be resumed', () => {
    const talk = session();
    talk.answer(offer({ types: '96 101', lines: ['a=rtpmap:96 PCMA/8000', 'a=sendonly'] }));
    const again = talk.offer();
    expect(again).toContain('RTP/AVP 96 0 101');
    expect(directionOf(again)).toBe('sendrecv');
    expect(versionOf(again)).toBe(2);
    expect(talk.accept(offer({ types: '96 101', lines: ['a=rtpmap:96 PCMA/8000'] })).held).toBe(false);
    expect(versionOf(talk.offer())).toBe(2);
  });

  const badAnswers: [string, string, string][] = [
    ['refuses the audio', offer({ port: 0 }), 'SDP_NO_AUDIO'],
    ['names a codec that was not offered', offer({ types: '8' }), 'SDP_NO_COMMON_CODEC'],
    ['is no SDP', 'hello', 'SDP_UNPARSABLE'],
  ];
  for (const [what, answer, code] of badAnswers)
    it(`throws ${code} when the answer ${what}, and holds what held`, () => {
      const talk = session(['pcmu']);
      const { settlement } = talk.answer(offer());
      talk.offer();
      expect(() => talk.accept(answer)).toThrow(code);
      expect([talk.settlement, talk.offerOpen]).toEqual([settlement, false]);
    });

  it('can be withdrawn', () => {
    const talk = session();
    talk.offer();
    talk.withdraw();
    expect(talk.offerOpen).toBe(false);
  });
});
