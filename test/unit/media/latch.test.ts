import { describe, expect, it } from 'vitest';
import { HOLD_PACKETS, Latch, QUIET_MS, SILENCE_MS } from '../../../src/media/latch.ts';
import type { Admission, Endpoint, LatchPolicy } from '../../../src/media/latch.ts';
import { SeededRandom } from '../../support/random.ts';

const SDP: Endpoint = { address: '203.0.113.10', port: 4000 };
const NAT: Endpoint = { address: '198.51.100.7', port: 61_234 };
const EVIL: Endpoint = { address: '192.0.2.66', port: 5555 };
const LEARN: LatchPolicy = { learnSource: true, learnWindowMs: 3000, relatchAfterSilence: true };
const STRICT: LatchPolicy = { learnSource: false, learnWindowMs: 3000, relatchAfterSilence: false };

class Scene {
  readonly latch: Latch;
  nowMs = 0;

  constructor(policy: LatchPolicy, expected: Endpoint = SDP) {
    this.latch = new Latch(policy);
    this.latch.settle(expected, 0);
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** What became of so many packets, 20 ms apart. */
  hear(
    from: Endpoint,
    packets = 1,
    options: { ssrc?: number; type?: number; known?: boolean } = {},
  ): Admission[] {
    const { ssrc = 1, type = 0, known = true } = options;
    return Array.from({ length: packets }, () => {
      this.nowMs += 20;
      return this.latch.admit(from, ssrc, type, known, this.nowMs);
    });
  }

  resettle(expected: Endpoint = SDP): this {
    this.latch.settle(expected, this.nowMs);
    return this;
  }
}

describe('before anything is settled', () => {
  it('nobody is believed', () => {
    const latch = new Latch(LEARN);
    expect(latch.admit(SDP, 1, 0, true, 0)).toBe('refused');
    expect(latch.source).toBeNull();
    expect(latch.knows(SDP.address)).toBe(false);
  });
});

describe('the address that signalling named', () => {
  it.each([LEARN, STRICT])('is believed with its first packet', (policy) => {
    const scene = new Scene(policy);
    expect(scene.hear(SDP, 3)).toEqual(['latched', 'accepted', 'accepted']);
    expect(scene.latch.source).toEqual(SDP);
  });

  it('is believed long after the window', () => {
    expect(new Scene(STRICT).after(60_000).hear(SDP)).toEqual(['latched']);
  });

  it('takes over from a learned source within the window', () => {
    const scene = new Scene(LEARN);
    scene.hear(EVIL, HOLD_PACKETS);
    expect(scene.hear(SDP)).toEqual(['latched']);
    expect(scene.hear(EVIL, 10)).not.toContain('accepted');
  });

  it('with another port is a stranger', () => {
    expect(new Scene(STRICT).hear({ ...SDP, port: 4002 }, 10)).toEqual(Array<string>(10).fill('refused'));
  });
});

describe('a source behind NAT', () => {
  it('is learned after three packets that hold', () => {
    const scene = new Scene(LEARN);
    expect(scene.hear(NAT, 5)).toEqual(['refused', 'refused', 'latched', 'accepted', 'accepted']);
    expect(scene.latch.source).toEqual(NAT);
  });

  it.each<[string, (scene: Scene, round: number) => void]>([
    ['its SSRC changes', (scene, round) => scene.hear(NAT, 1, { ssrc: round })],
    ['its payload type changes', (scene, round) => scene.hear(NAT, 1, { type: round % 2 })],
    ['its payload type is unknown', (scene) => scene.hear(NAT, 1, { known: false })],
    ['its port changes', (scene, round) => scene.hear({ ...NAT, port: 1000 + round })],
    ['another stranger talks in between', (scene, round) => scene.hear(round % 3 === 2 ? EVIL : NAT)],
  ])('is not learned while %s', (_what, packet) => {
    const scene = new Scene(LEARN);
    for (let round = 0; round < 30; round++) packet(scene, round);
    expect(scene.latch.source).toBeNull();
  });

  it('is never learned when the trunk does not allow it', () => {
    expect(new Scene(STRICT).hear(NAT, 100)).not.toContain('latched');
  });

  it('is not learned after the window without leave to re-latch', () => {
    const scene = new Scene({ ...LEARN, relatchAfterSilence: false }).after(3000);
    expect(scene.hear(NAT, 100)).not.toContain('latched');
  });

  it('is learned after the window when nobody spoke and the trunk allows re-latching', () => {
    expect(new Scene(LEARN).after(10_000).hear(NAT, 3)).toContain('latched');
  });
});

describe('once latched', () => {
  it('strangers are refused for ever, however much they send', () => {
    const random = new SeededRandom(6);
    const scene = new Scene(LEARN);
    scene.hear(NAT, 3);
    for (let round = 0; round < 2000; round++) {
      const foreign = scene.hear({ ...EVIL, port: 5000 + random.below(3) }, random.below(4));
      expect(foreign.every((admission) => admission === 'refused')).toBe(true);
      expect(scene.hear(NAT)).toEqual(['accepted']);
    }
  });

  it('its own SSRC may change at any time', () => {
    const scene = new Scene(LEARN);
    scene.hear(NAT, 3);
    expect(scene.hear(NAT, 2, { ssrc: 99 })).toEqual(['accepted', 'accepted']);
  });

  it('a second of silence lets another source in, if the trunk allows', () => {
    const scene = new Scene(LEARN).after(5000);
    scene.hear(SDP);
    expect(scene.after(SILENCE_MS - 100).hear(NAT, 3)).toEqual(['refused', 'refused', 'refused']);
    expect(scene.after(100).hear(NAT, 3)).toContain('latched');
  });

  it('no silence does, if it does not', () => {
    const scene = new Scene({ ...LEARN, relatchAfterSilence: false });
    scene.hear(SDP);
    expect(scene.after(60_000).hear(NAT, 100)).not.toContain('latched');
  });
});

describe('a re-INVITE', () => {
  it('to a new address ends the old latch', () => {
    const moved = { ...SDP, port: 4444 };
    const scene = new Scene(STRICT);
    scene.hear(SDP);
    scene.resettle(moved);
    expect(scene.latch.source).toBeNull();
    expect(scene.hear(SDP)).toEqual(['refused']);
    expect(scene.hear(moved)).toEqual(['latched']);
  });

  it('with the same address keeps it', () => {
    const scene = new Scene(LEARN);
    scene.hear(NAT, 3);
    scene.resettle();
    expect(scene.latch.source).toEqual(NAT);
    expect(scene.hear(NAT)).toEqual(['accepted']);
  });

  it('opens the window again for a source that moved, once the old one is quiet', () => {
    const scene = new Scene({ ...LEARN, relatchAfterSilence: false }).after(100);
    scene.hear(NAT, 3);
    scene.after(20_000).resettle().after(QUIET_MS);
    expect(scene.hear({ ...NAT, port: 777 }, 3)).toContain('latched');
  });

  it('does not let a stranger in while the old source speaks', () => {
    const scene = new Scene(LEARN);
    scene.hear(NAT, 3);
    scene.resettle();
    for (let round = 0; round < 100; round++) {
      expect(scene.hear(NAT)).toEqual(['accepted']);
      expect(scene.hear(EVIL)).toEqual(['refused']);
    }
  });
});

describe('control packets', () => {
  it('are believed from the named address and the latched one', () => {
    const scene = new Scene(LEARN);
    scene.hear(NAT, 3);
    expect([SDP, NAT, EVIL].map(({ address }) => scene.latch.knows(address))).toEqual([true, true, false]);
  });
});
