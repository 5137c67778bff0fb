/** The codecs of every router, and the words mediasoup wants for the two that a phone speaks. */
import type { types } from 'mediasoup';
import type { Codec } from './frame.ts';

/** Payload types that RFC 3551 §6 fixes for all times; a router sends with them too. */
export const STATIC_PAYLOAD_TYPE = { pcmu: 0, pcma: 8 } as const satisfies Record<Codec, number>;

const MIME_TYPE = { pcmu: 'audio/PCMU', pcma: 'audio/PCMA' } as const satisfies Record<Codec, string>;
const CODEC_BY_MIME_TYPE = new Map<string, Codec>([
  ['audio/pcmu', 'pcmu'],
  ['audio/pcma', 'pcma'],
]);

export const ROUTER_CODECS: types.RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  {
    kind: 'audio',
    mimeType: MIME_TYPE.pcmu,
    clockRate: 8000,
    preferredPayloadType: STATIC_PAYLOAD_TYPE.pcmu,
  },
  {
    kind: 'audio',
    mimeType: MIME_TYPE.pcma,
    clockRate: 8000,
    preferredPayloadType: STATIC_PAYLOAD_TYPE.pcma,
  },
  { kind: 'audio', mimeType: 'audio/G722', clockRate: 8000, preferredPayloadType: 9 },
  { kind: 'audio', mimeType: 'audio/telephone-event', clockRate: 8000 },
];

/** What a media thread produces into a router: one G.711 stream with an SSRC of our own choice. */
export function producerParameters(options: {
  codec: Codec;
  ssrc: number;
  cname: string;
}): types.RtpParameters {
  const { codec, ssrc, cname } = options;
  return {
    codecs: [{ mimeType: MIME_TYPE[codec], payloadType: STATIC_PAYLOAD_TYPE[codec], clockRate: 8000 }],
    encodings: [{ ssrc }],
    rtcp: { cname },
  };
}

/** What a media thread can take out of a router: G.711, and no header extensions. */
export function linkCapabilities(router: types.RtpCapabilities): types.RtpCapabilities {
  const codecs = (router.codecs ?? []).filter((one) => CODEC_BY_MIME_TYPE.has(one.mimeType.toLowerCase()));
  return { codecs, headerExtensions: [] };
}

/** The G.711 codec of a producer or consumer, or null when it speaks something else. */
export function codecOf(parameters: types.RtpParameters): Codec | null {
  const mimeType = parameters.codecs[0]?.mimeType.toLowerCase();
  return (mimeType === undefined ? undefined : CODEC_BY_MIME_TYPE.get(mimeType)) ?? null;
}
