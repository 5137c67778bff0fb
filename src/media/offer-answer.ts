/** Offer and answer (RFC 3264) for the life of one dialog: what was settled, and the text that says so. */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { TrunklineError } from '../base/errors.ts';
import type { Direction, LegSettings } from './control.ts';
import type { Codec } from './frame.ts';
import {
  readSdp,
  writeSdp,
  type LocalAudio,
  type MediaLine,
  type OfferedCodec,
  type RemoteAudio,
  type RemoteDescription,
} from './sdp.ts';

/** Our side of the sound. */
export interface LocalEndpoint {
  /** What goes into the description: the address that the far end can reach. */
  readonly address: string;
  readonly rtpPort: number;
  readonly rtcpPort: number;
}

/** What an exchange settled, but for `sending`, which is the call's decision. */
export type Settlement = Omit<LegSettings, 'sending'>;

export interface Answer {
  /** Our description, for the answer's body. */
  readonly sdp: string;
  readonly settlement: Settlement;
}

const OWN_PAYLOAD_TYPES: Readonly<Record<Codec, number>> = { pcmu: 0, pcma: 8 };
const OWN_TELEPHONE_EVENT_PAYLOAD_TYPE = 101;

/** RFC 3264 §6.1: our direction for the one that the far end states. */
const MIRRORED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/**
 * The codec that an offer would settle, before any port is opened for it. `localAddress`: what our answer
 * would name; empty: not known yet.
 * @throws TrunklineError SDP_UNPARSABLE, SDP_NO_AUDIO or SDP_NO_COMMON_CODEC
 */
export function chooseCodec(sdp: string, codecs: readonly Codec[], localAddress: string): Codec {
  const { audio, chosen } = chooseAudio(readSdp(sdp), codecs);
  if (localAddress !== '') requireOneFamily(audio.address, localAddress);
  return chosen.codec;
}

export class OfferAnswer {
  readonly #local: LocalEndpoint;
  readonly #codecs: readonly Codec[];
  readonly #sessionId = randomInt(1, 2 ** 47);
  #version = 0;
  #body = '';
  #lines: readonly (LocalAudio | MediaLine)[] = [];
  #current: Settlement | undefined;
  #audioIndex = 0;
  #offerOpen = false;

  /** `codecs`: what the trunk allows, best first. */
  constructor(local: LocalEndpoint, codecs: readonly Codec[]) {
    this.#local = local;
    this.#codecs = codecs;
  }

  /** What holds now; undefined before the first exchange is complete. */
  get settlement(): Settlement | undefined {
    return this.#current;
  }

  /** true between our offer and the far end's answer to it. */
  get offerOpen(): boolean {
    return this.#offerOpen;
  }

  /**
   * Answers the far end's offer. When it throws, everything stays as it was (RFC 3264 §8).
   * @throws TrunklineError SDP_UNPARSABLE, SDP_NO_AUDIO or SDP_NO_COMMON_CODEC
   */
  answer(offerSdp: string): Answer {
    const remote = readSdp(offerSdp);
    const { audio, chosen } = chooseAudio(remote, this.#codecs, this.#current?.codec, this.#audioIndex);
    const settlement = this.#settle(audio, chosen);
    const line: LocalAudio = {
      rtpPort: this.#local.rtpPort,
      rtcpPort: this.#local.rtcpPort,
      rtcpMux: audio.rtcpMux,
      protocol: remote.lines[audio.index]?.protocol ?? 'RTP/AVP',
      codecs: [chosen],
      telephoneEventPayloadType: audio.telephoneEventPayloadType,
      direction: settlement.direction,
    };
    const lines = remote.lines.map((refused, index) => (index === audio.index ? line : refused));
    this.#current = settlement;
    this.#audioIndex = audio.index;
    this.#offerOpen = false;
    return { sdp: this.#write(lines), settlement };
  }

  /**
   * Our own offer: in answer to an INVITE without a description, first or later. It names all that we can do
   * (RFC 3261 §14.2), with the payload types in use, and never repeats the far end's hold: that is not ours
   * to keep.
   */
  offer(): string {
    this.#offerOpen = true;
    const previous = this.#lines[this.#audioIndex];
    const known = previous !== undefined && !('kind' in previous) ? previous : undefined;
    const inUse = this.#current;
    const line: LocalAudio = {
      rtpPort: this.#local.rtpPort,
      rtcpPort: this.#local.rtcpPort,
      rtcpMux: known?.rtcpMux ?? false,
      protocol: known?.protocol ?? 'RTP/AVP',
      codecs: offeredCodecs(this.#codecs, inUse),
      telephoneEventPayloadType:
        inUse === undefined ? OWN_TELEPHONE_EVENT_PAYLOAD_TYPE : inUse.telephoneEventPayloadType,
      direction: 'sendrecv',
    };
    // Lines once given away stay in place, refused (RFC 3264 §8).
    const lines = this.#lines.length === 0 ? [line] : [...this.#lines];
    lines[this.#audioIndex] = line;
    return this.#write(lines);
  }

  /**
   * Takes the far end's answer to our offer.
   * @throws TrunklineError SDP_UNPARSABLE, SDP_NO_AUDIO or SDP_NO_COMMON_CODEC
   */
  accept(answerSdp: string): Settlement {
    this.#offerOpen = false;
    const remote = readSdp(answerSdp);
    const audio = remote.audio.find((one) => one.index === this.#audioIndex);
    if (audio === undefined) throw new TrunklineError('SDP_NO_AUDIO', 'the answer refuses our audio');
    // The answer's first codec is the one to send (RFC 3264 §6.1).
    const chosen = audio.codecs.find((one) => this.#codecs.includes(one.codec));
    if (chosen === undefined)
      throw new TrunklineError('SDP_NO_COMMON_CODEC', 'the answer holds no codec of the offer');
    this.#current = this.#settle(audio, chosen);
    return this.#current;
  }

  /** Our offer was never answered: what held before holds on. */
  withdraw(): void {
    this.#offerOpen = false;
  }

  #settle(audio: RemoteAudio, chosen: OfferedCodec): Settlement {
    const silenced = isUnspecified(audio.address);
    const previous = this.#current?.remote;
    requireOneFamily(audio.address, this.#local.address);
    const stated = MIRRORED[audio.direction];
    const direction = silenced ? withoutSending(stated) : stated;
    const rtcpPort = audio.rtcpPort;
    return {
      remote: {
        // The old form of hold hides the address: the last one known stays, and nothing is sent to it.
        address: silenced ? (previous?.address ?? this.#nowhere()) : audio.address,
        rtpPort: audio.rtpPort,
        rtcpPort,
      },
      codec: chosen.codec,
      payloadType: chosen.payloadType,
      telephoneEventPayloadType: audio.telephoneEventPayloadType,
      direction,
      held: direction === 'recvonly' || direction === 'inactive',
    };
  }

  /** The unspecified address of our own family. */
  #nowhere(): string {
    return isIP(this.#local.address) === 6 ? '::' : '0.0.0.0';
  }

  #write(lines: readonly (LocalAudio | MediaLine)[]): string {
    const description = { sessionId: this.#sessionId, address: this.#local.address, lines };
    const body = writeSdp({ ...description, version: 0 });
    if (body !== this.#body) this.#version += 1;
    this.#body = body;
    this.#lines = lines;
    return writeSdp({ ...description, version: this.#version });
  }
}

/** Sound cannot cross from IPv4 to IPv6 without a relay. */
function requireOneFamily(remote: string, local: string): void {
  if (isUnspecified(remote) || isIP(remote) === isIP(local)) return;
  throw new TrunklineError('SDP_NO_AUDIO', `IPv${isIP(remote)} is offered, IPv${isIP(local)} is spoken here`);
}

function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function withoutSending(direction: Direction): Direction {
  return direction === 'sendrecv' || direction === 'recvonly' ? 'recvonly' : 'inactive';
}

interface Choice {
  readonly audio: RemoteAudio;
  readonly chosen: OfferedCodec;
}

/**
 * The line and codec of an offer: the line in use if it is still there, else the first; the codec in use if
 * it is still offered (a change would be heard), else the trunk's favourite.
 */
function chooseAudio(
  remote: RemoteDescription,
  codecs: readonly Codec[],
  codecInUse?: Codec,
  indexInUse = 0,
): Choice {
  const wanted = codecInUse === undefined ? codecs : [codecInUse, ...codecs];
  const inUseFirst = [...remote.audio].sort(
    (a, b) => Number(b.index === indexInUse) - Number(a.index === indexInUse),
  );
  for (const audio of inUseFirst)
    for (const codec of wanted) {
      const chosen = audio.codecs.find((one) => one.codec === codec);
      if (chosen !== undefined) return { audio, chosen };
    }
  const offered = remote.audio.flatMap((audio) => audio.codecs.map((one) => one.codec));
  throw new TrunklineError(
    'SDP_NO_COMMON_CODEC',
    `offered: ${offered.join(' ')}; allowed: ${codecs.join(' ')}`,
  );
}

function offeredCodecs(codecs: readonly Codec[], inUse: Settlement | undefined): OfferedCodec[] {
  if (inUse === undefined) return codecs.map((codec) => ({ codec, payloadType: OWN_PAYLOAD_TYPES[codec] }));
  const others = codecs.filter((codec) => codec !== inUse.codec);
  return [
    { codec: inUse.codec, payloadType: inUse.payloadType },
    ...others.map((codec) => ({ codec, payloadType: OWN_PAYLOAD_TYPES[codec] })),
  ];
}
