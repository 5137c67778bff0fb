/** One anchor on a real pair of ports, driven by the test's own ticks and clock, with one far end. */
import { random16 } from '../../../src/base/ids.ts';
import { RtpAnchor } from '../../../src/media/anchor.ts';
import type { LegPolicy, LegSettings, ThreadEvent } from '../../../src/media/control.ts';
import { PortPool } from '../../../src/media/port-pool.ts';
import { SocketLedger } from '../../../src/media/udp.ts';
import { ManualClock } from '../manual-clock.ts';
import { until } from '../until.ts';
import { Collector } from './parts.ts';
import { RtpParty } from './rtp-party.ts';

export const POLICY: LegPolicy = {
  learnSource: true,
  learnWindowMs: 3000,
  relatchAfterSilence: true,
  rtpTimeoutMs: 1000,
};

export class AnchorStage {
  readonly clock = new ManualClock();
  readonly ledger = new SocketLedger();
  readonly events: ThreadEvent[] = [];
  readonly errors: unknown[] = [];
  readonly heard = new Collector();
  readonly party: RtpParty;
  readonly pool: PortPool;
  anchor!: RtpAnchor;
  #tick = 0;

  private constructor(party: RtpParty) {
    this.party = party;
    const min = 40_000 + (random16() % 10_000) * 2;
    this.pool = new PortPool({ min, max: min + 63, quarantineMs: 1000 }, this.clock);
  }

  static async open(policy: Partial<LegPolicy> = {}): Promise<AnchorStage> {
    const stage = new AnchorStage(await RtpParty.open());
    stage.anchor = await RtpAnchor.open({
      legId: 'leg',
      address: '127.0.0.1',
      policy: { ...POLICY, ...policy },
      pool: stage.pool,
      ledger: stage.ledger,
      clock: stage.clock,
      report: (event) => stage.events.push(event),
      onError: (error) => stage.errors.push(error),
    });
    stage.anchor.sinks = [stage.heard];
    stage.party.targetPort = stage.anchor.rtpPort;
    return stage;
  }

  settle(changes: Partial<LegSettings> = {}): void {
    this.anchor.settle({
      remote: { address: '127.0.0.1', rtpPort: this.party.port, rtcpPort: this.party.port },
      codec: 'pcmu',
      payloadType: 0,
      telephoneEventPayloadType: 101,
      direction: 'sendrecv',
      held: false,
      sending: true,
      ...changes,
    });
  }

  /** Goes on by so many ticks of 20 ms. */
  ticks(count: number): void {
    for (let i = 0; i < count; i++) {
      this.clock.advance(20);
      this.anchor.tick(this.#tick++);
    }
  }

  /** Time passes for the anchor without a tick. */
  skip(ticks: number): void {
    this.clock.advance(ticks * 20);
    this.#tick += ticks;
  }

  /** Packets that reached the anchor's sound socket and were counted, whatever became of them. */
  get arrived(): number {
    const { fromCaller } = this.anchor.stats();
    return (
      fromCaller.packets +
      fromCaller.duplicates +
      fromCaller.droppedForeignSource +
      fromCaller.droppedMalformed
    );
  }

  /** Says `values`, one packet each; resolves when all have been taken in. */
  async hear(...values: number[]): Promise<void> {
    for (const value of values) {
      const before = this.arrived;
      await this.party.speak(value);
      await until(`packet ${value} taken in`, () => this.arrived > before);
      this.clock.advance(20);
    }
  }

  eventsOf<T extends ThreadEvent['type']>(type: T): Extract<ThreadEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ThreadEvent, { type: T }> => event.type === type);
  }

  async close(): Promise<void> {
    await this.anchor.close();
    await this.party.close();
  }
}
