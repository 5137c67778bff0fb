import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { participants_max } from '../../../src/room/room.ts';
import { RoomStage } from '../../support/room-stage.ts';
import * as sound from '../../support/room-sound.ts';
import { DirectParty } from '../../support/router-party.ts';
import { until } from '../../support/until.ts';

const { caller_hz, agent_hz, visitor_hz } = sound;
const { consumeAllOthers, joined, listen, listenAsAgent, visitorJoins } = sound;

let stage: RoomStage;
let empty: Record<string, number>;

beforeAll(async () => {
  stage = await RoomStage.open({ workers: 2 });
  empty = await stage.census();
});

/** Whatever a test did: when its calls are over, nothing is left open. */
afterEach(async () => {
  await stage.endCalls();
  expect(await stage.census()).toEqual(empty);
});

afterAll(() => stage.close());

describe('the tone test', () => {
  it('lets phone leg, agent and a party in the router hear each other, and nobody itself', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const router = await room.router();
    const visitor = await visitorJoins(router);
    const watcher = await DirectParty.join(router);
    await joined(room, 'visitor');
    await agent.heard();
    await consumeAllOthers(router, visitor);
    await consumeAllOthers(router, watcher);
    expect(await listen(caller)).toEqual([agent_hz, visitor_hz]);
    expect(await listen(visitor)).toEqual([caller_hz, agent_hz]);
    expect(await listen(watcher)).toEqual([caller_hz, agent_hz]);
    expect(await listenAsAgent(agent)).toEqual([caller_hz, visitor_hz]);
    watcher.close();
    visitor.close();
  });

  it('holds in PCMA, and for a visitor who speaks the other G.711', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcma', frequencyHz: caller_hz });
    const visitor = await visitorJoins(await room.router(), 'pcmu');
    await joined(room, 'visitor');
    expect(await listen(caller, 'pcma')).toEqual([visitor_hz]);
    visitor.close();
  });
});

describe('a room', () => {
  it('has the leg as a producer from the start, and sends RTP only while somebody consumes it', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const router = await room.router();
    const { producerId = '' } =
      router.producers.find((one) => one.tag['participantId'] === caller.participantId) ?? {};
    await listen(caller);
    expect(await router.packetsFrom(producerId)).toBe(0);

    const watcher = await DirectParty.join(router);
    const consumer = await watcher.consume(producerId);
    expect(await listen(watcher)).toEqual([caller_hz]);

    await consumer.pause();
    await room.router();
    const atPause = await router.packetsFrom(producerId);
    await listen(caller);
    expect(await router.packetsFrom(producerId)).toBeLessThanOrEqual(atPause + 1);

    await consumer.resume();
    expect(await listen(watcher)).toEqual([caller_hz]);
    consumer.close();
    await room.router();
    const atClose = await router.packetsFrom(producerId);
    await listen(caller);
    expect(await router.packetsFrom(producerId)).toBeLessThanOrEqual(atClose + 1);
    expect((await agent.heard())[caller.legId]?.length).toBeGreaterThan(0);
    watcher.close();
  });

  it('joins two callers inside the thread, without a packet through the router', async () => {
    const room = await stage.openRoom();
    const one = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const two = await stage.admitCaller(room, { codec: 'pcma', frequencyHz: visitor_hz });
    expect(await listen(one)).toEqual([visitor_hz]);
    expect(await listen(two, 'pcma')).toEqual([caller_hz]);
    const router = await room.router();
    const packets = router.producers.map(({ producerId }) => router.packetsFrom(producerId));
    expect(await Promise.all(packets)).toEqual([0, 0]);
    expect(await stage.census()).toMatchObject({ links: 1, transports: 2 });
  });

  it('lets a visitor be heard while he is there, and forgets him when he leaves', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const seen: string[] = [];
    room.events.on('participantJoined', ({ kind }) => seen.push(`${kind} joined`));
    room.events.on('participantLeft', ({ participantId, kind }) =>
      seen.push(`${kind} ${participantId} left`),
    );
    const router = await room.router();
    const before = await stage.census();
    const visitor = await visitorJoins(router);
    await joined(room, 'visitor');
    expect(await listen(caller)).toEqual([agent_hz, visitor_hz]);
    visitor.close();
    await until('the visitor left', () => !room.participantIds.includes('visitor'));
    await room.router();
    expect(await listen(caller)).toEqual([agent_hz]);
    await agent.heard();
    await listen(caller);
    expect(await listenAsAgent(agent)).toEqual([caller_hz]);
    expect(seen).toEqual(['remote joined', 'remote visitor left']);
    expect(await stage.census()).toEqual(before);
  });

  it('takes one visitor with two microphones for one participant', async () => {
    const room = await stage.openRoom();
    await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const router = await room.router();
    const [one, two] = [await visitorJoins(router), await visitorJoins(router)];
    await joined(room, 'visitor');
    await room.router();
    const patched = (await stage.census())['patches'];
    one.close();
    await until('one microphone is gone', () => router.producers.length === 2);
    await room.router();
    expect(room.participantIds).toContain('visitor');
    expect((await stage.census())['patches']).toBe((patched ?? 0) - 1);
    two.close();
    await until('the visitor left', () => !room.participantIds.includes('visitor'));
  });

  it('goes on with a producer that nobody here can decode', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const router = await room.router();
    const transport = await router.createDirectTransport();
    await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/G722', payloadType: 9, clockRate: 8000 }],
        encodings: [{ ssrc: 1234 }],
      },
    });
    const visitor = await visitorJoins(router);
    await joined(room, 'visitor');
    expect(await listen(caller)).toEqual([visitor_hz]);
    expect(room.participantIds).toEqual([caller.participantId, 'visitor']);
    visitor.close();
  });

  it('replaces the producer of a leg whose codec changed', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const { participantId, legId: portId } = caller;
    const router = await room.router();
    await room.changeCodec({ participantId: 'nobody', portId, codec: 'pcma' });
    await room.changeCodec({ participantId, portId, codec: 'pcma' });
    await room.router();
    const producers = router.producers.map(({ codec, tag }) => [codec, tag['participantId']]);
    expect(producers).toEqual([['pcma', participantId]]);
    const watcher = await DirectParty.join(router);
    await consumeAllOthers(router, watcher);
    expect(await listen(watcher, 'pcma')).toEqual([caller_hz]);
    watcher.close();
  });

  it('translates for the router when a leg speaks another codec than its producer', async () => {
    const room = await stage.openRoom();
    const { participantId, legId } = await stage.openCaller({ codec: 'pcmu', frequencyHz: caller_hz });
    await room.admitLeg({ participantId, legId, codec: 'pcma' });
    const router = await room.router();
    const watcher = await DirectParty.join(router);
    await consumeAllOthers(router, watcher);
    expect(router.producers.map(({ codec }) => codec)).toEqual(['pcma']);
    expect(await listen(watcher, 'pcma')).toEqual([caller_hz]);
    watcher.close();
  });
});

describe('closing', () => {
  it('leaves nothing open', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const visitor = await visitorJoins(await room.router());
    await joined(room, 'visitor');
    await Promise.all([room.close(), room.close()]);
    visitor.close();
    await Promise.all([caller.hangUp(), agent.close()]);
    expect(await stage.census()).toEqual(empty);
    expect(stage.rooms.size).toBe(0);
  });

  it('leaves nothing open when it comes before the router', async () => {
    const room = await stage.openRoom();
    await room.close();
    expect(await stage.census()).toEqual(empty);
    await expect(room.router()).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });

  it('takes a participant out, once, with all its wires and its producer', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const alone = { ...(await stage.census()) };
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const router = await room.router();
    const left: string[] = [];
    room.events.on('participantLeft', ({ participantId }) => left.push(participantId));
    await Promise.all([room.remove(agent.participantId), room.remove(agent.participantId)]);
    await agent.close();
    await room.router();
    expect(left).toEqual([agent.participantId]);
    expect(router.producers.map((one) => one.tag['participantId'])).toEqual([caller.participantId]);
    expect((await stage.census())['voices']).toBe(alone['voices']);
    await room.remove('nobody');
  });
});

describe('rooms', () => {
  it('are found by id while they are open, and have one id each', async () => {
    const { thread, rooms } = stage;
    const room = await rooms.open({ roomId: 'clinic', thread });
    expect(rooms.get('clinic')).toBe(room);
    await expect(rooms.open({ roomId: 'clinic', thread })).rejects.toThrow('open already');
    await room.close();
    expect(rooms.get('clinic')).toBeUndefined();
    const again = await rooms.open({ roomId: 'clinic', thread });
    expect(rooms.get('clinic')).toBe(again);
    await again.close();
  });
});

describe('admission', () => {
  it('of a port that is not open is refused, and leaves nobody behind', async () => {
    const room = await stage.openRoom();
    await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const ghost = { participantId: 'ghost', portId: 'no-such-port', codec: 'pcmu' } as const;
    await expect(room.admitAgent(ghost)).rejects.toMatchObject({ code: 'MEDIA_NOT_OPEN' });
    expect(room.participantIds).not.toContain('ghost');
  });

  it('to a closed room is refused', async () => {
    const room = await stage.openRoom();
    await room.close();
    const late = { participantId: 'late', portId: 'port', codec: 'pcmu' } as const;
    await expect(room.admitAgent(late)).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });

  it('to a full room is refused', async () => {
    const room = await stage.openRoom();
    const router = await room.router();
    const transport = await router.createDirectTransport();
    for (let index = 0; index < participants_max; index += 1)
      await transport.produce({
        kind: 'audio',
        rtpParameters: {
          codecs: [{ mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 }],
          encodings: [{ ssrc: 1000 + index }],
        },
      });
    await until('the room is full', () => room.participantIds.length === participants_max);
    const late = { participantId: 'late', portId: 'port', codec: 'pcmu' } as const;
    await expect(room.admitAgent(late)).rejects.toMatchObject({ code: 'ROOM_FULL' });
  });
});
