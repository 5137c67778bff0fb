import { beforeEach, describe, expect, it } from 'vitest';
import { LiveCalls, type LiveCall } from '../../../src/room/live-calls.ts';
import { ShownCall } from '../../../src/room/shown-call.ts';
import { StagedCall } from '../../support/room/handoff-stage.ts';

let calls: LiveCalls;
let staged: StagedCall;
let shown: ShownCall;
let withHuman = false;
const missed: string[] = [];

beforeEach(() => {
  calls = new LiveCalls();
  staged = new StagedCall('call-1', 'clinic', []);
  withHuman = false;
  missed.length = 0;
  const side = { calls, desk: { isHandedOver: (callId: string) => withHuman && callId === 'call-1' } };
  shown = new ShownCall(side, staged.live, (detail) => missed.push(detail));
});

const live = (): LiveCall => {
  const call = calls.get('call-1');
  if (call === undefined) throw new Error('it is not shown');
  return call;
};

describe('a call that the desk sees', () => {
  it('lends its agent out and takes it back', () => {
    live().agent.hold();
    expect(staged.agentIsOut).toBe(true);
    live().agent.resume();
    live().agent.say('I am back.');
    expect([staged.agentIsOut, staged.said]).toEqual([false, ['I am back.']]);
  });

  it('ends with its agent while no human has it', () => {
    expect(shown.survives('the model is gone')).toBe(false);
  });

  it('goes on without its agent while a human has it, and misses it when it is wanted back', () => {
    withHuman = true;
    expect(shown.survives('the model is gone')).toBe(true);
    expect(missed).toEqual([]);
    live().agent.resume();
    expect(missed).toEqual(['the model is gone']);
  });

  it('is gone when it is closed, and closed only once', () => {
    const told: string[] = [];
    calls.events.on('closed', ({ callId }) => told.push(callId));
    shown.close();
    shown.close();
    expect(calls.get('call-1')).toBeUndefined();
    expect(told).toEqual(['call-1']);
  });
});
