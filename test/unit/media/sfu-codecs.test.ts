import { describe, expect, it } from 'vitest';
import type { RtpCapabilities } from '../../../src/media/sfu-router.ts';
import {
  ROUTER_CODECS,
  LINK_PAYLOAD_TYPE,
  codecOf,
  linkCapabilities,
  producerParameters,
} from '../../../src/media/sfu-codecs.ts';

const rtpParametersOf = (mimeType: string): Parameters<typeof codecOf>[0] => ({
  codecs: [{ mimeType, payloadType: 100, clockRate: 8000 }],
});

describe('the router codecs', () => {
  it('give G.711 and G.722 the payload types of RFC 3551 §6', () => {
    const types = new Map(ROUTER_CODECS.map((one) => [one.mimeType, one.preferredPayloadType]));
    expect([types.get('audio/PCMU'), types.get('audio/PCMA'), types.get('audio/G722')]).toEqual([0, 8, 9]);
  });

  it('run at 8 kHz on the RTP clock but for Opus, which is stereo at 48 kHz (RFC 7587 §7)', () => {
    for (const { mimeType, clockRate, channels } of ROUTER_CODECS)
      expect([clockRate, channels]).toEqual(mimeType === 'audio/opus' ? [48_000, 2] : [8000, undefined]);
  });

  it('are audio only', () => {
    expect(new Set(ROUTER_CODECS.map(({ kind }) => kind))).toEqual(new Set(['audio']));
  });
});

describe('producerParameters', () => {
  it('says that Opus of ours carries FEC, so that browsers use it', () => {
    const { codecs } = producerParameters({ codec: 'opus', ssrc: 1, cname: 'agent' });
    expect(codecs).toMatchObject([{ channels: 2, parameters: { useinbandfec: 1 } }]);
  });

  it.each([
    ['pcmu', 8000],
    ['pcma', 8000],
    ['opus', 48_000],
  ] as const)('names one stream of %s by our SSRC and CNAME', (codec, clockRate) => {
    const parameters = producerParameters({ codec, ssrc: 4711, cname: 'caller' });
    expect(parameters.encodings).toEqual([{ ssrc: 4711 }]);
    expect(parameters.rtcp).toEqual({ cname: 'caller' });
    expect(parameters.codecs).toMatchObject([{ payloadType: LINK_PAYLOAD_TYPE[codec], clockRate }]);
    expect(codecOf(parameters)).toBe(codec);
  });
});

describe('codecOf', () => {
  it.each([
    ['audio/PCMU', 'pcmu'],
    ['audio/pcma', 'pcma'],
    ['audio/opus', 'opus'],
    ['audio/G722', null],
    ['video/VP8', null],
  ])('takes %s for %s', (mimeType, codec) => {
    expect(codecOf(rtpParametersOf(mimeType))).toBe(codec);
  });

  it('looks at the first codec only: the others are complementary', () => {
    const event = { mimeType: 'audio/telephone-event', payloadType: 101, clockRate: 8000 };
    const pcmu = { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 };
    expect(codecOf({ codecs: [pcmu, event] })).toBe('pcmu');
    expect(codecOf({ codecs: [event, pcmu] })).toBeNull();
  });

  it('takes nothing for nothing', () => {
    expect(codecOf({ codecs: [] })).toBeNull();
  });
});

describe('linkCapabilities', () => {
  it('keeps Opus and G.711 with the router’s payload types, without feedback and header extensions', () => {
    const opus = { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 100 };
    const offered: NonNullable<RtpCapabilities['codecs']> = [
      { kind: 'audio', mimeType: 'audio/G722', clockRate: 8000, preferredPayloadType: 9 },
      { kind: 'audio', ...opus, rtcpFeedback: [{ type: 'nack' }] },
      { kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8000, preferredPayloadType: 0 },
      { kind: 'audio', mimeType: 'audio/PCMA', clockRate: 8000, preferredPayloadType: 8 },
    ];
    const extension = { kind: 'audio', uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', preferredId: 1 } as const;
    const capabilities = linkCapabilities({ codecs: [...offered], headerExtensions: [extension] });
    const codecs = offered.slice(1).map((one) => ({ ...one, rtcpFeedback: [] }));
    expect(capabilities).toEqual({ codecs, headerExtensions: [] });
  });

  it('finds nothing in a router without codecs', () => {
    expect(linkCapabilities({})).toEqual({ codecs: [], headerExtensions: [] });
  });
});
