/**
 * The gateway's sound without its doors, in a process of its own: media threads, mediasoup, rooms and agents
 * as the gateway builds them. Browsers come as plain RTP, because Chromium would be the bottleneck.
 * Started by the bench with `fork`; orders and answers are in bench/room-messages.ts.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOpenAgent } from '../src/agent/participant.ts';
import { agentProfileSchema } from '../src/agent/profile.ts';
import { ToolRegistry } from '../src/agent/tools/tool-registry.ts';
import { newId } from '../src/base/ids.ts';
import { createLog } from '../src/base/log.ts';
import { packageRoot, readEnvironment } from '../src/config.ts';
import type { SfuRouter } from '../src/media/sfu-router.ts';
import { Sfu } from '../src/media/sfu.ts';
import { MediaThreads } from '../src/media/threads.ts';
import { findWorkerBinary } from '../src/media/worker-binary.ts';
import { Journal } from '../src/room/journal.ts';
import type { Room } from '../src/room/room.ts';
import { Rooms } from '../src/room/rooms.ts';
import { echoProfile } from './gateway-child.ts';
import { PARTY_FORMAT, type PartyCodec } from './media-party.ts';
import { roomOrderSchema, type RoomAnswer, type RoomOrder } from './room-messages.ts';

const consumers_per_transport = 10;
const [modelUrl = ''] = process.argv.slice(2);
const log = createLog({ level: 'error' });

const [sfu, threads] = await Promise.all([
  Sfu.start({
    workers: 1,
    workerBinary: findWorkerBinary({ env: readEnvironment().workerBinary, packageRoot }),
    listenAddress: '127.0.0.1',
    announcedAddress: '',
    webRtcPort: 0,
    log,
  }),
  MediaThreads.start({
    count: 1,
    rtpAddress: '127.0.0.1',
    rtpPortMin: 30_000,
    rtpPortMax: 33_999,
    quarantineMs: 0,
    logLevel: 'error',
    agent: {
      offline: { cacheFolder: join(tmpdir(), 'trunkline-bench-speech') },
      realtime: {
        ...{ baseUrl: modelUrl, apiKey: 'bench', model: 'bench', voice: 'bench' },
        ...{ connectTimeoutMs: 8000, appendMs: 20, tools: {} },
      },
    },
  }),
]);
const rooms = new Rooms({ sfu, log });
const profile = agentProfileSchema.parse(echoProfile);
const openAgent = createOpenAgent({
  profiles: new Map([[profile.name, profile]]),
  tools: new ToolRegistry({ tools: [] }),
  journal: new Journal(),
  log,
});
const thread = threads.leastLoaded();
const closers: (() => Promise<void>)[] = [];

/** Somebody in a router, as a browser is: one transport, its sound, and everybody else's. */
async function enter(
  router: SfuRouter,
  party: { codec: PartyCodec; port: number; ssrc: number },
): Promise<number> {
  const transport = await router.createPlainTransport();
  await transport.connect({ ip: '127.0.0.1', port: party.port });
  const others = router.producers.map(({ producerId }) => producerId);
  const { steps: _, ...codec } = PARTY_FORMAT[party.codec];
  await transport.produce({
    kind: 'audio',
    rtpParameters: { codecs: [codec], encodings: [{ ssrc: party.ssrc }] },
    appData: { participantId: newId('guest') },
  });
  for (const producerId of others)
    await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
  return transport.tuple.localPort;
}

async function openRoom(trackCodec: 'opus' | 'g711'): Promise<Room> {
  const room = await rooms.open({ roomId: newId('room'), thread, trackCodec });
  closers.push(() => room.close());
  return room;
}

/** A browser and an agent. */
async function visit(order: Extract<RoomOrder, { type: 'visit' }>): Promise<RoomAnswer> {
  const room = await openRoom('opus');
  const codec = 'pcmu';
  const agent = openAgent({ callId: room.roomId, profile: profile.name, tenant: 'bench', codec, thread });
  closers.push(() => agent.close());
  await agent.ready();
  await room.admitAgent({ participantId: agent.portId, portId: agent.portId, codec });
  const rtpPort = await enter(await room.router(), { codec: 'opus', ...order });
  agent.greet();
  return { type: 'opened', rtpPort, legPort: null };
}

/** A browser and a phone. */
async function meeting(order: Extract<RoomOrder, { type: 'meeting' }>): Promise<RoomAnswer> {
  const room = await openRoom('g711');
  const legId = newId('leg');
  const policy = { learnSource: true, learnWindowMs: 5000, relatchAfterSilence: true, rtpTimeoutMs: 0 };
  const { rtpPort: legPort } = await thread.request({ type: 'leg.open', legId, policy });
  closers.push(() => thread.request({ type: 'leg.close', legId }).then(() => undefined));
  const { callerPort: port } = order;
  await thread.request({
    type: 'leg.settle',
    legId,
    settings: {
      remote: { address: '127.0.0.1', rtpPort: port, rtcpPort: port },
      ...{ codec: 'pcmu', payloadType: 0, telephoneEventPayloadType: 101 },
      ...{ direction: 'sendrecv', held: false, sending: true },
    },
  });
  await room.admitLeg({ participantId: legId, legId, codec: 'pcmu' });
  const rtpPort = await enter(await room.router(), { codec: 'pcmu', ...order });
  return { type: 'opened', rtpPort, legPort };
}

let stage: { router: SfuRouter; producerId: string; rtpPort: number; consumers: number } | undefined;

/** One speaks, and so many listen, all in one worker. */
async function listen(order: Extract<RoomOrder, { type: 'listen' }>): Promise<RoomAnswer> {
  stage ??= await openStage(order);
  while (stage.consumers < order.consumers) {
    const port = order.ports[(stage.consumers / consumers_per_transport) % order.ports.length] ?? 0;
    const transport = await stage.router.createPlainTransport();
    await transport.connect({ ip: '127.0.0.1', port });
    const { producerId, router } = stage;
    for (let index = 0; index < consumers_per_transport; index += 1)
      await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
    stage.consumers += consumers_per_transport;
  }
  return { type: 'opened', rtpPort: stage.rtpPort, legPort: null };
}

async function openStage(order: { partyPort: number; ssrc: number }): Promise<NonNullable<typeof stage>> {
  const router = await sfu.createRouter();
  closers.push(() => {
    router.close();
    return Promise.resolve();
  });
  const rtpPort = await enter(router, { codec: 'opus', port: order.partyPort, ssrc: order.ssrc });
  const producerId = router.producers[0]?.producerId ?? '';
  return { router, producerId, rtpPort, consumers: 0 };
}

async function closeAll(): Promise<RoomAnswer> {
  for (const close of closers.splice(0).reverse()) await close();
  stage = undefined;
  return { type: 'closed' };
}

async function obey(order: RoomOrder): Promise<RoomAnswer> {
  switch (order.type) {
    case 'visit':
      return visit(order);
    case 'meeting':
      return meeting(order);
    case 'listen':
      return listen(order);
    case 'close':
      return closeAll();
  }
}

process.on('message', (message) => {
  obey(roomOrderSchema.parse(message)).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => {
  void closeAll().then(async () => {
    await Promise.all([threads.close(), sfu.close()]);
    process.exit(0);
  });
});
process.send?.({ type: 'ready' } satisfies RoomAnswer);
