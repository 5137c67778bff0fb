/** Messages to the browser door that chance made up: noise, and good questions with something wrong. */
import { REQUESTS, type RequestName } from '../../../src/web/wire.ts';
import type { SeededRandom } from '../random.ts';
import { dtlsParameters, microphone } from './media.ts';

export interface WildMessage {
  readonly name: string;
  readonly payload: unknown;
}

/** One good question of each kind, for nothing that there is. */
const GOOD: Readonly<Record<RequestName, object>> = {
  ...(Object.fromEntries(Object.keys(REQUESTS).map((name) => [name, {}])) as Record<RequestName, object>),
  join: { widgetKey: 'public', profile: 'clinic' },
  'transport.create': { direction: 'send' },
  'transport.connect': { transportId: 'none', dtlsParameters },
  'transport.restartIce': { transportId: 'none', pathLost: true },
  produce: { transportId: 'none', rtpParameters: microphone('pcmu', 5) },
  'producer.pause': { producerId: 'none' },
  'producer.resume': { producerId: 'none' },
  'producer.close': { producerId: 'none' },
  consume: { producerId: 'none', rtpCapabilities: { codecs: [], headerExtensions: [] } },
  'consumer.pause': { consumerId: 'none' },
  'consumer.resume': { consumerId: 'none' },
};
/** They end the visit, and with it the flood. */
const ENDING = ['leave', 'handBack', 'page.gone', 'end'];
const NAMES = [...Object.keys(GOOD).filter((name) => !ENDING.includes(name)), 'speaking', '', '__proto__'];
const ATOMS = [null, true, -1, 2 ** 40, 1.5, NaN, '', 'x', 'send', '\u0000', '💥', [], {}, 'a'.repeat(300)];
const KEYS = ['transportId', 'direction', 'rtpParameters', 'codecs', 'producerId', 'toString', '__proto__'];

export class WildMessages {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  next(): WildMessage {
    const name = this.#pick(NAMES);
    const good: object | undefined = Object.hasOwn(GOOD, name) ? GOOD[name as RequestName] : undefined;
    if (good === undefined || this.#random.chance(0.3)) return { name, payload: this.#noise(4) };
    return { name, payload: this.#spoilt(structuredClone(good)) };
  }

  /** Something for the socket itself: what is no message of Socket.IO at all, or only just one. */
  nextFrame(): string | Buffer {
    const random = this.#random;
    if (random.chance(0.3)) return random.bytes(random.below(200));
    const { name, payload } = this.next();
    const number = String(random.below(1000));
    const packet = Buffer.from(`4${random.below(8)}${number}${JSON.stringify([name, payload])}`);
    return random.chance(0.5) ? random.mutate(packet).toString('latin1') : packet.toString();
  }

  /** One thing in it replaced, removed or added. */
  #spoilt(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.#random.chance(0.2)) return this.#noise(2);
    const entries = value as Record<string, unknown>;
    const key = this.#pick([...Object.keys(entries), 'more']);
    if (this.#random.chance(0.2)) Reflect.deleteProperty(entries, key);
    else entries[key] = key in entries ? this.#spoilt(entries[key]) : this.#noise(2);
    return entries;
  }

  #noise(depth: number): unknown {
    if (depth === 0 || this.#random.chance(0.4)) return this.#pick<unknown>(ATOMS);
    if (this.#random.chance(0.3)) return Array.from({ length: 3 }, () => this.#noise(depth - 1));
    return Object.fromEntries([1, 2, 3].map(() => [this.#pick(KEYS), this.#noise(depth - 1)]));
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)] as T;
  }
}
