/**
 * The browser door, and a room in which a phone, an agent and a browser's sound talk to each other all the
 * time: whatever is done to the door, none of the three may miss a packet of the other two.
 */
import { newId } from '../../../src/base/ids.ts';
import type { Room } from '../../../src/room/room.ts';
import type { WebSettings } from '../../../src/web/settings.ts';
import { continuity } from '../phone/rtp-record.ts';
import {
  agent_hz,
  caller_hz,
  joined,
  listen,
  listenAsAgent,
  visitor_hz,
  visitorJoins,
} from '../room-sound.ts';
import type { Agent, Caller } from '../room-stage.ts';
import type { PlainParty } from '../router-party.ts';
import { FRAME_SAMPLES } from '../../../src/media/frame.ts';
import { tone } from '../sound/level.ts';
import { until } from '../until.ts';
import { DoorStage } from './door-stage.ts';

const tone_ms = 60_000;
/** Packets that may be under way between two ends that are counted one after the other. */
const under_way_max = 25;
/** So much is sent and listened to at least: two seconds. */
const packets_min = 100;

/** What one of the three received of another. */
export interface Reception {
  readonly what: string;
  /** Packets that were sent, as the sender counts them, or whoever else got the same. */
  readonly sent: number;
  readonly received: number;
  /** Steps of the sequence number other than +1. An agent is given frames, which have none. */
  readonly jumps: number;
}

interface Counts {
  readonly fromCaller: number;
  readonly fromVisitor: number;
  readonly toPhone: number;
  readonly toVisitor: number;
}

export class TalkingRoom {
  readonly stage: DoorStage;
  readonly room: Room;
  /** How often the room had to move to another router. */
  moves = 0;
  readonly #caller: Caller;
  readonly #agent: Agent;
  readonly #visitor: PlainParty;
  /** SSRC of what the visitor hears -> whose sound it is. */
  readonly #heardBySsrc = new Map<number, 'caller' | 'agent'>();
  #callerSent = 0;
  #visitorSent = 0;

  private constructor(parts: {
    stage: DoorStage;
    room: Room;
    caller: Caller;
    agent: Agent;
    visitor: PlainParty;
  }) {
    this.stage = parts.stage;
    this.room = parts.room;
    this.#caller = parts.caller;
    this.#agent = parts.agent;
    this.#visitor = parts.visitor;
    this.room.events.on('moved', () => (this.moves += 1));
    this.#caller.endpoint.onSent = () => (this.#callerSent += 1);
    this.#visitor.endpoint.onSent = () => (this.#visitorSent += 1);
  }

  static async open(limits: Partial<WebSettings['limits']>): Promise<TalkingRoom> {
    const stage = await DoorStage.open({ web: { limits } });
    const { rooms, journal } = stage;
    const roomId = newId('call');
    const origin = { sipCallId: 'a', trunk: 'local', from: 'b', to: 'c', profile: 'clinic' };
    journal.open({ callId: roomId, tenant: 'clinic', ...origin });
    const room = await rooms.rooms.open({ roomId, thread: rooms.thread });
    const caller = await rooms.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await rooms.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const visitor = await visitorJoins(await room.router());
    await joined(room, 'visitor');
    const talking = new TalkingRoom({ stage, room, caller, agent, visitor });
    await talking.#visitorListens();
    await until('everybody hears', () => caller.heard.length > 0 && visitor.heard.length > 0);
    return talking;
  }

  /** For a human agent's page of the call's tenant. */
  token(): Promise<string> {
    return this.stage.token({ room: this.room.roomId, role: 'human' });
  }

  /** What the three received of each other while `work` was done, and for two seconds at least. */
  async receptions(work: () => Promise<void>): Promise<Reception[]> {
    await this.#agent.heard();
    const before = this.#counts();
    await work();
    await until('two seconds are sent and heard', () => {
      const now = this.#counts();
      const least = Math.min(now.fromCaller - before.fromCaller, now.fromVisitor - before.fromVisitor);
      return Math.min(least, now.toPhone - before.toPhone) >= packets_min;
    });
    const atAgent = await this.#agent.heard();
    const after = this.#counts();
    const phone = this.#caller.heard.slice(before.toPhone);
    const [fromCaller, fromVisitor] = [
      after.fromCaller - before.fromCaller,
      after.fromVisitor - before.fromVisitor,
    ];
    const streams = Map.groupBy(this.#visitor.heard.slice(before.toVisitor), (one) =>
      this.#heardBySsrc.get(one.ssrc),
    );
    const [caller, agent] = [streams.get('caller') ?? [], streams.get('agent') ?? []];
    const frames = Object.values(atAgent).map((bytes) => bytes.length / FRAME_SAMPLES);
    const [few = 0, many = 0] = frames.sort((a, b) => a - b);
    const [fewSent = 0, manySent = 0] = [fromCaller, fromVisitor].sort((a, b) => a - b);
    return [
      received('caller at visitor', fromCaller, caller),
      // One pacer drives the agent's voice and the phone's line: each gets a packet when the other does.
      received('agent at visitor', phone.length, agent),
      received('room at phone', agent.length, phone),
      { what: 'caller or visitor at agent', sent: fewSent, received: few, jumps: 0 },
      { what: 'visitor or caller at agent', sent: manySent, received: many, jumps: 0 },
    ];
  }

  /** The tones that each of the three hears: always those of the other two. */
  async tones(): Promise<{ phone: number[]; visitor: number[]; agent: number[] }> {
    // What they played may have come to its end.
    void this.#caller.endpoint.play(tone(caller_hz, tone_ms));
    void this.#visitor.endpoint.play(tone(visitor_hz, tone_ms));
    await this.#agent.heard();
    const [phone, visitor] = await Promise.all([listen(this.#caller), listen(this.#visitor)]);
    return { phone, visitor, agent: await listenAsAgent(this.#agent) };
  }

  async close(): Promise<void> {
    this.#visitor.close();
    await this.room.close();
    await this.stage.close();
  }

  async #visitorListens(): Promise<void> {
    const router = await this.room.router();
    const others = router.producers.filter(({ tag }) => tag['participantId'] !== 'visitor');
    for (const { producerId, tag } of others) {
      const { rtpParameters } = await this.#visitor.consume(producerId);
      const ssrc = rtpParameters.encodings?.[0]?.ssrc ?? 0;
      this.#heardBySsrc.set(ssrc, tag['participantId'] === this.#caller.participantId ? 'caller' : 'agent');
    }
  }

  #counts(): Counts {
    return {
      fromCaller: this.#callerSent,
      fromVisitor: this.#visitorSent,
      toPhone: this.#caller.heard.length,
      toVisitor: this.#visitor.heard.length,
    };
  }
}

function received(what: string, sent: number, packets: Caller['heard']): Reception {
  return { what, sent, received: packets.length, jumps: continuity(packets).sequenceJumps };
}

/** Of `sent` packets all have come, but for those that are under way. */
export function isComplete({ sent, received, jumps }: Reception): boolean {
  return jumps === 0 && sent >= packets_min - under_way_max && received >= sent - under_way_max;
}
