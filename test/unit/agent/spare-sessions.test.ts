import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { SpareSessions } from '../../../src/agent/spare-sessions.ts';
import { shareOf, spareFiguresSchema, type SpareEvent } from '../../../src/agent/spares.ts';
import type { VoiceModel, WarmOptions, WarmSession } from '../../../src/agent/voice-model.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { profile } from './voice-scene.ts';

const wanting = (name: string, spares: number, more: object = {}): AgentProfile =>
  agentProfileSchema.parse({ ...profile, name, model: { adapter: 'realtime', spares }, ...more });

/** Which profile each session was opened for. */
const openedFor = new Map<WarmSession, string>();

function model(): VoiceModel {
  return {
    name: 'realtime',
    connect: () => Promise.reject(new Error('not in this test')),
    warm: (options: WarmOptions) => {
      const session: WarmSession = {
        usable: true,
        attach: () => Promise.reject(new Error('not in this test')),
        close: () => undefined,
      };
      openedFor.set(session, options.profile.name);
      return Promise.resolve(session);
    },
    close: () => Promise.resolve(),
  };
}

const clock = new ManualClock();
let spares: SpareSessions | undefined;
afterEach(() => {
  spares?.close();
  spares?.close();
  expect(clock.pending).toBe(0);
  openedFor.clear();
});

interface Start {
  readonly share?: { place: number; threads: number };
  readonly opensPerHourMax?: number;
  readonly of?: (adapter: string) => VoiceModel;
  readonly events?: SpareEvent[];
}

async function start(profiles: readonly AgentProfile[], options: Start = {}): Promise<SpareSessions> {
  const { share = { place: 0, threads: 1 }, opensPerHourMax = 100, of = model, events = [] } = options;
  spares = new SpareSessions({
    ...{ profiles, share, clock, model: of, now: () => new Date() },
    limits: { ageMaxMs: 60_000, opensPerHourMax },
    report: (event) => events.push(event),
  });
  clock.advance(0);
  for (let turn = 0; turn < 10; turn += 1) await turnOfTheLoop();
  return spares;
}

const waiting = (all: SpareSessions): Record<string, number> =>
  Object.fromEntries(all.figures.map((one) => [one.profile, one.waiting]));

describe('spare sessions', () => {
  it('are kept for the profiles that want some, as many as each wants', async () => {
    const all = await start([wanting('a', 3), wanting('b', 1), wanting('c', 0)]);
    expect(waiting(all)).toEqual({ a: 3, b: 1 });
    for (const figures of all.figures) expect(spareFiguresSchema.parse(figures)).toEqual(figures);
  });

  it('are never given to another profile: each tenant has its own', async () => {
    const [ours, theirs] = [wanting('clinic', 1), wanting('bank', 1)];
    const all = await start([ours, theirs]);
    const taken = [all.take(theirs), all.take(ours), all.take(theirs), all.take(ours)];
    expect(taken.map((one) => one && openedFor.get(one))).toEqual(['bank', 'clinic', null, null]);
  });

  it.each([
    ['another prompt', wanting('clinic', 1, { prompt: 'You work for somebody else.' })],
    ['the model of a fallback', wanting('clinic', 1, { model: { adapter: 'live', spares: 1 } })],
  ])('are not given to a profile of the same name with %s', async (_what, other) => {
    const all = await start([wanting('clinic', 1)]);
    expect(all.take(other)).toBeNull();
    expect(waiting(all)).toEqual({ clinic: 1 });
    expect(all.take(structuredClone(wanting('clinic', 1)))).not.toBeNull();
  });

  it('have one limit of opens for all profiles', async () => {
    const all = await start([wanting('a', 2), wanting('b', 2)], { opensPerHourMax: 3 });
    expect(Object.values(waiting(all)).reduce((sum, count) => sum + count)).toBe(3);
  });

  it('are shared out among the threads, and so are the opens', async () => {
    const counts: Record<string, number>[] = [];
    for (const place of [0, 1]) {
      const all = await start([wanting('a', 3), wanting('b', 1)], { share: { place, threads: 2 } });
      counts.push(waiting(all));
      all.close();
    }
    expect(counts).toEqual([{ a: 2, b: 1 }, { a: 1 }]);
    expect([0, 1, 2].map((place) => shareOf(4, { place, threads: 3 }))).toEqual([2, 1, 1]);
    expect([0, 1].map((place) => shareOf(0, { place, threads: 2 }))).toEqual([0, 0]);
  });

  it('are not to be had of a model that has none, or is not set up', async () => {
    const events: SpareEvent[] = [];
    const cold = model();
    delete cold.warm;
    await start([wanting('a', 1)], { events, of: () => cold });
    expect(events).toMatchObject([{ what: 'failed', detail: 'realtime has no sessions to keep' }]);
    spares?.close();
    const missing = (): never => {
      throw new Error('not set up');
    };
    await start([wanting('a', 1)], { events, of: missing });
    expect(events[1]).toMatchObject({ what: 'failed', detail: 'not set up' });
  });

  it('cannot be wanted of the voices that have nothing to keep open', () => {
    for (const adapter of ['offline', 'pipeline']) {
      const { error } = agentProfileSchema.safeParse({ ...profile, model: { adapter, spares: 1 } });
      expect(error?.issues).toMatchObject([{ path: ['model', 'spares'] }]);
    }
  });
});
