/** What happens to rooms when workers die, media threads end, or the gateway stops. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SfuRouter } from '../../../src/media/sfu-router.ts';
import { continuity } from '../../support/phone/rtp-record.ts';
import { RoomStage } from '../../support/room-stage.ts';
import * as sound from '../../support/room-sound.ts';
import { until } from '../../support/until.ts';

const { caller_hz, agent_hz, visitor_hz } = sound;
const { consumeAllOthers, joined, listen, listenAsAgent, visitorJoins } = sound;

let stage: RoomStage;

beforeEach(async () => {
  stage = await RoomStage.open({ workers: 2 });
});

afterEach(() => stage.close());

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
    const before = await stage.census();
    for (let deaths = 0; deaths < 3; deaths += 1) {
      const moved = new Promise((resolve) => room.events.once('moved', resolve));
      for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
      await moved;
    }
    await until('both workers are back', () => stage.sfu.census().workers === 2);
    expect(await stage.census()).toEqual(before);
  });

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

  it('leaves nothing open when no worker runs', async () => {
    const empty = await stage.census();
    for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
    const room = await stage.openRoom();
    await room.close();
    await until('both workers are back', () => stage.sfu.census().workers === 2);
    expect(await stage.census()).toEqual(empty);
  });
});

describe('many rooms', () => {
  it('that open and close while workers die leave nothing open', async () => {
    const empty = await stage.census();
    const oneCall = async (index: number): Promise<void> => {
      const room = await stage.openRoom();
      const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
      if (index % 2 === 0) await room.router();
      if (index % 3 === 0) await room.remove(agent.participantId);
      await room.close();
      await agent.close();
    };
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: 20 }, (_, index) => oneCall(index));
      for (const pid of stage.sfu.pids) process.kill(pid, 'SIGKILL');
      await Promise.all(calls);
    }
    await until('both workers are back', () => stage.sfu.census().workers === 2);
    expect(await stage.census()).toEqual(empty);
  });
});

describe('a media thread that ends', () => {
  it('does not keep its rooms from closing', async () => {
    const room = await stage.openRoom();
    await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
    await room.router();
    await stage.threads.close();
    await room.remove('nobody');
    await room.close();
    expect([stage.rooms.size, stage.sfu.census().routers]).toEqual([0, 0]);
  });

  it('gets no new room', async () => {
    const { thread } = stage;
    await stage.threads.close();
    const refused = stage.rooms.open({ roomId: 'late', thread });
    await expect(refused).rejects.toMatchObject({ code: 'MEDIA_THREAD_DIED' });
    expect([stage.rooms.get('late'), stage.rooms.size]).toEqual([undefined, 0]);
  });
});

describe('a gateway that stops', () => {
  it('closes all its rooms at once', async () => {
    const empty = await stage.census();
    const opened = await Promise.all(Array.from({ length: 10 }, () => stage.openRoom()));
    await Promise.all(opened.slice(0, 5).map((room) => room.router()));
    await stage.rooms.close();
    expect(stage.rooms.size).toBe(0);
    expect(await stage.census()).toEqual(empty);
  });

  it('opens no room any more', async () => {
    await stage.rooms.close();
    await expect(stage.openRoom()).rejects.toMatchObject({ code: 'ROOM_CLOSED' });
  });
});
