/**
 * Session descriptions as text (RFC 8866): reads the far end's, writes ours. Meaning is in offer-answer.ts.
 */
import { isIP } from 'node:net';
import { parse } from 'sdp-transform';
import { TrunklineError, messageOf } from '../base/errors.ts';
import type { Direction } from './control.ts';
import { FRAME_MS, type Codec } from './frame.ts';

/** Longer descriptions are refused unread. */
export const sdp_bytes_max = 16_384;
/** More media lines than this are refused. */
export const media_lines_max = 16;

/** One m= line, enough of it to refuse it at its own place (RFC 3264 §6). */
export interface MediaLine {
  readonly kind: string;
  readonly port: number;
  readonly protocol: string;
  /** Everything after the protocol, as it stood there. */
  readonly formats: string;
}

export interface OfferedCodec {
  readonly codec: Codec;
  readonly payloadType: number;
}

/** A media line of plain RTP audio that carries at least one codec of ours. */
export interface RemoteAudio {
  /** Its place among the media lines. */
  readonly index: number;
  /** IPv4 or IPv6; `0.0.0.0` or `::` is the old form of hold (RFC 3264 §8.4). */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly rtcpMux: boolean;
  /** In the order of the far end's preference; never empty. */
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEventPayloadType: number | null;
  /** As the far end says it: `sendonly` means that it will only send. */
  readonly direction: Direction;
}

export interface RemoteDescription {
  readonly lines: readonly MediaLine[];
  /** The audio lines that we could take, in order; never empty. */
  readonly audio: readonly RemoteAudio[];
}

const CODEC_NAMES: Readonly<Record<string, Codec>> = { pcmu: 'pcmu', pcma: 'pcma' };
/** RFC 3551 §6: these need no rtpmap. */
const STATIC_PAYLOAD_TYPES: Readonly<Record<number, Codec>> = { 0: 'pcmu', 8: 'pcma' };
const ENCODING_NAMES: Readonly<Record<Codec, string>> = { pcmu: 'PCMU', pcma: 'PCMA' };
/** SAVP and DTLS need keys that the anchor does not take yet. */
const PLAIN_PROTOCOLS: readonly string[] = ['RTP/AVP', 'RTP/AVPF'];
const AUDIO_CLOCK_HZ = 8000;

/**
 * Reads an offer or an answer.
 * @throws TrunklineError SDP_UNPARSABLE, SDP_NO_AUDIO (no plain RTP audio with a port), SDP_NO_COMMON_CODEC
 */
export function readSdp(text: string): RemoteDescription {
  if (Buffer.byteLength(text) > sdp_bytes_max)
    throw new TrunklineError('SDP_UNPARSABLE', `more than ${sdp_bytes_max} bytes`);
  const session = parseText(text);
  if (Number(session.version) !== 0) throw new TrunklineError('SDP_UNPARSABLE', 'no v=0 line');
  if (session.media.length > media_lines_max)
    throw new TrunklineError('SDP_UNPARSABLE', `more than ${media_lines_max} media lines`);
  const lines = session.media.map(readLine);
  const candidates = session.media.flatMap((media, index) => {
    const line = lines[index];
    if (line?.kind !== 'audio' || line.port === 0 || !PLAIN_PROTOCOLS.includes(line.protocol)) return [];
    return [{ media, line, index }];
  });
  if (candidates.length === 0)
    throw new TrunklineError('SDP_NO_AUDIO', `offered: ${lines.map(summary).join(', ') || 'nothing'}`);
  const audio = candidates.flatMap(({ media, line, index }) => {
    const codecs = readCodecs(media, line);
    return codecs.length === 0 ? [] : [readAudio({ session, media, line, index, codecs })];
  });
  if (audio.length === 0)
    throw new TrunklineError('SDP_NO_COMMON_CODEC', `offered: ${candidates.map(describeCodecs).join(', ')}`);
  return { lines, audio };
}

/** A number where the text was one, else the text: the library's own types promise more than it gives. */
type Loose = number | string | undefined;

interface ParsedShared {
  readonly connection?: { readonly ip?: string };
  readonly direction?: Direction;
}

interface ParsedSession extends ParsedShared {
  readonly version?: Loose;
  readonly media: readonly ParsedMedia[];
}

interface ParsedMedia extends ParsedShared {
  readonly type?: Loose;
  readonly port?: Loose;
  readonly protocol?: Loose;
  readonly payloads?: Loose;
  readonly rtp: readonly ParsedMap[];
  readonly rtcp?: { readonly port?: Loose };
  readonly rtcpMux?: string;
  readonly maxptime?: Loose;
}

interface ParsedMap {
  readonly payload?: Loose;
  readonly codec?: Loose;
  readonly rate?: Loose;
  readonly encoding?: Loose;
}

function parseText(text: string): ParsedSession {
  try {
    return parse(text);
  } catch (error) {
    throw new TrunklineError('SDP_UNPARSABLE', messageOf(error), { cause: error });
  }
}

function readLine(media: ParsedMedia): MediaLine {
  const { type, protocol, payloads } = media;
  const port = Number(media.port ?? NaN);
  if (type === undefined || protocol === undefined || !(port <= 65_535))
    throw new TrunklineError('SDP_UNPARSABLE', 'a media line is broken');
  return { kind: String(type), port, protocol: String(protocol), formats: String(payloads ?? '0') };
}

function summary(line: MediaLine): string {
  return `${line.kind} ${line.port} ${line.protocol}`;
}

function describeCodecs({ media, line }: { media: ParsedMedia; line: MediaLine }): string {
  const names = media.rtp.map((map) => `${map.codec ?? '?'}/${map.rate ?? '?'}`);
  return names.length === 0 ? `payload types ${line.formats}` : names.join(' ');
}

function payloadTypes(line: MediaLine): number[] {
  return line.formats
    .split(' ')
    .map(Number)
    .filter((payloadType) => Number.isInteger(payloadType) && payloadType >= 0 && payloadType <= 127);
}

function encodingName(map: ParsedMap): string {
  return String(map.codec ?? '').toLowerCase();
}

function readCodecs(media: ParsedMedia, line: MediaLine): OfferedCodec[] {
  const maps = media.rtp;
  return payloadTypes(line).flatMap((payloadType) => {
    const map = maps.find((one) => one.payload === payloadType);
    if (map === undefined) {
      const codec = STATIC_PAYLOAD_TYPES[payloadType];
      return codec === undefined ? [] : [{ codec, payloadType }];
    }
    const codec = CODEC_NAMES[encodingName(map)];
    const mono = map.encoding === undefined || Number(map.encoding) === 1;
    return codec !== undefined && map.rate === AUDIO_CLOCK_HZ && mono ? [{ codec, payloadType }] : [];
  });
}

interface AudioParts {
  readonly session: ParsedSession;
  readonly media: ParsedMedia;
  readonly line: MediaLine;
  readonly index: number;
  readonly codecs: readonly OfferedCodec[];
}

function readAudio({ session, media, line, index, codecs }: AudioParts): RemoteAudio {
  const address = (media.connection ?? session.connection)?.ip;
  if (address === undefined || isIP(address) === 0)
    throw new TrunklineError('SDP_UNPARSABLE', 'a c= line with an IP address is missing');
  // A packet of ours always holds 20 ms, so a smaller ceiling cannot be honoured (RFC 8866 §6.4).
  const maxPtimeMs = Number(media.maxptime ?? FRAME_MS);
  if (maxPtimeMs < FRAME_MS) throw new TrunklineError('SDP_NO_AUDIO', `maxptime ${maxPtimeMs} is below 20`);
  const rtcpMux = media.rtcpMux !== undefined;
  const rtcpPort = Number(media.rtcp?.port ?? line.port + 1);
  return {
    index,
    address,
    rtpPort: line.port,
    rtcpPort: rtcpMux ? line.port : inPortRange(rtcpPort) ? rtcpPort : line.port,
    rtcpMux,
    codecs,
    telephoneEventPayloadType: readTelephoneEvent(media, line),
    direction: media.direction ?? session.direction ?? 'sendrecv',
  };
}

function inPortRange(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/**
 * Events share the clock of the audio they stand in for; other clocks on offer are for other codecs (RFC
 * 4733 §2.1).
 */
function readTelephoneEvent(media: ParsedMedia, line: MediaLine): number | null {
  const offered = payloadTypes(line);
  const map = media.rtp.find(
    (one) =>
      encodingName(one) === 'telephone-event' &&
      one.rate === AUDIO_CLOCK_HZ &&
      offered.includes(Number(one.payload)),
  );
  return map === undefined ? null : Number(map.payload);
}

export interface LocalAudio {
  readonly rtpPort: number;
  readonly rtcpPort: number;
  readonly rtcpMux: boolean;
  readonly protocol: string;
  readonly codecs: readonly OfferedCodec[];
  readonly telephoneEventPayloadType: number | null;
  readonly direction: Direction;
}

export interface LocalDescription {
  readonly sessionId: number;
  /** Grows by one with every change of the text below the origin line (RFC 3264 §8). */
  readonly version: number;
  /** What the far end sends its sound to. */
  readonly address: string;
  readonly lines: readonly (LocalAudio | MediaLine)[];
}

/** Writes a description; a line that is not audio of ours is refused with port 0 (RFC 3264 §6). */
export function writeSdp(description: LocalDescription): string {
  const family = isIP(description.address) === 6 ? 'IP6' : 'IP4';
  const where = `IN ${family} ${description.address}`;
  return [
    'v=0',
    `o=trunkline ${description.sessionId} ${description.version} ${where}`,
    's=-',
    `c=${where}`,
    't=0 0',
    ...description.lines.flatMap((line) => ('kind' in line ? [refusedLine(line)] : audioLines(line))),
    '',
  ].join('\r\n');
}

function refusedLine(line: MediaLine): string {
  return `m=${line.kind} 0 ${line.protocol} ${line.formats}`;
}

function audioLines(audio: LocalAudio): string[] {
  const { telephoneEventPayloadType: event } = audio;
  const formats = [...audio.codecs.map((one) => one.payloadType), ...(event === null ? [] : [event])];
  return [
    `m=audio ${audio.rtpPort} ${audio.protocol} ${formats.join(' ')}`,
    ...audio.codecs.map(
      (one) => `a=rtpmap:${one.payloadType} ${ENCODING_NAMES[one.codec]}/${AUDIO_CLOCK_HZ}`,
    ),
    ...(event === null
      ? []
      : [`a=rtpmap:${event} telephone-event/${AUDIO_CLOCK_HZ}`, `a=fmtp:${event} 0-15`]),
    `a=ptime:${FRAME_MS}`,
    ...(audio.rtcpMux ? ['a=rtcp-mux'] : []),
    ...(audio.rtcpMux || audio.rtcpPort === audio.rtpPort + 1 ? [] : [`a=rtcp:${audio.rtcpPort}`]),
    `a=${audio.direction}`,
  ];
}
