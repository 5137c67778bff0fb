/** Who is rung, who wins, and what the caller hears: with desks and calls, and time of the test's own. */
import { beforeEach, describe, expect, it } from 'vitest';
import { announce_ms_max } from '../../../src/room/handoff-queue.ts';
import type { HandoffOutcome } from '../../../src/room/human-desk.ts';
import { HandoffStage, PHRASES, type StagedCall } from '../../support/room/handoff-stage.ts';

let stage: HandoffStage;
let call: StagedCall;

beforeEach(() => {
  stage = new HandoffStage();
  call = stage.call();
});

describe('asking for a human', () => {
  it('is refused at once when nobody could come', () => {
    const wish = { callId: 'call-1', reason: 'asks for a nurse' };
    expect(stage.queue.request(wish)).toEqual({ taken: false, why: 'nobody' });
    const { deskId } = stage.queue.signIn('clinic', 'Nora');
    expect(stage.queue.isStaffed('clinic'), 'signed in, but away').toBe(false);
    expect(stage.queue.request(wish)).toEqual({ taken: false, why: 'nobody' });
    stage.queue.setPresence(deskId, 'available');
    expect(stage.queue.isStaffed('clinic')).toBe(true);
    expect(stage.queue.isStaffed('other')).toBe(false);
    expect(stage.queue.request({ ...wish, callId: 'gone' })).toEqual({ taken: false, why: 'no-such-call' });
    expect(stage.queue.request(wish)).toMatchObject({ taken: true });
    expect(stage.queue.request(wish)).toEqual({ taken: false, why: 'under-way' });
  });

  it('lets the agent say so first, then plays music and rings', async () => {
    const deskId = stage.desk('Nora');
    const answer = stage.queue.request({ callId: 'call-1', reason: 'asks for a nurse' });
    const handoff = stage.handoff(answer.taken ? answer.handoffId : '');
    await handoff.settled();
    expect([handoff.state, call.agentIsOut, call.room.hasMusic, stage.rings(deskId)]).toEqual([
      'announcing',
      ...[false, false, false],
    ]);
    const said = {
      type: 'said',
      text: 'One moment.',
      heardMs: 900,
      interrupted: false,
      responseMs: 1,
    } as const;
    stage.journal.add('call-1', said);
    await handoff.settled();
    expect([handoff.state, call.agentIsOut, call.room.hasMusic, stage.rings(deskId)]).toEqual([
      'ringing',
      ...[true, true, true],
    ]);
    expect(call.room.manner('caller')).toBe('held');
    expect(call.room.manner('agent')).toBe('away');
  });

  it('does not wait for ever for the agent to say so', () => {
    const deskId = stage.desk('Nora');
    stage.queue.request({ callId: 'call-1', reason: '' });
    stage.clock.advance(announce_ms_max - 1);
    expect(stage.rings(deskId)).toBe(false);
    stage.clock.advance(1);
    expect(stage.rings(deskId)).toBe(true);
  });

  it('makes a briefing of what was said last when the agent gives none', () => {
    stage.desk('Nora');
    stage.journal.add('call-1', { type: 'heard', text: 'can I speak to a nurse' });
    expect(stage.ask().wish.briefing).toBe('A caller from +15550199. "can I speak to a nurse"');
  });
});

describe('ringing', () => {
  it('lets one win when two accept at the same time', async () => {
    const [nora, omar] = [stage.desk('Nora'), stage.desk('Omar')];
    const handoff = stage.ask();
    expect([stage.rings(nora), stage.rings(omar)]).toEqual([true, true]);
    stage.queue.accept(omar, handoff.handoffId);
    expect(() => stage.queue.accept(nora, handoff.handoffId)).toThrow(/DESK_CALL_TAKEN/);
    expect([stage.rings(nora), stage.rings(omar)]).toEqual([false, false]);
    expect(stage.queue.tell(handoff.handoffId, 'joined')).toBe(true);
    await handoff.settled();
    expect(handoff.state).toBe('talking');
    expect([call.room.manner('caller'), call.room.manner('agent'), call.room.hasMusic]).toEqual([
      'open',
      'away',
      false,
    ]);
    expect(stage.steps()).toEqual(['requested', 'announced', 'rang', 'accepted by Omar', 'joined by Omar']);
  });

  it('rings one after another, whoever waited longest first, when it is told so', () => {
    stage = new HandoffStage({ ring: 'longest_idle' });
    stage.call();
    const nora = stage.desk('Nora');
    stage.clock.advance(1000);
    const omar = stage.desk('Omar');
    stage.ask();
    expect([stage.rings(nora), stage.rings(omar)]).toEqual([true, false]);
    stage.clock.advance(20_000);
    expect([stage.rings(nora), stage.rings(omar)]).toEqual([false, true]);
    stage.clock.advance(20_000);
    expect([stage.rings(nora), stage.rings(omar)], 'all let it ring: from the beginning').toEqual([
      true,
      false,
    ]);
    expect(stage.steps()).toEqual([
      ...['requested', 'announced', 'rang', 'missed by Nora', 'stopped', 'rang', 'missed by Omar'],
      ...['stopped', 'rang'],
    ]);
  });

  it('asks nobody twice who declined, and gives up when everybody did', async () => {
    const [nora, omar] = [stage.desk('Nora'), stage.desk('Omar')];
    const handoff = stage.ask();
    stage.queue.decline(nora, handoff.handoffId);
    expect([stage.rings(nora), stage.rings(omar), handoff.state]).toEqual([false, true, 'ringing']);
    stage.clock.advance(20_000);
    expect([stage.rings(nora), stage.rings(omar)]).toEqual([false, true]);
    stage.queue.decline(omar, handoff.handoffId);
    await handoff.settled();
    expect(handoff.state).toBe('returned');
    expect(call.said).toEqual([PHRASES.unanswered]);
  });

  it('rings whoever becomes free, the oldest call first', () => {
    const nora = stage.desk('Nora');
    stage.call('call-2');
    const first = stage.ask('call-1');
    stage.queue.accept(nora, first.handoffId);
    stage.queue.tell(first.handoffId, 'joined');
    const second = stage.ask('call-2');
    expect(second.state).toBe('waiting');
    stage.queue.tell(first.handoffId, 'handed_back');
    expect(second.state).toBe('ringing');
    expect(stage.queue.desk(nora)?.ringing).toBe(second.handoffId);
  });

  it('rings nobody who went away or signed out', () => {
    const [nora, omar] = [stage.desk('Nora'), stage.desk('Omar')];
    const handoff = stage.ask();
    stage.queue.setPresence(nora, 'away');
    expect(handoff.state).toBe('ringing');
    stage.queue.signOut(omar);
    expect(handoff.state).toBe('waiting');
    expect(() => stage.queue.accept(omar, handoff.handoffId)).toThrow(/DESK_CALL_TAKEN/);
    stage.queue.setPresence(nora, 'available');
    expect(stage.rings(nora)).toBe(true);
  });

  it("shows and rings a tenant's calls at that tenant's desks only", () => {
    stage.desk('Nora');
    const stranger = stage.desk('Stan', 'other');
    const handoff = stage.ask();
    expect(stage.rings(stranger)).toBe(false);
    expect(stage.queue.views('other')).toEqual([]);
    expect(() => stage.queue.accept(stranger, handoff.handoffId)).toThrow(/DESK_CALL_TAKEN/);
    expect(() => stage.queue.decline(stranger, handoff.handoffId)).toThrow(/DESK_CALL_TAKEN/);
    expect(stage.changed).not.toContain('nobody');
    expect(stage.queue.views('clinic').map((view) => view.handoff)).toEqual([handoff]);
  });
});

describe('the way back', () => {
  const talking = (): { deskId: string; handoffId: string } => {
    const deskId = stage.desk('Nora');
    const { handoffId } = stage.ask();
    stage.queue.accept(deskId, handoffId);
    stage.queue.tell(handoffId, 'joined');
    return { deskId, handoffId };
  };

  it.each<['handed_back' | 'left', HandoffOutcome]>([
    ['handed_back', 'handed-back'],
    ['left', 'human-left'],
  ])('%s: the agent is in again, and says so', async (event, outcome) => {
    const { deskId, handoffId } = talking();
    const handoff = stage.handoff(handoffId);
    expect(stage.queue.isHandedOver('call-1')).toBe(true);
    stage.queue.tell(handoffId, event);
    await handoff.settled();
    expect(call.said).toEqual([PHRASES[outcome]]);
    expect([call.agentIsOut, call.room.manner('agent'), call.room.manner('caller')]).toEqual([
      false,
      'open',
      'open',
    ]);
    expect(stage.queue.isHandedOver('call-1')).toBe(false);
    expect(stage.queue.desk(deskId)?.handling).toBeUndefined();
    expect(stage.queue.tell(handoffId, 'left'), 'it is over').toBe(false);
  });

  it('nobody accepts in time: the agent is back and says so', async () => {
    stage.desk('Nora');
    const handoff = stage.ask();
    stage.clock.advance(59_999);
    expect(handoff.isOpen).toBe(true);
    stage.clock.advance(1);
    await handoff.settled();
    expect(handoff.state).toBe('returned');
    expect(call.said).toEqual([PHRASES.unanswered]);
    expect(call.room.hasMusic).toBe(false);
    expect(stage.clock.pending).toBe(0);
  });

  it('hands the call to whoever asked to take it back, in place of the agent', async () => {
    stage.desk('Nora');
    const outcomes: HandoffOutcome[] = [];
    const back = (outcome: HandoffOutcome): void => void outcomes.push(outcome);
    stage.queue.request({ callId: 'call-1', reason: 'the model is away', announced: true, back });
    stage.clock.advance(60_000);
    await Promise.all(stage.queue.views('clinic').map(({ handoff }) => handoff.settled()));
    await Promise.resolve();
    expect(call.said).toEqual([]);
    await expect.poll(() => outcomes).toEqual(['unanswered']);
  });

  it('whoever accepted and does not come leaves the call to the others', () => {
    const [nora, omar] = [stage.desk('Nora'), stage.desk('Omar')];
    const handoff = stage.ask();
    stage.queue.accept(nora, handoff.handoffId);
    stage.queue.setPresence(nora, 'away');
    stage.clock.advance(10_000);
    expect(handoff.state).toBe('ringing');
    expect(stage.rings(omar)).toBe(true);
  });

  it('a caller on hold has music, and the human again afterwards', async () => {
    const { handoffId } = talking();
    const handoff = stage.handoff(handoffId);
    expect(stage.queue.tell(handoffId, 'held')).toBe(true);
    await handoff.settled();
    expect([call.room.manner('caller'), call.room.hasMusic]).toEqual(['held', true]);
    expect(stage.queue.tell(handoffId, 'held')).toBe(false);
    stage.queue.tell(handoffId, 'resumed');
    await handoff.settled();
    expect([call.room.manner('caller'), call.room.hasMusic, call.agentIsOut]).toEqual(['open', false, true]);
  });

  it.each(['ringing', 'talking'])('the caller hangs up while %s: nothing is left', async (when) => {
    const handoff =
      when === 'talking' ? stage.handoff(talking().handoffId) : (stage.desk('Nora'), stage.ask());
    call.hangUp();
    await handoff.settled();
    expect(handoff.state).toBe('over');
    expect(stage.queue.views('clinic')).toEqual([]);
    expect(stage.clock.pending).toBe(0);
    expect(stage.commands.filter((type) => type === 'player.open')).toHaveLength(
      stage.commands.filter((type) => type === 'player.close').length,
    );
    expect(call.said).toEqual([]);
  });

  it('somebody who comes in while the caller is held is held, too', async () => {
    stage.desk('Nora');
    const handoff = stage.ask();
    await handoff.settled();
    call.room.seat('second caller', 'visitor');
    await handoff.settled();
    expect(call.room.manner('second caller')).toBe('held');
  });
});
