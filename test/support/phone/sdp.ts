/** A phone's session descriptions: plain text as a desk phone writes it, and what it reads of an answer. */
import type { Codec } from '../../../src/media/frame.ts';
import { PAYLOAD_TYPE_OF, TELEPHONE_EVENT_PAYLOAD_TYPE, type Address } from './rtp-endpoint.ts';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export interface OfferOptions {
  readonly port: number;
  readonly codecs: readonly Codec[];
  readonly direction?: Direction;
  /** Grows with every offer of a session (RFC 3264 §8). */
  readonly version?: number;
  readonly address?: string;
}

export function writeOffer(options: OfferOptions): string {
  const { port, codecs, direction = 'sendrecv', version = 1, address = '127.0.0.1' } = options;
  const types = codecs.map((codec) => PAYLOAD_TYPE_OF[codec]);
  return [
    'v=0',
    `o=phone 20 ${version} IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${[...types, TELEPHONE_EVENT_PAYLOAD_TYPE].join(' ')}`,
    ...codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPE_OF[codec]} ${codec.toUpperCase()}/8000`),
    `a=rtpmap:${TELEPHONE_EVENT_PAYLOAD_TYPE} telephone-event/8000`,
    `a=fmtp:${TELEPHONE_EVENT_PAYLOAD_TYPE} 0-15`,
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

export interface Answer extends Address {
  readonly direction: Direction;
  readonly payloadTypes: number[];
}

/** Throws when the answer has no usable audio line. */
export function readAnswer(sdp: string): Answer {
  const [, port, types] = /^m=audio (\d+) RTP\/AVP ([\d ]+)/m.exec(sdp) ?? [];
  const [, address] = /^c=IN IP4 (\S+)/m.exec(sdp) ?? [];
  if (port === undefined || types === undefined || address === undefined || port === '0')
    throw new Error(`the answer has no audio:\n${sdp}`);
  const [, direction = 'sendrecv'] = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(sdp) ?? [];
  return {
    address,
    port: Number(port),
    direction: direction as Direction,
    payloadTypes: types.trim().split(/\s+/).map(Number),
  };
}
