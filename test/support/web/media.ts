/** What a browser says of its sound, as Chromium words it, shortened to what the router looks at. */
import type { Ask, Joined } from '../../../src/web/wire.ts';

/** A browser that can take whatever the room speaks. */
export function capabilitiesOf(joined: Joined): Ask<'consume'>['rtpCapabilities'] {
  return joined.routerRtpCapabilities;
}

export function microphone(codec: 'opus' | 'pcmu', ssrc: number): Ask<'produce'>['rtpParameters'] {
  const spoken =
    codec === 'opus'
      ? { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }
      : { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 };
  return { mid: '0', codecs: [spoken], encodings: [{ ssrc }], rtcp: { cname: 'browser' } };
}

/** Well-formed, and nobody's. */
export const dtlsParameters: Ask<'transport.connect'>['dtlsParameters'] = {
  role: 'client',
  fingerprints: [
    { algorithm: 'sha-256', value: Array.from({ length: 32 }, (_, byte) => hex(byte)).join(':') },
  ],
};

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase();
}
