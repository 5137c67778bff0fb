/** Rooms with everything real around them: workers, a media thread, phones, agents that are a tone. */
import { once } from 'node:events';
import { newId } from '../../src/base/ids.ts';
import type { Codec } from '../../src/media/frame.ts';
import type { Sfu } from '../../src/media/sfu.ts';
import { MediaThreads } from '../../src/media/threads.ts';
import type { Room } from '../../src/room/room.ts';
import { Rooms } from '../../src/room/rooms.ts';
import type { RoomTrackCodec } from '../../src/room/router-link.ts';
import { PAYLOAD_TYPE_OF, RtpEndpoint, TELEPHONE_EVENT_PAYLOAD_TYPE } from './phone/rtp-endpoint.ts';
import type { ReceivedPacket } from './phone/rtp-record.ts';
import { silentLog, startSfu } from './sfu.ts';
import { toneVoiceEventSchema } from './tone-voice-schema.ts';
import { tone } from './sound/level.ts';
import { createSocket } from 'node:dgram';

type Thread = MediaThreads['handles'][number];

/** The tone of a phone that was told to play one lasts longer than any test. */
const caller_tone_ms = 60_000;

export class RoomStage {
  readonly sfu: Sfu;
  readonly threads: MediaThreads;
  readonly rooms: Rooms;
  readonly #rooms: Room[] = [];
  readonly #callers: Caller[] = [];
  readonly #agents: Agent[] = [];

  private constructor(sfu: Sfu, threads: MediaThreads) {
    this.sfu = sfu;
    this.threads = threads;
    this.rooms = new Rooms({ sfu, log: silentLog });
  }

  static async open(options: { workers: number }): Promise<RoomStage> {
    const rtpPortMin = await freePort();
    const [sfu, threads] = await Promise.all([
      startSfu(options),
      MediaThreads.start({
        count: 1,
        rtpAddress: '127.0.0.1',
        rtpPortMin,
        rtpPortMax: rtpPortMin + 40,
        quarantineMs: 0,
        logLevel: 'silent',
        agent: {},
        entry: new URL('./tone-voice.ts', import.meta.url),
      }),
    ]);
    return new RoomStage(sfu, threads);
  }

  get thread(): Thread {
    return this.threads.leastLoaded();
  }

  async openRoom(trackCodec: RoomTrackCodec = 'g711'): Promise<Room> {
    const room = await this.rooms.open({ roomId: newId('room'), thread: this.thread, trackCodec });
    this.#rooms.push(room);
    return room;
  }

  /** A phone leg whose caller plays a tone, admitted to the room. */
  async admitCaller(room: Room, options: { codec: Codec; frequencyHz: number }): Promise<Caller> {
    const caller = await this.openCaller(options);
    const { participantId, legId } = caller;
    await room.admitLeg({ participantId, legId, codec: options.codec });
    return caller;
  }

  /** A phone leg whose caller plays a tone, in no room yet. */
  async openCaller({ codec, frequencyHz }: { codec: Codec; frequencyHz: number }): Promise<Caller> {
    const legId = newId('leg');
    const endpoint = await RtpEndpoint.open(codec);
    const policy = { learnSource: true, learnWindowMs: 5000, relatchAfterSilence: true, rtpTimeoutMs: 0 };
    const { rtpPort } = await this.thread.request({ type: 'leg.open', legId, policy });
    await this.thread.request({
      type: 'leg.settle',
      legId,
      settings: {
        remote: { address: '127.0.0.1', rtpPort: endpoint.port, rtcpPort: endpoint.port },
        codec,
        payloadType: PAYLOAD_TYPE_OF[codec],
        telephoneEventPayloadType: TELEPHONE_EVENT_PAYLOAD_TYPE,
        direction: 'sendrecv',
        held: false,
        sending: true,
      },
    });
    endpoint.sendTo({ address: '127.0.0.1', port: rtpPort });
    void endpoint.play(tone(frequencyHz, caller_tone_ms));
    const caller = new Caller({ thread: this.thread, legId, endpoint, codec });
    this.#callers.push(caller);
    return caller;
  }

  /** An agent whose voice is one tone, admitted to the room. */
  async admitAgent(room: Room, options: { codec: Codec; frequencyHz: number }): Promise<Agent> {
    const { codec, frequencyHz } = options;
    const portId = newId('voice');
    await this.thread.request({ type: 'voice.open', voiceId: portId, codec, spec: { frequencyHz } });
    const agent = new Agent(this.thread, portId);
    this.#agents.push(agent);
    await room.admitAgent({ participantId: agent.participantId, portId, codec });
    return agent;
  }

  /** What is open in all workers and in the thread. */
  async census(): Promise<Record<string, number>> {
    const [thread] = await this.threads.census();
    if (thread === undefined) throw new Error('no media thread is alive');
    const { legs, links, voices, patches, sockets, opusStates, portsUsed, ticked } = thread.census;
    const counted = { legs, links, voices, patches, sockets, opusStates, portsUsed, ticked };
    return { ...counted, ...this.sfu.census() };
  }

  /** Every caller hangs up, every agent and room is closed. */
  async endCalls(): Promise<void> {
    await Promise.all(this.#rooms.splice(0).map((room) => room.close()));
    await Promise.all(this.#callers.splice(0).map((caller) => caller.hangUp()));
    await Promise.all(this.#agents.splice(0).map((agent) => agent.close()));
  }

  async close(): Promise<void> {
    for (const caller of this.#callers) caller.endpoint.close();
    await this.rooms.close();
    await Promise.all([this.sfu.close(), this.threads.close()]);
  }
}

export class Caller {
  readonly participantId = newId('caller');
  readonly legId: string;
  readonly endpoint: RtpEndpoint;
  readonly #thread: Thread;
  readonly #codec: Codec;
  #ended = false;

  constructor(parts: { thread: Thread; legId: string; endpoint: RtpEndpoint; codec: Codec }) {
    this.#thread = parts.thread;
    this.legId = parts.legId;
    this.endpoint = parts.endpoint;
    this.#codec = parts.codec;
  }

  /** The stream as the phone got it. */
  get heard(): ReceivedPacket[] {
    const payloadType = PAYLOAD_TYPE_OF[this.#codec];
    return this.endpoint.received.packets.filter((one) => one.payloadType === payloadType);
  }

  /** Idempotent. */
  async hangUp(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.endpoint.close();
    await this.#thread.request({ type: 'leg.close', legId: this.legId });
  }
}

export class Agent {
  readonly participantId = newId('agent');
  readonly portId: string;
  readonly #thread: Thread;
  #ended = false;

  constructor(thread: Thread, portId: string) {
    this.#thread = thread;
    this.portId = portId;
  }

  /** What it heard since the last question, by the id of the source. */
  async heard(): Promise<Record<string, Uint8Array>> {
    const told = new Promise((resolve) => {
      this.#thread.voiceEvents(this.portId).once('event', resolve);
    });
    await this.#thread.request({ type: 'voice.command', voiceId: this.portId, command: 'heard' });
    return toneVoiceEventSchema.parse(await told).heard;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#thread.request({ type: 'voice.close', voiceId: this.portId });
  }
}

/** The start of a range of ports of which the first, at least, is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return Math.min(port + (port % 2), 65_000);
}
