/** The codecs of every router, and the words mediasoup wants for those that a media thread speaks. */
import type { types } from 'mediasoup';
import { AUDIO_LEVEL_ID, AUDIO_LEVEL_URI } from './audio-level.ts';
import type { TrackCodec } from './frame.ts';

interface Format {
  readonly mimeType: string;
  /** G.711: fixed for all times (RFC 3551 §6). Opus: any dynamic one; routers begin with this one. */
  readonly payloadType: number;
  readonly clockRate: number;
  /** Opus is declared as stereo whatever it holds (RFC 7587 §7). */
  readonly channels?: number;
}

const FORMATS = {
  pcmu: { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 },
  pcma: { mimeType: 'audio/PCMA', payloadType: 8, clockRate: 8000 },
  opus: { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 },
} as const satisfies Record<TrackCodec, Format>;

/** Payload types that a media thread sends to a router with; it sends on with the same. */
export const LINK_PAYLOAD_TYPE = {
  pcmu: FORMATS.pcmu.payloadType,
  pcma: FORMATS.pcma.payloadType,
  opus: FORMATS.opus.payloadType,
} as const satisfies Record<TrackCodec, number>;

const CODEC_BY_MIME_TYPE = new Map<string, TrackCodec>([
  ['audio/pcmu', 'pcmu'],
  ['audio/pcma', 'pcma'],
  ['audio/opus', 'opus'],
]);

function routerCodec(codec: TrackCodec): types.RouterRtpCodecCapability {
  const { payloadType: preferredPayloadType, ...format } = FORMATS[codec];
  return { kind: 'audio', ...format, preferredPayloadType };
}

export const ROUTER_CODECS: types.RouterRtpCodecCapability[] = [
  routerCodec('opus'),
  routerCodec('pcmu'),
  routerCodec('pcma'),
  { kind: 'audio', mimeType: 'audio/G722', clockRate: 8000, preferredPayloadType: 9 },
  { kind: 'audio', mimeType: 'audio/telephone-event', clockRate: 8000 },
];

/** What a media thread produces into a router: one stream with an SSRC of our own choice. */
export function producerParameters(options: {
  codec: TrackCodec;
  ssrc: number;
  cname: string;
}): types.RtpParameters {
  const { codec, ssrc, cname } = options;
  const parameters = codec === 'opus' ? { useinbandfec: 1 } : {};
  return {
    codecs: [{ ...FORMATS[codec], parameters }],
    headerExtensions: [{ uri: AUDIO_LEVEL_URI, id: AUDIO_LEVEL_ID }],
    encodings: [{ ssrc }],
    rtcp: { cname },
  };
}

/** What a media thread can take out of a router: its codecs, without feedback and header extensions. */
export function linkCapabilities(router: types.RtpCapabilities): types.RtpCapabilities {
  const codecs = (router.codecs ?? []).filter((one) => CODEC_BY_MIME_TYPE.has(one.mimeType.toLowerCase()));
  return { codecs: codecs.map((one) => ({ ...one, rtcpFeedback: [] })), headerExtensions: [] };
}

/** The codec of a producer or consumer, or null when no media thread speaks it. */
export function codecOf(parameters: types.RtpParameters): TrackCodec | null {
  const mimeType = parameters.codecs[0]?.mimeType.toLowerCase();
  return (mimeType === undefined ? undefined : CODEC_BY_MIME_TYPE.get(mimeType)) ?? null;
}
