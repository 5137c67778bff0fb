/**
 * Questions for mediasoup that chance made up: about what there really is, in words that the door's schema
 * lets through, with values that no browser would send.
 */
import { REQUESTS, type Ask, type RequestName } from '../../../src/web/wire.ts';
import type { SeededRandom } from '../random.ts';
import { dtlsParameters, microphone } from './media.ts';
import type { WildMessage } from './wild-messages.ts';

type Direction = Ask<'transport.create'>['direction'];

const NUMBERS = [0, 1, 2, 5, 6, 13, 96, 101, 127, 255, 8000, 44_100, 48_000, 192_000, 0xffffffff];
const STRINGS = [
  ...[
    'audio/PCMU',
    'audio/pcmu',
    'audio/PCMA',
    'audio/opus',
    'audio/CN',
    'audio/rtx',
    'audio/red',
    'audio/x',
  ],
  ...['audio', '/', 'video/VP8', '', '0', '\u0000', '💥', 'x'.repeat(32), 'nack', 'transport-cc', 'ccm'],
  ...[
    'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
    'urn:ietf:params:rtp-hdrext:sdes:mid',
    'sha-1',
    'sha-512',
  ],
  ...[
    '00',
    '00:11',
    Array.from({ length: 64 }, () => 'ff').join(':'),
    'client',
    'server',
    'auto',
    'sendonly',
  ],
];
/** So many tries to find something that the schema lets through. */
const tries_max = 20;

const NAMES = [
  ...['transport.create', 'transport.connect', 'transport.restartIce'],
  ...['produce', 'produce', 'produce', 'produce', 'consume', 'consume', 'consume', 'consume'],
  ...['producer.pause', 'producer.resume', 'producer.close', 'consumer.pause', 'consumer.resume'],
] as const satisfies RequestName[];
type Name = (typeof NAMES)[number];

/** A microphone that uses nearly every word of the schema. */
function richMicrophone(ssrc: number): Ask<'produce'>['rtpParameters'] {
  const plain = microphone('pcmu', ssrc);
  return {
    mid: 'm',
    codecs: [
      ...plain.codecs.map((one) => ({ ...one, parameters: { ptime: 20 }, rtcpFeedback: [{ type: 'nack' }] })),
      { mimeType: 'audio/telephone-event', payloadType: 101, clockRate: 8000, channels: 1 },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 10, encrypt: false }],
    encodings: [{ ssrc, rid: 'r', codecPayloadType: 0, dtx: true, maxBitrate: 64_000 }],
    rtcp: { cname: 'browser', reducedSize: true, mux: true },
  };
}

export class WildMedia {
  readonly #random: SeededRandom;
  readonly #capabilities: Ask<'consume'>['rtpCapabilities'];
  /** What there is to be heard. */
  readonly #heard: string;
  readonly #transports: Record<Direction, string> = { send: 'none', receive: 'none' };
  #microphone = 'none';
  #consumer = 'none';

  constructor(random: SeededRandom, joined: Pick<Ask<'consume'>, 'producerId' | 'rtpCapabilities'>) {
    this.#random = random;
    this.#heard = joined.producerId;
    this.#capabilities = joined.rtpCapabilities;
  }

  next(): WildMessage {
    const name = this.#pick(NAMES);
    const good = this.#good(name);
    for (let tries = 0; tries < tries_max; tries += 1) {
      const payload: unknown = structuredClone(good);
      for (let changes = this.#random.below(4); changes > 0; changes -= 1) this.#bend(payload);
      if (REQUESTS[name].ask.safeParse(payload).success) return { name, payload };
    }
    return { name, payload: good };
  }

  /** What came of a question: the next ones are about that. */
  learn({ name, payload }: WildMessage, answer: Record<string, unknown>): void {
    const { transportId, producerId, consumerId } = answer;
    if (name === 'transport.create' && typeof transportId === 'string')
      this.#transports[(payload as Ask<'transport.create'>).direction] = transportId;
    if (name === 'produce' && typeof producerId === 'string') this.#microphone = producerId;
    if (name === 'consume' && typeof consumerId === 'string') this.#consumer = consumerId;
  }

  #good(name: Name): object {
    const transportId = this.#transports[this.#random.chance(0.9) ? 'send' : 'receive'];
    switch (name) {
      case 'transport.create':
        return { direction: this.#pick(['send', 'receive']) };
      case 'transport.connect':
        return { transportId, dtlsParameters };
      case 'transport.restartIce':
        return { transportId };
      case 'produce': {
        const ssrc = 1 + this.#random.below(1000);
        const rtpParameters = this.#random.chance(0.7) ? richMicrophone(ssrc) : microphone('pcmu', ssrc);
        if (this.#random.chance(0.1)) {
          rtpParameters.codecs.push({
            mimeType: 'audio/rtx',
            payloadType: 96,
            clockRate: 8000,
            parameters: { apt: 0 },
          });
          rtpParameters.encodings = [{ ssrc, rtx: { ssrc: ssrc + 1 } }];
        }
        return { transportId, rtpParameters };
      }
      case 'consume':
        return { producerId: this.#heard, rtpCapabilities: this.#capabilities };
      case 'producer.pause':
      case 'producer.resume':
      case 'producer.close':
        return { producerId: this.#microphone };
      default:
        return { consumerId: this.#consumer };
    }
  }

  /** One thing somewhere in it replaced by another of its kind, removed, or doubled. The ids stay. */
  #bend(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const parent = value as Record<string, unknown>;
    const keys = Object.keys(parent).filter((key) => !key.endsWith('Id') && key !== 'direction');
    if (keys.length === 0) return;
    const key = this.#pick(keys);
    const child = parent[key];
    if (typeof child === 'object' && child !== null && this.#random.chance(0.85)) this.#bend(child);
    else if (Array.isArray(parent) && this.#random.chance(0.5)) parent.push(structuredClone(child));
    else if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else if (this.#random.chance(0.3)) Reflect.deleteProperty(parent, key);
    else parent[key] = this.#other(child);
  }

  #other(value: unknown): unknown {
    if (typeof value === 'number') return this.#pick(NUMBERS);
    if (typeof value === 'string') return this.#pick(STRINGS);
    return typeof value === 'boolean' ? !value : value;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }
}
