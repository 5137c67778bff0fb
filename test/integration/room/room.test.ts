import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Codec } from '../../../src/media/frame.ts';
import type { SfuRouter } from '../../../src/media/sfu-router.ts';
import type { Room } from '../../../src/room/room.ts';
import { participants_max } from '../../../src/room/room.ts';
import { continuity } from '../../support/phone/rtp-record.ts';
import { RoomStage, type Agent, type Caller } from '../../support/room-stage.ts';
import { DirectParty, PlainParty, type Heard } from '../../support/router-party.ts';
import { tone } from '../../support/sound/level.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

const caller_hz = 440;
const agent_hz = 700;
const visitor_hz = 1000;
const frequencies = [caller_hz, agent_hz, visitor_hz] as const;
/** Louder than this is heard, quieter than `unheard_db` is not; in dB below full scale. */
const heard_db = -25;
const unheard_db = -45;
/** 600 ms: three windows of the tone detector. */
const enough_packets = 30;

let stage: RoomStage;

beforeEach(async () => {
  stage = await RoomStage.open({ workers: 2 });
});

afterEach(async () => {
  await stage.close();
});

/** Which of the three tones are in the sound. */
function tonesIn(payloads: readonly Uint8Array[], codec: Codec = 'pcmu'): number[] {
  const levels = toneLevels(payloads, codec, frequencies);
  const unclear = levels.filter((level) => level > unheard_db && level < heard_db);
  expect(unclear).toEqual([]);
  return frequencies.filter((_, index) => (levels[index] ?? -Infinity) >= heard_db);
}

/** The tones in what a party hears from now on, one stream (SSRC) after the other. */
async function listen(party: Caller | PlainParty | DirectParty, codec: Codec = 'pcmu'): Promise<number[]> {
  const before = party.heard.length;
  const streams = (): Map<number, Heard[]> => Map.groupBy(party.heard.slice(before), (one) => one.ssrc);
  const enough = (stream: Heard[]): boolean => stream.length >= enough_packets;
  await until('enough is heard', () => party.heard.length > before && [...streams().values()].every(enough));
  const tones = [...streams().values()].flatMap((stream) =>
    tonesIn(
      stream.map((one) => one.payload),
      codec,
    ),
  );
  return tones.sort((a, b) => a - b);
}

/** The tones in what an agent heard since it was asked last, source by source. */
async function listenAsAgent(agent: Agent): Promise<number[]> {
  const heard = Object.values(await agent.heard());
  return heard.flatMap((bytes) => tonesIn([bytes])).sort((a, b) => a - b);
}

async function visitorJoins(router: SfuRouter, codec: Codec = 'pcmu'): Promise<PlainParty> {
  const visitor = await PlainParty.join(router, codec);
  await visitor.produce('visitor');
  void visitor.endpoint.play(tone(visitor_hz, 60_000));
  return visitor;
}

async function consumeAllOthers(router: SfuRouter, party: PlainParty | DirectParty): Promise<void> {
  const others = router.producers.filter((one) => one.tag['participantId'] !== 'visitor');
  for (const { producerId } of others) await party.consume(producerId);
}

function joined(room: Room, participantId: string): Promise<void> {
  return until(`${participantId} is in the room`, () => room.participantIds.includes(participantId));
}

async function census(): Promise<Record<string, number>> {
  const [thread] = await stage.threads.census();
  const { legs, links, voices, patches, sockets, portsUsed } = thread?.census ?? {};
  return { legs, links, voices, patches, sockets, portsUsed, ...stage.sfu.census() } as Record<
    string,
    number
  >;
}

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
  it('joins caller and agent before there is any router', async () => {
    for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    expect(await listen(caller)).toEqual([agent_hz]);
    expect(await listenAsAgent(agent)).toEqual([caller_hz]);
    const router = await room.router();
    expect(router.producers.map((one) => one.tag['participantId'])).toEqual(
      expect.arrayContaining([caller.participantId, agent.participantId]),
    );
  });

  it('has the producer of the leg from the start, and lets RTP flow only while somebody consumes it', async () => {
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

  it('lets a visitor be heard while he is there, and forgets him when he leaves', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const seen: string[] = [];
    room.events.on('participantJoined', ({ participantId, kind }) =>
      seen.push(`${kind} ${participantId} joined`),
    );
    room.events.on('participantLeft', ({ participantId, kind }) =>
      seen.push(`${kind} ${participantId} left`),
    );
    const router = await room.router();
    const before = await census();
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
    expect(seen).toEqual(['remote visitor joined', 'remote visitor left']);
    expect(await census()).toEqual(before);
  });

  it('takes one visitor with two microphones for one participant', async () => {
    const room = await stage.openRoom();
    await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const router = await room.router();
    const [one, two] = [await visitorJoins(router), await visitorJoins(router)];
    await joined(room, 'visitor');
    await room.router();
    const patched = (await census())['patches'];
    one.close();
    await until('one microphone is gone', () => router.producers.length === 2);
    await room.router();
    expect(room.participantIds).toContain('visitor');
    expect((await census())['patches']).toBe((patched ?? 0) - 1);
    two.close();
    await until('the visitor left', () => !room.participantIds.includes('visitor'));
  });

  it('goes on with a producer that no phone can hear', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const router = await room.router();
    const transport = await router.createDirectTransport();
    await transport.produce({
      kind: 'audio',
      rtpParameters: {
        codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48000, channels: 2 }],
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
    const router = await room.router();
    await room.changeCodec({ participantId: caller.participantId, portId: caller.legId, codec: 'pcma' });
    await room.router();
    expect(router.producers.map(({ codec, tag }) => [codec, tag['participantId']])).toEqual([
      ['pcma', caller.participantId],
    ]);
    const watcher = await DirectParty.join(router);
    await watcher.consume(router.producers[0]?.producerId ?? '');
    expect(await listen(watcher, 'pcma')).toEqual([caller_hz]);
    watcher.close();
  });
});

describe('worker death', () => {
  it('moves the room to a new router while the phone hears no break', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const old = await room.router();
    const visitor = await visitorJoins(old);
    await consumeAllOthers(old, visitor);
    await joined(room, 'visitor');
    expect(await listen(visitor)).toEqual([caller_hz, agent_hz]);
    const moved = new Promise<SfuRouter>((resolve) => room.events.once('moved', resolve));
    for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
    const next = await moved;
    expect([old.closed, next.closed, next.id === old.id]).toEqual([true, false, false]);
    expect(room.participantIds).toEqual([caller.participantId, agent.participantId]);
    visitor.close();

    const again = await visitorJoins(next);
    await consumeAllOthers(next, again);
    await joined(room, 'visitor');
    expect(await listen(again)).toEqual([caller_hz, agent_hz]);
    expect(await listen(caller)).toEqual([agent_hz, visitor_hz]);
    again.close();
    const line = continuity(caller.heard);
    expect(line).toMatchObject({ sequenceJumps: 0, timestampJumps: 0 });
    expect(line.ssrcs).toHaveLength(1);
    expect(line.longestGapMs).toBeLessThan(200);
  });

  it('again and again leaves one router, one link and no debris', async () => {
    const room = await stage.openRoom();
    await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    await room.router();
    const before = await census();
    for (let deaths = 0; deaths < 3; deaths += 1) {
      const moved = new Promise((resolve) => room.events.once('moved', resolve));
      for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
      await moved;
    }
    await until('both workers are back', () => stage.sfu.census().workers === 2);
    expect(await census()).toEqual(before);
  });
});

describe('closing', () => {
  it('leaves nothing open', async () => {
    const empty = await census();
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const visitor = await visitorJoins(await room.router());
    await joined(room, 'visitor');
    await Promise.all([room.close(), room.close()]);
    visitor.close();
    await Promise.all([caller.hangUp(), agent.close()]);
    expect(await census()).toEqual(empty);
    expect(stage.rooms.size).toBe(0);
  });

  it('leaves nothing open when it comes before the router', async () => {
    const empty = await census();
    const room = await stage.openRoom();
    await room.close();
    expect(await census()).toEqual(empty);
    await expect(room.router()).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });

  it('leaves nothing open when no worker runs', async () => {
    const empty = await census();
    for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
    const room = await stage.openRoom();
    await room.close();
    await until('both workers are back', () => stage.sfu.census().workers === 2);
    expect(await census()).toEqual(empty);
  });

  it('takes a participant out, once, with all its wires and its producer', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const alone = { ...(await census()) };
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const router = await room.router();
    const left: string[] = [];
    room.events.on('participantLeft', ({ participantId }) => left.push(participantId));
    await Promise.all([room.remove(agent.participantId), room.remove(agent.participantId)]);
    await agent.close();
    await room.router();
    expect(left).toEqual([agent.participantId]);
    expect(router.producers.map((one) => one.tag['participantId'])).toEqual([caller.participantId]);
    expect((await census())['voices']).toBe(alone['voices']);
    await room.remove('nobody');
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

  it('of no room at all once the gateway stops', async () => {
    await stage.rooms.close();
    await expect(stage.openRoom()).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });
});
