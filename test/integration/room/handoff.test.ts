/** A caller on the way to a human and back, in a real room: measured by what each one hears. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOLD_MUSIC_FILE } from '../../../scripts/hold-music.ts';
import { HandoffQueue } from '../../../src/room/handoff-queue.ts';
import type { Handoff } from '../../../src/room/handoff.ts';
import { Journal } from '../../../src/room/journal.ts';
import { LiveCalls } from '../../../src/room/live-calls.ts';
import type { Room } from '../../../src/room/room.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PHRASES } from '../../support/room/handoff-stage.ts';
import { RoomStage, type Agent, type Caller } from '../../support/room-stage.ts';
import * as sound from '../../support/room-sound.ts';
import type { PlainParty } from '../../support/router-party.ts';
import { continuity } from '../../support/phone/rtp-record.ts';
import { silentLog } from '../../support/sfu.ts';
import { levelDbfs } from '../../support/sound/level.ts';
import { decode } from '../../../src/media/g711.ts';
import { until } from '../../support/until.ts';

const { caller_hz, agent_hz, visitor_hz, joined, listen, listenAsAgent, visitorJoins } = sound;

let stage: RoomStage;
let empty: Record<string, number>;

beforeAll(async () => {
  stage = await RoomStage.open({ workers: 1 });
  empty = await stage.census();
});

afterEach(async () => {
  await stage.endCalls();
  await expect.poll(() => stage.census(), { timeout: 5000 }).toEqual(empty);
});

afterAll(() => stage.close());

interface Scene {
  readonly room: Room;
  readonly caller: Caller;
  readonly agent: Agent;
  readonly queue: HandoffQueue;
  readonly deskId: string;
  readonly said: string[];
  readonly clock: ManualClock;
  readonly hangUp: () => void;
  readonly ask: () => Handoff;
}

async function call(musicPath = HOLD_MUSIC_FILE): Promise<Scene> {
  const room = await stage.openRoom();
  const caller = await stage.admitCaller(room, { codec: 'pcmu', frequencyHz: caller_hz });
  const agent = await stage.admitAgent(room, { codec: 'pcmu', frequencyHz: agent_hz });
  const [calls, journal, clock] = [new LiveCalls(), new Journal(), new ManualClock()];
  const said: string[] = [];
  const { roomId: callId } = room;
  journal.open({ callId, tenant: 'clinic', sipCallId: '', trunk: '', from: '', to: '', profile: 'clinic' });
  const settings = {
    ring: 'all',
    ring_ms: 20_000,
    wait_ms: 60_000,
    join_ms: 10_000,
    phrases: PHRASES,
  } as const;
  const queue = new HandoffQueue({ calls, journal, clock, settings, musicPath, log: silentLog });
  const hangUp = calls.add({
    ...{ callId, tenant: 'clinic', room, thread: stage.thread, codec: 'pcmu' },
    agent: {
      portId: agent.participantId,
      say: (text) => said.push(text),
      hold: () => undefined,
      resume: () => undefined,
    },
    end: () => undefined,
  });
  const { deskId } = queue.signIn('clinic', 'Nora');
  queue.setPresence(deskId, 'available');
  const ask = (): Handoff => {
    queue.request({ callId, reason: 'a person', announced: true, say: PHRASES });
    const [view] = queue.views('clinic');
    if (view === undefined) throw new Error('it was not taken');
    return view.handoff;
  };
  return { room, caller, agent, queue, deskId, said, clock, hangUp, ask };
}

async function humanJoins(room: Room): Promise<PlainParty> {
  room.seat('visitor', 'human');
  const human = await visitorJoins(await room.router());
  await joined(room, 'visitor');
  return human;
}

/** How loud it is what the caller hears in the next second, in dBFS. */
async function levelAt(caller: Caller): Promise<number> {
  const before = caller.heard.length;
  await until('a second is heard', () => caller.heard.length >= before + 50);
  const bytes = Buffer.concat(caller.heard.slice(before).map(({ payload }) => payload));
  const samples = new Int16Array(bytes.length);
  decode('pcmu', bytes, samples);
  return levelDbfs(samples);
}

describe('a caller who wants a human', () => {
  it('hears the agent, music, the human, music, the human, the agent, on one unbroken line', async () => {
    const { room, caller, agent, queue, deskId, said, ask } = await call();
    expect(await listen(caller)).toEqual([agent_hz]);
    const handoff = ask();
    await handoff.settled();
    expect(await levelAt(caller)).toBeGreaterThan(-45);
    expect(room.hears(caller.participantId, agent.participantId)).toBe(false);
    await listenAsAgent(agent);
    queue.accept(deskId, handoff.handoffId);
    const human = await humanJoins(room);
    queue.tell(handoff.handoffId, 'joined');
    await handoff.settled();
    expect(await listen(caller)).toEqual([visitor_hz]);
    expect(await listenAsAgent(agent), 'the agent is out').toEqual([]);

    queue.tell(handoff.handoffId, 'held');
    await handoff.settled();
    expect(await levelAt(caller)).toBeGreaterThan(-45);
    queue.tell(handoff.handoffId, 'resumed');
    await handoff.settled();
    expect(await listen(caller)).toEqual([visitor_hz]);

    queue.tell(handoff.handoffId, 'handed_back');
    human.close();
    await handoff.settled();
    await until('the human is out', () => !room.participantIds.includes('visitor'));
    expect(await listen(caller)).toEqual([agent_hz]);
    expect(await listenAsAgent(agent)).toEqual([caller_hz]);
    expect(said).toEqual([PHRASES['handed-back']]);
    const line = continuity(caller.heard);
    expect([line.ssrcs.length, line.sequenceJumps, line.timestampJumps]).toEqual([1, 0, 0]);
  });

  it('hears a tone when the music cannot be played, rather than nothing', async () => {
    const { caller, ask } = await call('/nowhere/music.wav');
    const handoff = ask();
    await handoff.settled();
    expect(await levelAt(caller)).toBeGreaterThan(-45);
    handoff.move('gave_up');
    await handoff.settled();
    expect(await listen(caller)).toEqual([agent_hz]);
  });

  it('hangs up while it waits: nothing is left behind', async () => {
    const { hangUp, ask, queue, clock } = await call();
    const handoff = ask();
    await handoff.settled();
    hangUp();
    await handoff.settled();
    expect(queue.views('clinic')).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
