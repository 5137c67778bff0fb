/** Opening hours, holidays and slots: what can be booked, and what is offered instead. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileAppointmentBook } from '../../../../src/agent/tools/appointment-book.ts';
import { bookAppointment } from '../../../../src/agent/tools/book-appointment.ts';
import { sayTimes } from '../../../../src/agent/tools/free-times.ts';
import { findSlots } from '../../../../src/agent/tools/find-slots.ts';
import { appointmentRulesSchema, nearest, timesOf } from '../../../../src/agent/tools/opening-hours.ts';
import type { ToolResult } from '../../../../src/agent/tools/tool.ts';
import { makeFolder, runnerOf } from './stage.ts';

/** A Monday. */
const NOW = new Date('2026-11-23T09:00:00Z');
const appointments = {
  slot_minutes: 60,
  days_ahead_max: 30,
  hours: {
    monday: ['08:00-10:00', '13:00-15:00'],
    tuesday: ['08:00-10:00'],
    wednesday: [],
    thursday: ['08:00-09:30'],
    friday: ['23:00-24:00'],
  },
  holidays: ['2026-11-30'],
};
const rules = appointmentRulesSchema.parse(appointments);

let folder: Awaited<ReturnType<typeof makeFolder>>;
let book: FileAppointmentBook;

beforeEach(async () => {
  folder = await makeFolder();
  book = await FileAppointmentBook.create({ path: join(folder.path, 'a.jsonl'), now: () => NOW });
});
afterEach(async () => {
  await book.close();
  await folder.remove();
});

const run = (name: string, given: object, callId = 'call-1', now = NOW): Promise<ToolResult> =>
  runnerOf(
    bookAppointment(
      () => book,
      () => now,
    ),
    findSlots(
      () => book,
      () => now,
    ),
  )(name, given, { callId, profile: { appointments, time_zone: 'Europe/London' } });
const bookFor = (day: string, time: string, callId?: string): Promise<ToolResult> =>
  run('book_appointment', { name: 'Anna Miller', day, time }, callId);

describe('the grid', () => {
  it.each([
    ['2026-11-23', ['08:00', '09:00', '13:00', '14:00']],
    ['2026-11-24', ['08:00', '09:00']],
    ['2026-11-25', []],
    ['2026-11-26', ['08:00']],
    ['2026-11-27', ['23:00']],
    ['2026-11-28', []],
    ['2026-11-30', []],
  ])('of %s is %j', (day, times) => {
    expect(timesOf(day, rules)).toEqual(times);
  });

  it.each([
    [{ hours: { monday: ['8:00-10:00'] } }, 'must be a span'],
    [{ hours: { monday: ['10:00-10:00'] } }, 'must end after it begins'],
    [{ hours: { monday: ['08:00-12:00', '11:00-13:00'] } }, 'must not overlap'],
    [{ hours: { monday: ['13:00-14:00', '08:00-09:00'] } }, 'must be in order'],
    [{ hours: { montag: [] } }, 'montag'],
    [{ slot_minutes: 0 }, '>=5'],
    [{ holidays: ['25.12.2026'] }, 'ISO date'],
  ])('is refused when it is none: %j', (given, problem) => {
    const result = appointmentRulesSchema.safeParse(given);
    expect(result.error?.message).toContain(problem);
  });

  it('knows what is near', () => {
    expect(nearest(['08:00', '09:00', '13:00', '14:00'], '12:00', 2)).toEqual(['13:00', '14:00']);
    expect(nearest(['08:00', '09:00', '13:00'], '11:00', 2)).toEqual(['09:00', '13:00']);
    expect(nearest([], '10:30', 2)).toEqual([]);
  });

  it('is said', () => {
    expect(sayTimes(['08:00'])).toBe('eight in the morning');
    expect(sayTimes(['08:00', '12:00', '13:30'])).toBe(
      'eight in the morning, noon and half past one in the afternoon',
    );
    expect(sayTimes([])).toBe('');
  });
});

describe('book_appointment', () => {
  it('books what is on the grid', async () => {
    expect(await bookFor('2026-11-24', '09:00')).toMatchObject({
      ok: true,
      day: '2026-11-24',
      time: '09:00',
    });
    expect(await book.taken('2026-11-24')).toEqual(['09:00']);
  });

  it.each([
    [
      'a Saturday',
      ['2026-11-28', '10:00'],
      'day',
      'We are closed on Saturday the twenty-eighth of November. ' +
        'The next free time is Tuesday the first of December at eight in the morning.',
    ],
    [
      'a holiday',
      ['2026-11-30', '08:00'],
      'day',
      'We are closed on Monday the thirtieth of November. ' +
        'The next free time is Tuesday the first of December at eight in the morning.',
    ],
    [
      'a time outside the hours',
      ['2026-11-24', '12:00'],
      'time',
      'There is no appointment at that time. ' +
        'On that day eight in the morning and nine in the morning are free.',
    ],
    [
      'a time off the grid',
      ['2026-11-26', '08:30'],
      'time',
      'There is no appointment at that time. On that day eight in the morning is free.',
    ],
    ['a day too far ahead', ['2026-12-24', '08:00'], 'day', 'That is too far ahead.'],
    ['a time that is past', ['2026-11-23', '08:00'], 'day', 'That time is past already.'],
  ])('refuses %s, and says what there is', async (_, [day = '', time = ''], ask, reason) => {
    expect(await bookFor(day, time)).toEqual({ ok: false, reason, ask });
    expect(book.appointments).toEqual([]);
  });

  it('offers another time in place of one that is taken', async () => {
    await bookFor('2026-11-24', '08:00', 'call-a');
    expect(await bookFor('2026-11-24', '08:00', 'call-b')).toEqual({
      ok: false,
      reason: 'That time is taken already. On that day nine in the morning is free.',
      ask: 'time',
    });
    await bookFor('2026-11-24', '09:00', 'call-b');
    expect(await bookFor('2026-11-24', '08:00', 'call-c')).toMatchObject({
      reason:
        'That time is taken already. ' +
        'The next free time is Thursday the twenty-sixth of November at eight in the morning.',
    });
  });
});

describe('find_slots', () => {
  it.each([
    [{ day: '2026-11-24' }, '2026-11-24', ['08:00', '09:00'], /^On Tuesday .* eight in the morning and nine/],
    [{ day: '2026-11-23' }, '2026-11-23', ['13:00', '14:00'], /^On Monday the twenty-third .* one in the/],
    [{}, '2026-11-23', ['13:00', '14:00'], /^On Monday the twenty-third/],
    [{ day: '2026-11-23', from: '14:00' }, '2026-11-23', ['14:00'], /two in the afternoon\.$/],
    [{ day: '2026-11-23', from: '18:00' }, '2026-11-23', ['13:00', '14:00'], /^On Monday/],
    [{ day: '2026-11-25' }, '2026-11-26', ['08:00'], /^We are closed on Wednesday .*\. On Thursday/],
    [{ day: '2026-11-28' }, '2026-12-01', ['08:00', '09:00'], /^We are closed on Saturday .*\. On Tuesday/],
  ])('%j', async (given, day, times, say) => {
    const result = await run('find_slots', given);
    expect(result).toMatchObject({ ok: true, day, times });
    expect((result as { say?: string }).say).toMatch(say);
  });

  it('leaves out what is taken, and goes on to the next day when all is', async () => {
    await bookFor('2026-11-24', '08:00', 'call-a');
    expect(await run('find_slots', { day: '2026-11-24' })).toMatchObject({ times: ['09:00'] });
    await bookFor('2026-11-24', '09:00', 'call-b');
    expect(await run('find_slots', { day: '2026-11-24' })).toMatchObject({
      day: '2026-11-26',
      say:
        'Nothing is free on that day. ' +
        'On Thursday the twenty-sixth of November I have eight in the morning.',
    });
  });

  it.each([
    [{ day: '2026-11-20' }, { ok: false, reason: 'That day is past already.', ask: 'day' }],
    [{ day: '2027-11-20' }, { ok: false, reason: 'I have no free time that far ahead.', ask: 'day' }],
  ])('refuses %j', async (given, result) => {
    expect(await run('find_slots', given)).toEqual(result);
  });

  it('looks anew each time, and knows nothing without hours', async () => {
    const find = runnerOf(
      findSlots(
        () => book,
        () => NOW,
      ),
    );
    expect(await find('find_slots', {})).toEqual({ ok: false, reason: 'I do not know our hours.' });
    const { repeatable } = findSlots(() => book);
    expect(repeatable).toBe(true);
  });
});
