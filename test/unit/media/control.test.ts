import { describe, expect, it } from 'vitest';
import { answerSchema, commandSchema, eventSchema, threadOptionsSchema } from '../../../src/media/control.ts';

describe('what main and media threads say', () => {
  it.each([
    ['a digit', { type: 'leg.digit', legId: 'a', digit: '#', durationMs: 100 }, true],
    ['a digit that is none', { type: 'leg.digit', legId: 'a', digit: 'x', durationMs: 100 }, false],
    ['a voice’s event of any shape', { type: 'voice.event', voiceId: 'v', event: [1, { a: null }] }, true],
    ['an event of no type', { legId: 'a' }, false],
  ])('an event: %s', (_what, event, valid) => {
    expect(eventSchema.safeParse(event).success).toBe(valid);
  });

  it.each([
    ['a result', { seq: 1, result: null }, true],
    ['a refusal', { seq: 1, error: { code: 'MEDIA_FAILED', detail: '' } }, true],
    ['an event', { event: {} }, true],
    ['a number that is none', { seq: 'x', result: null }, false],
    ['a refusal without a code', { seq: 1, error: { detail: '' } }, false],
  ])('an answer: %s', (_what, answer, valid) => {
    expect(answerSchema.safeParse(answer).success).toBe(valid);
  });

  it.each([
    ['two digits', '12', true],
    ['every key', '0123456789*#ABCD', true],
    ['none', '', false],
    ['small letters', 'a', false],
    ['too many', '1'.repeat(65), false],
  ])('keys to press: %s', (_what, digits, valid) => {
    const command = { type: 'leg.dtmf', legId: 'a', digits, toneMs: 100, gapMs: 100 };
    expect(commandSchema.safeParse(command).success).toBe(valid);
  });

  it('options with a key nobody knows are refused', () => {
    const options = {
      name: 'm',
      place: 0,
      threads: 2,
      rtpAddress: '::1',
      rtpPortMin: 1,
      rtpPortMax: 2,
      quarantineMs: 0,
      precedence: 'usual',
      logLevel: 'info',
    };
    expect(threadOptionsSchema.safeParse({ ...options, agent: null }).success).toBe(true);
    expect(threadOptionsSchema.safeParse({ ...options, agent: null, rtpPort: 1 }).success).toBe(false);
  });
});
