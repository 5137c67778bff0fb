import { describe, expect, it } from 'vitest';
import { optWordOf } from '../../../../src/jobs/drivers/sms/opt-out.ts';
import { sendableAt } from '../../../../src/jobs/drivers/sms/quiet-hours.ts';
import { fillTemplate, placesOf } from '../../../../src/jobs/drivers/sms/template.ts';

describe('a word to stop, start or ask', () => {
  it.each([
    ...(
      [
        'STOP',
        'stop',
        ' Stop. ',
        'STOP!!',
        'ＳＴＯＰ',
        'stop all',
        'Unsubscribe',
        'cancel',
        'Opt-out',
      ] as const
    ).map((text) => [text, 'stop'] as const),
    ...(['START', 'unstop', 'Yes'] as const).map((text) => [text, 'start'] as const),
    ...(['help', 'INFO?'] as const).map((text) => [text, 'help'] as const),
  ])('"%s" is %s', (text, expected) => expect(optWordOf(text)).toBe(expected));

  it.each(['stop by at ten', 'please do not stop', 'yes please', '', '?', 'Help me move my appointment'])(
    '"%s" is an ordinary message',
    (text) => expect(optWordOf(text)).toBeUndefined(),
  );

  it('may be one of a tenant’s own language; a doubtful word stops', () => {
    expect(optWordOf('Halt', { stop: ['halt'] })).toBe('stop');
    expect(optWordOf('Halt')).toBeUndefined();
    expect(optWordOf('weiter', { start: ['weiter'], stop: ['weiter'] })).toBe('stop');
  });
});

describe('quiet hours', () => {
  const night = { from: '21:00', to: '08:00' };
  const at = (text: string): Date => new Date(text);

  it.each([
    ['in the afternoon', '2026-01-15T15:00:00Z', '2026-01-15T15:00:00Z'],
    ['one minute before', '2026-01-15T20:59:00Z', '2026-01-15T20:59:00Z'],
    ['at their beginning', '2026-01-15T21:00:00Z', '2026-01-16T08:00:00Z'],
    ['before midnight', '2026-01-15T23:30:45Z', '2026-01-16T08:00:00Z'],
    ['after midnight', '2026-01-16T03:00:00Z', '2026-01-16T08:00:00Z'],
    ['at their end', '2026-01-16T08:00:00Z', '2026-01-16T08:00:00Z'],
  ])('%s', (_when, wanted, expected) => {
    expect(sendableAt(night, at(wanted), 'UTC')).toEqual(at(expected));
  });

  it('are those of the recipient’s clock', () => {
    expect(sendableAt(night, at('2026-01-15T21:30:00Z'), 'America/New_York')).toEqual(
      at('2026-01-15T21:30:00Z'),
    );
    expect(sendableAt(night, at('2026-01-16T03:30:00Z'), 'America/New_York')).toEqual(
      at('2026-01-16T13:00:00Z'),
    );
    expect(sendableAt(night, at('2026-01-15T17:00:00Z'), 'Asia/Kolkata')).toEqual(at('2026-01-16T02:30:00Z'));
  });

  it('end at eight also in the nights when the clock is changed', () => {
    // Europe/London: forward on 29 March 2026, back on 25 October 2026, both at 01:00 UTC.
    expect(sendableAt(night, at('2026-03-28T23:00:00Z'), 'Europe/London')).toEqual(
      at('2026-03-29T07:00:00Z'),
    );
    expect(sendableAt(night, at('2026-10-24T22:00:00Z'), 'Europe/London')).toEqual(
      at('2026-10-25T08:00:00Z'),
    );
  });

  it('that end at a time the clock jumps over end right after the jump', () => {
    const hours = { from: '22:00', to: '01:30' };
    const end = sendableAt(hours, at('2026-03-28T23:00:00Z'), 'Europe/London');
    expect(end.getTime()).toBeGreaterThanOrEqual(at('2026-03-29T01:00:00Z').getTime());
    expect(end.getTime()).toBeLessThanOrEqual(at('2026-03-29T02:30:00Z').getTime());
  });

  it('may lie within one day, and may not be wanted at all', () => {
    const siesta = { from: '13:00', to: '15:00' };
    expect(sendableAt(siesta, at('2026-01-15T13:30:00Z'), 'UTC')).toEqual(at('2026-01-15T15:00:00Z'));
    expect(sendableAt(siesta, at('2026-01-15T23:00:00Z'), 'UTC')).toEqual(at('2026-01-15T23:00:00Z'));
    const never = { from: '', to: '' };
    expect(sendableAt(never, at('2026-01-15T03:00:00Z'), 'UTC')).toEqual(at('2026-01-15T03:00:00Z'));
  });

  it('never hold a message longer than a day, at any minute of a year’s clock changes', () => {
    for (let hour = 0; hour < 24 * 14; hour += 1) {
      const wanted = new Date(Date.UTC(2026, 2, 20, hour, 17));
      const allowed = sendableAt(night, wanted, 'Europe/London');
      expect(allowed.getTime() - wanted.getTime()).toBeLessThanOrEqual(12 * 3_600_000);
      expect(allowed.getTime()).toBeGreaterThanOrEqual(wanted.getTime());
      expect(sendableAt(night, allowed, 'Europe/London')).toEqual(allowed);
    }
  });
});

describe('a template', () => {
  it('is filled', () => {
    const template = 'Dear {name}, see you on {day}. {name}, bring your card.';
    expect(placesOf(template)).toEqual(['name', 'day']);
    expect(fillTemplate(template, { name: 'Laura', day: 'Monday' })).toBe(
      'Dear Laura, see you on Monday. Laura, bring your card.',
    );
  });

  it('takes values as they are, with their braces and dollars', () => {
    expect(fillTemplate('{a}', { a: '{b} $& $1', b: 'no' })).toBe('{b} $& $1');
  });

  it('without a value is not sent', () => {
    expect(() => fillTemplate('{name} {day}', { name: 'Laura' })).toThrow(
      /SMS_TEXT_INVALID: no value for day/,
    );
    expect(() => fillTemplate('{constructor}', {})).toThrow(/SMS_TEXT_INVALID/);
  });
});
