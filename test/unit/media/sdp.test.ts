import { describe, expect, it } from 'vitest';
import { TrunklineError, type ErrorCode } from '../../../src/base/errors.ts';
import type { Direction } from '../../../src/media/control.ts';
import { media_lines_max, readSdp, sdp_bytes_max, writeSdp } from '../../../src/media/sdp.ts';

function sdp(...lines: string[]): string {
  return ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...lines, ''].join('\r\n');
}

const c = 'c=IN IP4 192.0.2.1';
const t = 't=0 0';

function codeOf(text: string): ErrorCode | 'taken' {
  try {
    readSdp(text);
    return 'taken';
  } catch (error) {
    if (error instanceof TrunklineError) return error.code;
    throw error;
  }
}

describe('readSdp', () => {
  it('reads a plain offer', () => {
    expect(readSdp(sdp(c, t, 'm=audio 4000 RTP/AVP 0 8'))).toEqual({
      lines: [{ kind: 'audio', port: 4000, protocol: 'RTP/AVP', formats: '0 8' }],
      audio: [
        {
          index: 0,
          address: '192.0.2.1',
          rtpPort: 4000,
          rtcpPort: 4001,
          rtcpMux: false,
          codecs: [
            { codec: 'pcmu', payloadType: 0 },
            { codec: 'pcma', payloadType: 8 },
          ],
          telephoneEventPayloadType: null,
          direction: 'sendrecv',
        },
      ],
    });
  });

  const codecs: [string, string[], [string, number][]][] = [
    [
      'static types without rtpmap',
      ['m=audio 4000 RTP/AVP 8 0'],
      [
        ['pcma', 8],
        ['pcmu', 0],
      ],
    ],
    ['one format alone', ['m=audio 4000 RTP/AVP 8'], [['pcma', 8]]],
    [
      'dynamic types',
      ['m=audio 4000 RTP/AVP 96 97', 'a=rtpmap:96 PCMA/8000', 'a=rtpmap:97 pcmu/8000/1'],
      [
        ['pcma', 96],
        ['pcmu', 97],
      ],
    ],
    ['foreign codecs among ours', ['m=audio 4000 RTP/AVP 18 9 0', 'a=rtpmap:18 G729/8000'], [['pcmu', 0]]],
    [
      'other clocks and stereo are not ours',
      ['m=audio 4000 RTP/AVP 96 97 0', 'a=rtpmap:96 PCMU/16000', 'a=rtpmap:97 PCMU/8000/2'],
      [['pcmu', 0]],
    ],
    [
      'an rtpmap outweighs the static meaning',
      ['m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:0 G722/8000'],
      [['pcma', 8]],
    ],
    ['AVPF', ['m=audio 4000 RTP/AVPF 0'], [['pcmu', 0]]],
  ];
  for (const [what, lines, expected] of codecs)
    it(`codecs: ${what}`, () => {
      const [audio] = readSdp(sdp(c, t, ...lines)).audio;
      expect(audio?.codecs.map((one) => [one.codec, one.payloadType])).toEqual(expected);
    });

  const events: [string, string[], number | null][] = [
    ['one line', ['m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000'], 101],
    ['upper case', ['m=audio 4000 RTP/AVP 0 97', 'a=rtpmap:97 TELEPHONE-EVENT/8000'], 97],
    [
      '48000 listed first',
      [
        'm=audio 4000 RTP/AVP 0 110 101',
        'a=rtpmap:110 telephone-event/48000',
        'a=rtpmap:101 telephone-event/8000',
      ],
      101,
    ],
    ['only another clock', ['m=audio 4000 RTP/AVP 0 110', 'a=rtpmap:110 telephone-event/16000'], null],
    ['mapped, but not offered', ['m=audio 4000 RTP/AVP 0', 'a=rtpmap:101 telephone-event/8000'], null],
  ];
  for (const [what, lines, expected] of events)
    it(`telephone-event: ${what}`, () => {
      expect(readSdp(sdp(c, t, ...lines)).audio[0]?.telephoneEventPayloadType).toBe(expected);
    });

  const directions: [string[], string[], Direction][] = [
    [[], [], 'sendrecv'],
    [['a=sendonly'], [], 'sendonly'],
    [[], ['a=recvonly'], 'recvonly'],
    [['a=sendonly'], ['a=inactive'], 'inactive'],
    [['a=inactive'], ['a=sendrecv'], 'sendrecv'],
  ];
  for (const [session, media, expected] of directions)
    it(`direction: session ${session.join() || 'silent'}, media ${media.join() || 'silent'}`, () => {
      const text = sdp(c, t, ...session, 'm=audio 4000 RTP/AVP 0', ...media);
      expect(readSdp(text).audio[0]?.direction).toBe(expected);
    });

  const addresses: [string, string[], { address: string; rtcpPort: number }][] = [
    ['of the session', [c, t, 'm=audio 4000 RTP/AVP 0'], { address: '192.0.2.1', rtcpPort: 4001 }],
    [
      'of the media',
      [c, t, 'm=audio 4000 RTP/AVP 0', 'c=IN IP4 192.0.2.9'],
      { address: '192.0.2.9', rtcpPort: 4001 },
    ],
    [
      'IPv6',
      [t, 'm=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1'],
      { address: '2001:db8::1', rtcpPort: 4001 },
    ],
    [
      'rtcp attribute',
      [c, t, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:5000'],
      { address: '192.0.2.1', rtcpPort: 5000 },
    ],
    [
      'rtcp attribute with address',
      [c, t, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:5000 IN IP4 192.0.2.1'],
      { address: '192.0.2.1', rtcpPort: 5000 },
    ],
    [
      'rtcp-mux',
      [c, t, 'm=audio 4000 RTP/AVP 0', 'a=rtcp:5000', 'a=rtcp-mux'],
      { address: '192.0.2.1', rtcpPort: 4000 },
    ],
    [
      'hold by address',
      ['c=IN IP4 0.0.0.0', t, 'm=audio 4000 RTP/AVP 0'],
      { address: '0.0.0.0', rtcpPort: 4001 },
    ],
    ['the last port', [c, t, 'm=audio 65535 RTP/AVP 0'], { address: '192.0.2.1', rtcpPort: 65535 }],
  ];
  for (const [what, lines, expected] of addresses)
    it(`address: ${what}`, () => {
      expect(readSdp(sdp(...lines)).audio[0]).toMatchObject(expected);
    });

  it('keeps every media line in order, and finds each audio line that it could take', () => {
    const description = readSdp(
      sdp(c, t, 'm=video 5000 RTP/AVP 99', 'm=audio 0 RTP/AVP 0', 'm=audio 4000 RTP/SAVP 0').concat(
        'm=audio 4002 RTP/AVP 8\r\nm=audio 4004 RTP/AVP 0\r\nm=image 6000 udptl t38\r\n',
      ),
    );
    expect(description.lines.map((line) => line.kind)).toEqual([
      'video',
      'audio',
      'audio',
      'audio',
      'audio',
      'image',
    ]);
    expect(description.audio.map((audio) => audio.index)).toEqual([3, 4]);
  });

  const refused: [string, string, ErrorCode | 'taken'][] = [
    ['nothing', '', 'SDP_UNPARSABLE'],
    ['no SDP', 'hello', 'SDP_UNPARSABLE'],
    ['another version', 'v=1\r\nm=audio 1 RTP/AVP 0\r\n', 'SDP_UNPARSABLE'],
    ['no media', sdp(c, t), 'SDP_NO_AUDIO'],
    ['no address', sdp(t, 'm=audio 4000 RTP/AVP 0'), 'SDP_UNPARSABLE'],
    ['a host name', sdp('c=IN IP4 example.org', t, 'm=audio 4000 RTP/AVP 0'), 'SDP_UNPARSABLE'],
    ['multicast', sdp('c=IN IP4 224.2.1.1/127', t, 'm=audio 4000 RTP/AVP 0'), 'SDP_UNPARSABLE'],
    ['a broken media line', sdp(c, t, 'm=audio'), 'SDP_UNPARSABLE'],
    ['a port out of range', sdp(c, t, 'm=audio 70000 RTP/AVP 0'), 'SDP_UNPARSABLE'],
    ['video only', sdp(c, t, 'm=video 4000 RTP/AVP 0'), 'SDP_NO_AUDIO'],
    ['port 0', sdp(c, t, 'm=audio 0 RTP/AVP 0'), 'SDP_NO_AUDIO'],
    ['SRTP', sdp(c, t, 'm=audio 4000 RTP/SAVP 0'), 'SDP_NO_AUDIO'],
    ['DTLS', sdp(c, t, 'm=audio 4000 UDP/TLS/RTP/SAVPF 0'), 'SDP_NO_AUDIO'],
    ['packets too short', sdp(c, t, 'm=audio 4000 RTP/AVP 0', 'a=maxptime:10'), 'SDP_NO_AUDIO'],
    ['long packets', sdp(c, t, 'm=audio 4000 RTP/AVP 0', 'a=ptime:30', 'a=maxptime:150'), 'taken'],
    ['foreign codecs', sdp(c, t, 'm=audio 4000 RTP/AVP 18 9'), 'SDP_NO_COMMON_CODEC'],
    [
      'events only',
      sdp(c, t, 'm=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000'),
      'SDP_NO_COMMON_CODEC',
    ],
    ['bare line feeds', `v=0\n${c}\nm=audio 4000 RTP/AVP 0\n`, 'taken'],
    ['no origin', `v=0\r\n${c}\r\nm=audio 4000 RTP/AVP 0\r\n`, 'taken'],
    ['too many bytes', sdp(c, t, `a=x:${'x'.repeat(sdp_bytes_max)}`), 'SDP_UNPARSABLE'],
    [
      'too many lines',
      sdp(c, t, ...new Array<string>(media_lines_max + 1).fill('m=audio 4000 RTP/AVP 0')),
      'SDP_UNPARSABLE',
    ],
  ];
  for (const [what, text, code] of refused)
    it(`${code}: ${what}`, () => {
      expect(codeOf(text)).toBe(code);
    });

  it('refuses or takes whatever it is given, and throws nothing else', () => {
    const seed = sdp(c, t, 'm=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000', 'a=sendrecv');
    let state = 12_345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 5000; round += 1) {
      const bytes = seed.split('');
      for (let change = 0; change <= random(6); change += 1) {
        const at = random(bytes.length);
        if (random(3) === 0) bytes.splice(at, random(20));
        else if (random(2) === 0) bytes.splice(at, 0, ...bytes.slice(at, at + random(40)));
        else bytes[at] = String.fromCharCode(random(256));
      }
      const outcome = codeOf(bytes.join(''));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect([...outcomes.keys()].sort()).toEqual([
      'SDP_NO_AUDIO',
      'SDP_NO_COMMON_CODEC',
      'SDP_UNPARSABLE',
      'taken',
    ]);
  });
});

describe('writeSdp', () => {
  const audio = {
    rtpPort: 20_000,
    rtcpPort: 20_001,
    rtcpMux: false,
    protocol: 'RTP/AVP',
    codecs: [{ codec: 'pcmu', payloadType: 0 }],
    telephoneEventPayloadType: 101,
    direction: 'sendrecv',
  } as const;

  it('writes what readSdp reads, and refuses foreign lines at their place', () => {
    const text = writeSdp({
      sessionId: 7,
      version: 3,
      address: '192.0.2.5',
      lines: [{ kind: 'video', port: 5000, protocol: 'RTP/AVP', formats: '99' }, audio],
    });
    expect(text.split('\r\n')).toEqual([
      'v=0',
      'o=trunkline 7 3 IN IP4 192.0.2.5',
      's=-',
      'c=IN IP4 192.0.2.5',
      't=0 0',
      'm=video 0 RTP/AVP 99',
      'm=audio 20000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ]);
    expect(readSdp(text).audio[0]).toMatchObject({
      index: 1,
      rtpPort: 20_000,
      telephoneEventPayloadType: 101,
    });
  });

  it('names IPv6, a strange RTCP port, and a shared one', () => {
    const of = (change: object): string =>
      writeSdp({ sessionId: 1, version: 1, address: '2001:db8::5', lines: [{ ...audio, ...change }] });
    expect(of({})).toContain('c=IN IP6 2001:db8::5');
    expect(of({ rtcpPort: 20_009 })).toContain('a=rtcp:20009');
    expect(of({ rtcpMux: true })).toMatch(/a=rtcp-mux\r\n/);
    expect(of({ telephoneEventPayloadType: null })).not.toContain('telephone-event');
  });
});
