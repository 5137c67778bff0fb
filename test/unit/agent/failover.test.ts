import { describe, expect, it } from 'vitest';
import {
  FAILOVER,
  FAILOVER_EVENTS,
  FAILOVER_STATES,
  next,
  type FailoverEvent,
  type FailoverState,
} from '../../../src/agent/failover.ts';
import { FailoverPlan } from '../../../src/agent/failover-plan.ts';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { profile } from './voice-scene.ts';

const OPEN = ['opening', 'up', 'reopening', 'falling_back', 'handed_over'] as const;

const LEGAL: readonly (readonly [FailoverState, FailoverEvent, FailoverState])[] = [
  ['opening', 'connected', 'up'],
  ['reopening', 'connected', 'up'],
  ['falling_back', 'connected', 'up'],
  ['opening', 'retry', 'reopening'],
  ['up', 'retry', 'reopening'],
  ['reopening', 'retry', 'reopening'],
  ...OPEN.flatMap((state) => [
    [state, 'fall_back', 'falling_back'] as const,
    [state, 'hand_over', 'handed_over'] as const,
    [state, 'give_up', 'lost'] as const,
    [state, 'close', 'closed'] as const,
  ]),
  ['lost', 'close', 'closed'],
];

const pairs = FAILOVER_STATES.flatMap((state) => FAILOVER_EVENTS.map((event) => ({ state, event })));

describe('failover', () => {
  it.each(pairs)('$state × $event', ({ state, event }) => {
    const row = LEGAL.find(([from, on]) => from === state && on === event);
    if (row) expect(next(state, event)).toBe(row[2]);
    else expect(() => next(state, event)).toThrow(`illegal failover: ${event} while ${state}`);
  });

  it('names every state of the table, reaches each, and leaves none but closed for ever', () => {
    expect(Object.keys(FAILOVER).sort()).toEqual([...FAILOVER_STATES].sort());
    const reached = new Set<FailoverState>(['opening']);
    for (const state of reached) for (const [from, , to] of LEGAL) if (from === state) reached.add(to);
    expect([...reached].sort()).toEqual([...FAILOVER_STATES].sort());
    for (const state of FAILOVER_STATES)
      if (state !== 'closed') expect(LEGAL.some(([from]) => from === state)).toBe(true);
  });
});

const human = { type: 'human' } as const;
const realtime = { ...profile, model: { adapter: 'realtime', voice: 'marin' } };
function planOf(fallbacks: unknown[], over: object = {}): FailoverPlan {
  return new FailoverPlan(agentProfileSchema.parse({ ...realtime, fallbacks, ...over }));
}
const again = { retryable: true };
const never = { retryable: false };

describe('the plan', () => {
  it('tries the same model again, the first time at once, then the fallbacks in their order', () => {
    const plan = planOf([
      { type: 'model', adapter: 'realtime', name: 'other', voice: 'cedar' },
      { type: 'offline' },
      human,
    ]);
    expect(plan.next(again)).toEqual({ kind: 'retry', delayMs: 0 });
    expect(plan.next(again)).toEqual({ kind: 'retry', delayMs: 500 });
    expect(plan.next(again)).toMatchObject({
      kind: 'voice',
      name: 'realtime',
      profile: { name: 'test', model: { adapter: 'realtime', name: 'other', voice: 'cedar' } },
    });
    expect(plan.next(again)).toMatchObject({
      kind: 'voice',
      name: 'offline',
      profile: { model: { adapter: 'offline', voice: 'slt' } },
    });
    expect(plan.next(again)).toMatchObject({ kind: 'hand_over', to: { type: 'human' } });
    expect(plan.fallBack()).toEqual({ kind: 'nothing' });
    expect(plan.fallBack()).toEqual({ kind: 'nothing' });
  });

  it('wants no spare sessions of a fallback', () => {
    const plan = planOf([{ type: 'offline' }], { model: { adapter: 'realtime', spares: 2 } });
    const step = plan.next(never);
    if (step.kind !== 'voice') throw new Error(step.kind);
    // What speech processes are told is parsed there once more.
    expect(agentProfileSchema.parse(step.profile).model).toMatchObject({ adapter: 'offline', spares: 0 });
  });

  it('does not try again what will not work', () => {
    expect(planOf([human]).next(never)).toMatchObject({ kind: 'hand_over' });
  });

  it('leaves out the offline voice when it is the one that failed', () => {
    const plan = planOf([{ type: 'offline' }, human], { model: { adapter: 'offline' } });
    expect(plan.next(never)).toMatchObject({ kind: 'hand_over' });
  });

  it('counts the tries anew once a session has been up for half a minute', () => {
    const plan = planOf([], { failover: { reconnects_max: 1 } });
    expect(plan.next(again)).toMatchObject({ kind: 'retry' });
    for (let tick = 0; tick < 1500; tick += 1) plan.tick();
    expect(plan.next(again)).toMatchObject({ kind: 'retry' });
    for (let tick = 0; tick < 1499; tick += 1) plan.tick();
    expect(plan.next(again)).toEqual({ kind: 'nothing' });
  });

  it('gives a profile that says nothing the offline voice', () => {
    expect(
      new FailoverPlan({ ...realtime, model: { ...profile.model, adapter: 'realtime' } }).next(never),
    ).toMatchObject({
      kind: 'voice',
      name: 'offline',
    });
  });
});

describe('fallbacks in a profile', () => {
  const parsed = (fallbacks: unknown): AgentProfile['fallbacks'] =>
    agentProfileSchema.parse({ ...profile, fallbacks }).fallbacks;

  it('have words for the caller by default', () => {
    const [called, left] = parsed([{ type: 'number', number: '+15550199' }, { type: 'voicemail' }]);
    expect(called).toMatchObject({ say: expect.stringContaining('connect') as string, timeout_ms: 30_000 });
    expect(left).toMatchObject({ message_ms_max: 120_000, silence_ms: 4000 });
  });

  it.each([
    [{ type: 'fax' }],
    [{ type: 'number' }],
    [{ type: 'number', number: 'the boss' }],
    [{ type: 'human', queue: 'x' }],
    [{ type: 'voicemail', message_ms_max: 1 }],
    [{ type: 'model' }],
    [{ type: 'offline', voice: 'slt' }],
  ])('refuse %j', (fallback) => expect(() => parsed([fallback])).toThrow());
});
