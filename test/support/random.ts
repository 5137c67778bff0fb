/** A seeded source of numbers (mulberry32), so that a failure found by chance can be found again. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** A copy of `packet` with a few bytes changed, cut or added. */
  mutate(packet: Buffer): Buffer {
    const copy = Buffer.from(packet);
    for (let changes = 1 + this.below(4); changes > 0 && copy.length > 0; changes--) {
      // The first bytes decide how the rest is read: they are hit most.
      const at = this.chance(0.7) ? this.below(Math.min(16, copy.length)) : this.below(copy.length);
      copy[at] = this.below(256);
    }
    if (this.chance(0.2)) return copy.subarray(0, this.below(copy.length + 1));
    return this.chance(0.1) ? Buffer.concat([copy, this.bytes(this.below(64))]) : copy;
  }
}
