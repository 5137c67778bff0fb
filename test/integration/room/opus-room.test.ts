import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SfuRouter } from '../../../src/media/sfu-router.ts';
import type { Room } from '../../../src/room/room.ts';
import type { OpusParty } from '../../support/opus-party.ts';
import { RoomStage } from '../../support/room-stage.ts';
import * as sound from '../../support/room-sound.ts';
import { toneLevels } from '../../support/tones.ts';
import { until } from '../../support/until.ts';

const { caller_hz, agent_hz, visitor_hz } = sound;
const { consumeAllOthers, joined, listen, listenAsAgent, opusVisitorJoins } = sound;

let stage: RoomStage;
let empty: Record<string, number>;

beforeAll(async () => {
  stage = await RoomStage.open({ workers: 1 });
  empty = await stage.census();
});

/** Whatever a test did: when its calls are over, nothing is left open, no decoder and no encoder either. */
afterEach(async () => {
  await stage.endCalls();
  expect(empty['opusStates']).toBe(0);
  expect(await stage.census()).toEqual(empty);
});

afterAll(() => stage.close());

/** A visitor in Opus who hears everybody. */
async function enter(room: Room, router: SfuRouter): Promise<OpusParty> {
  const visitor = await opusVisitorJoins(router);
  await joined(room, 'visitor');
  await consumeAllOthers(router, visitor);
  return visitor;
}

describe('a room of browsers', () => {
  it('lets a visitor in Opus and the agent hear each other, and neither itself', async () => {
    const room = await stage.openRoom('opus');
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const router = await room.router();
    const visitor = await enter(room, router);
    await agent.heard();
    expect(await listen(visitor)).toEqual([agent_hz]);
    expect(await listenAsAgent(agent)).toEqual([visitor_hz]);
    expect(router.producers.map(({ codec }) => codec)).toEqual(['opus', 'opus']);
    expect(room.trackCodec).toBe('opus');
    // One decoder for the visitor, one encoder for the agent.
    expect(await stage.census()).toMatchObject({ opusStates: 2 });
    await visitor.close();
    await until('the visitor left', () => !room.participantIds.includes('visitor'));
    await room.router();
    expect(await stage.census()).toMatchObject({ opusStates: 1 });
  });

  it('gives the browser one unbroken line of 20 ms packets', async () => {
    const room = await stage.openRoom('opus');
    await stage.admitAgent(room, { codec: 'pcma', frequencyHz: agent_hz });
    const visitor = await enter(room, await room.router());
    await until('a second is heard', () => visitor.packets.length >= 50);
    const [first] = visitor.packets;
    if (first === undefined) throw new Error('nothing was heard');
    visitor.packets.slice(0, 50).forEach((packet, i) => {
      expect(packet.sequence).toBe((first.sequence + i) & 0xffff);
      expect(packet.timestamp).toBe((first.timestamp + i * 960) >>> 0);
      expect(packet.payload.length).toBeLessThan(160);
      expect([packet.ssrc, packet.payloadType]).toEqual([first.ssrc, 100]);
    });
    expect(visitor.packets.slice(1, 50).some(({ marker }) => marker)).toBe(false);
    await visitor.close();
  });

  it('hears a visitor through ten per cent of loss', async () => {
    const room = await stage.openRoom('opus');
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const visitor = await enter(room, await room.router());
    visitor.play(visitor_hz, (packet) => packet % 10 === 9);
    await listen(visitor);
    await agent.heard();
    await listen(visitor);
    // What is made up crackles a little, so only the tone itself is asked for.
    const [level = -Infinity] = toneLevels(Object.values(await agent.heard()), 'pcmu', [visitor_hz]);
    expect(level).toBeGreaterThan(-25);
    await visitor.close();
  });

  it('hears a visitor again after he sent nothing for a while', async () => {
    const room = await stage.openRoom('opus');
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const visitor = await enter(room, await room.router());
    await listen(visitor);
    visitor.play(0, () => true);
    await listen(visitor);
    await agent.heard();
    await listen(visitor);
    expect(Object.values(await agent.heard()).filter((bytes) => bytes.length > 0)).toEqual([]);
    visitor.play(visitor_hz);
    await listen(visitor);
    expect(await listenAsAgent(agent)).toEqual([visitor_hz]);
    await visitor.close();
  });

  it('goes on in another router when the worker dies', async () => {
    const room = await stage.openRoom('opus');
    const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
    const lost = await enter(room, await room.router());
    expect(await listen(lost)).toEqual([agent_hz]);
    const moved = new Promise<SfuRouter>((resolve) => room.events.once('moved', resolve));
    for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
    const router = await moved;
    await lost.close();
    const visitor = await enter(room, router);
    await agent.heard();
    expect(await listen(visitor)).toEqual([agent_hz]);
    expect(await listenAsAgent(agent)).toEqual([visitor_hz]);
    await visitor.close();
  });
});

describe('phones and Opus', () => {
  it('meet in a phone’s room: who speaks Opus there is heard all the same', async () => {
    const room = await stage.openRoom();
    const caller = await stage.admitCaller(room, { codec: 'pcma', frequencyHz: caller_hz });
    const agent = await stage.admitAgent(room, { codec: 'pcma', frequencyHz: agent_hz });
    const router = await room.router();
    const visitor = await opusVisitorJoins(router);
    await joined(room, 'visitor');
    expect(await listen(caller, 'pcma')).toEqual([agent_hz, visitor_hz]);
    expect((await agent.heard())[caller.legId]?.length).toBeGreaterThan(0);
    expect(router.producers.map(({ codec }) => codec)).toEqual(['pcma', 'pcma', 'opus']);
    expect(room.trackCodec).toBe('g711');
    await visitor.close();
  });

  it('meet in a room of browsers: the phone is Opus there, and stays so when its codec changes', async () => {
    const room = await stage.openRoom('opus');
    const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    const router = await room.router();
    const visitor = await enter(room, router);
    const before = router.producers.map(({ producerId }) => producerId);
    const { participantId, legId: portId } = caller;
    await room.changeCodec({ participantId, portId, codec: 'pcma' });
    expect(await listen(visitor)).toEqual([caller_hz]);
    expect(await listen(caller)).toEqual([visitor_hz]);
    expect(router.producers.map(({ producerId }) => producerId)).toEqual(before);
    await visitor.close();
  });
});
