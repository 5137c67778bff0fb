/** What a desk is shown, and what the wire between it and the gateway takes. */
import { beforeEach, describe, expect, it } from 'vitest';
import { deskStateOf, type DeskSeat } from '../../../src/web/desk-state.ts';
import { DESK_EVENTS, DESK_REQUESTS, deskState, handoffState } from '../../../src/web/desk-wire.ts';
import { HANDOFF_STATES } from '../../../src/room/handoff-state.ts';
import { HandoffStage } from '../../support/room/handoff-stage.ts';

let stage: HandoffStage;

beforeEach(() => {
  stage = new HandoffStage();
  stage.call();
});

function seat(deskId: string, role: DeskSeat['role'] = 'human'): DeskSeat {
  return { deskId, tenant: 'clinic', name: 'Nora', role };
}

describe('what a desk is shown', () => {
  it('is its queue, with what was said before, and what it may do with each caller', () => {
    const [nora, omar] = [stage.desk('Nora'), stage.desk('Omar')];
    stage.journal.add('call-1', { type: 'heard', text: 'a nurse please' });
    stage.journal.add('call-1', { type: 'heard', text: '' });
    const said = {
      type: 'said',
      text: 'One moment.',
      heardMs: 9,
      interrupted: false,
      responseMs: 1,
    } as const;
    stage.journal.add('call-1', said);
    const { handoffId } = stage.ask();
    stage.clock.advance(1500);
    expect(deskStateOf(seat(nora), stage)).toEqual({
      available: true,
      handoffs: [
        {
          ...{ handoffId, callId: 'call-1', from: '+15550199', source: 'phone', profile: 'clinic' },
          ...{ reason: 'asks for a person', state: 'ringing', waitedMs: 1500 },
          briefing: 'A caller from +15550199. "a nurse please"',
          ...{ ringsHere: true, mine: false, by: '' },
          turns: [
            { who: 'visitor', text: 'a nurse please' },
            { who: 'agent', text: 'One moment.' },
          ],
        },
      ],
      calls: [],
      colleagues: { available: 2, busy: 0, away: 0 },
    });
    stage.queue.accept(omar, handoffId);
    const [seen] = deskStateOf(seat(nora), stage).handoffs;
    expect(seen).toMatchObject({ ringsHere: false, mine: false, by: 'Omar', state: 'joining' });
    const [own] = deskStateOf(seat(omar), stage).handoffs;
    expect(own).toMatchObject({ mine: true, by: 'Omar' });
    expect(deskStateOf(seat(omar), stage).colleagues).toEqual({ available: 1, busy: 1, away: 0 });
  });

  it('shows supervisors the calls of the tenant, and with whom each is', () => {
    stage.call('call-2');
    stage.call('call-3', 'other');
    const nora = stage.desk('Nora');
    const withWhom = (): [string, string, string][] =>
      deskStateOf(seat('', 'supervisor'), stage).calls.map((one) => [one.callId, one.with, one.by]);
    const { handoffId } = stage.ask('call-2');
    expect(withWhom()).toEqual([
      ['call-1', 'agent', ''],
      ['call-2', 'queue', ''],
    ]);
    stage.queue.accept(nora, handoffId);
    stage.queue.tell(handoffId, 'joined');
    expect(withWhom()[1]).toEqual(['call-2', 'human', 'Nora']);
    expect(deskStateOf(seat(nora), stage).calls).toEqual([]);
    expect(() => deskState.parse(deskStateOf(seat('', 'supervisor'), stage))).not.toThrow();
  });

  it('forgets a caller who hung up, and is free again', () => {
    const nora = stage.desk('Nora');
    const { handoffId } = stage.ask();
    stage.queue.accept(nora, handoffId);
    stage.queue.tell(handoffId, 'joined');
    expect(deskStateOf(seat(nora), stage).colleagues.busy).toBe(1);
    stage.queue.tell(handoffId, 'left');
    const { handoffs, colleagues } = deskStateOf(seat(nora), stage);
    expect([handoffs, colleagues]).toEqual([[], { available: 1, busy: 0, away: 0 }]);
  });

  it('is bounded, however long the call was', () => {
    for (let turn = 0; turn < 500; turn += 1)
      stage.journal.add('call-1', { type: 'heard', text: `no ${turn}` });
    stage.desk('Nora');
    stage.ask();
    const [handoff] = deskStateOf(seat('desk'), stage).handoffs;
    expect(handoff?.turns).toHaveLength(60);
    expect(handoff?.turns.at(-1)?.text).toBe('no 499');
    expect(() => DESK_EVENTS.state.parse(deskStateOf(seat('desk'), stage))).not.toThrow();
  });
});

describe('the wire of the desk', () => {
  it('knows the states of a handoff, all of them', () => {
    expect(handoffState.options).toEqual(HANDOFF_STATES);
  });

  it.each([
    ['signIn', { token: 'abc' }, true],
    ['signIn', { token: 'abc', role: 'supervisor' }, false],
    ['signIn', { token: 'x'.repeat(5000) }, false],
    ['presence', { available: false }, true],
    ['presence', {}, false],
    ['accept', { handoffId: 'handoff_1' }, true],
    ['accept', { handoffId: 'x'.repeat(200) }, false],
    ['decline', { handoffId: 'handoff_1', forEver: true }, false],
    ['briefing', { handoffId: 7 }, false],
    ['supervise', { callId: 'call_1' }, true],
    ['supervise', { callId: '' }, false],
  ] as const)('%s %j: %s', (name, ask, fine) => {
    expect(DESK_REQUESTS[name].ask.safeParse(ask).success).toBe(fine);
  });
});
