import { describe, expect, it } from 'vitest';
import { addDays, dayIn, readDay, sayDay } from '../../../../src/agent/models/offline/day.ts';
import { readSlots, readYesNo, saySlot } from '../../../../src/agent/models/offline/slots.ts';
import { readTime, sayTime } from '../../../../src/agent/models/offline/time-of-day.ts';
import {
  readNumber,
  readOrdinal,
  sayNumber,
  sayOrdinal,
  wordsOf,
} from '../../../../src/agent/models/offline/words.ts';
import { agentProfileSchema, slotSchema, type Slot } from '../../../../src/agent/profile.ts';

/** A Monday. */
const TODAY = '2026-11-23';

describe('wordsOf', () => {
  it.each([
    ['Hello, world!', ['hello', 'world']],
    ["That's right; at 10 a.m.", ["that's", 'right', 'at', '10', 'a', 'm']],
    ['nine o’clock', ['nine', "o'clock"]],
    ["  '' -- ", []],
    ['', []],
  ])('%j', (text, words) => expect(wordsOf(text)).toEqual(words));

  it('looks at no more than 120 words', () => {
    expect(wordsOf('word '.repeat(500))).toHaveLength(120);
  });
});

describe('numbers in words', () => {
  it('reads every number that it says', () => {
    for (let value = 0; value < 60; value += 1)
      expect(readNumber(sayNumber(value).split(' '), 0)?.value).toBe(value);
  });

  it('reads every ordinal that it says', () => {
    for (let value = 1; value <= 31; value += 1)
      expect(readOrdinal(sayOrdinal(value).split('-'), 0)?.value).toBe(value);
  });

  it.each([['banana'], ['']])('reads %j as no number', (word) => {
    expect(readNumber([word], 0)).toBeNull();
    expect(readOrdinal([word], 0)).toBeNull();
  });
});

describe('readDay', () => {
  it.each([
    ['today please', '2026-11-23'],
    ['tomorrow at ten', '2026-11-24'],
    ['the day after tomorrow', '2026-11-25'],
    ['on wednesday', '2026-11-25'],
    ['sunday', '2026-11-29'],
    ['monday', '2026-11-30'],
    ['this monday', '2026-11-23'],
    ['next monday', '2026-11-30'],
    ['next friday', '2026-12-04'],
    ['this friday', '2026-11-27'],
    ['november twenty fourth', '2026-11-24'],
    ['december the third', '2026-12-03'],
    ['on the third of december', '2026-12-03'],
    ['on the twenty fourth', '2026-11-24'],
    ['on the twenty second', '2026-12-22'],
    ['the thirty first', '2026-12-31'],
    ['november ten', '2027-11-10'],
    ['tuesday the twenty fourth of november', '2026-11-24'],
    ['tuesday the twenty fourth', '2026-11-24'],
    ['no not monday tuesday', '2026-11-24'],
    ['tomorrow no on friday', '2026-11-27'],
    ['february twenty ninth', '2028-02-29'],
  ])('%s', (text, day) => expect(readDay(wordsOf(text), TODAY)?.value).toBe(day));

  it.each([
    ['at ten'],
    ['for third time callers'],
    ['june thirty first'],
    ['thirty first of february'],
    ['may be'],
    [''],
  ])('finds no day in %j', (text) => expect(readDay(wordsOf(text), TODAY)).toBeNull());

  it('counts next week from a Sunday too', () => {
    expect(readDay(['next', 'monday'], '2026-11-29')?.value).toBe('2026-11-30');
    expect(readDay(['next', 'sunday'], '2026-11-29')?.value).toBe('2026-12-06');
  });

  it.each([
    ['the third', '2026-12-10', '2027-01-03'],
    ['on the thirty first', '2026-11-30', '2026-12-31'],
    ['the thirtieth', '2027-01-31', '2027-03-30'],
    ['the tenth', '2026-12-10', '2026-12-10'],
  ])('takes %s, said on %s, for a day of the months to come', (text, today, day) =>
    expect(readDay(wordsOf(text), today)?.value).toBe(day),
  );

  it('crosses months and years', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
  });

  it('knows what day it is elsewhere', () => {
    const moment = new Date('2026-11-23T23:30:00Z');
    expect(dayIn('Europe/London', moment)).toBe('2026-11-23');
    expect(dayIn('Europe/Berlin', moment)).toBe('2026-11-24');
    expect(dayIn('America/Los_Angeles', moment)).toBe('2026-11-23');
  });

  it.each([
    ['2026-11-24', 'Tuesday the twenty-fourth of November'],
    ['2026-12-01', 'Tuesday the first of December'],
    ['2027-01-20', 'Wednesday the twentieth of January'],
    ['2027-01-31', 'Sunday the thirty-first of January'],
  ])('says %s', (day, spoken) => expect(sayDay(day)).toBe(spoken));

  it('reads back what it says', () => {
    for (let ahead = 0; ahead < 300; ahead += 1) {
      const day = addDays(TODAY, ahead);
      expect(readDay(wordsOf(sayDay(day)), TODAY)?.value).toBe(day);
    }
  });
});

describe('readTime', () => {
  it.each([
    ['at ten', '10:00'],
    ['at two', '14:00'],
    ['at eight', '08:00'],
    ['at seven', '19:00'],
    ['at seven in the morning', '07:00'],
    ['at twelve', '12:00'],
    ['at noon', '12:00'],
    ['around midday', '12:00'],
    ['half past two', '14:30'],
    ['two thirty', '14:30'],
    ['nine fifteen', '09:15'],
    ['nine oh five', '09:05'],
    ['quarter to nine', '08:45'],
    ['a quarter past ten', '10:15'],
    ['quarter to one', '12:45'],
    ["ten o'clock", '10:00'],
    ['nine p m', '21:00'],
    ['nine pm', '21:00'],
    ['ten a m', '10:00'],
    ['twelve a m', '00:00'],
    ['half past nine in the evening', '21:30'],
    ['tomorrow morning at seven', '07:00'],
    ['tomorrow afternoon at eight', '20:00'],
    ['good morning i need an appointment at two', '14:00'],
    ['at fourteen thirty', '14:30'],
    ['at 10:30', '10:30'],
    ['not at ten at eleven', '11:00'],
    ['ten past eleven no at ten past ten', '10:10'],
    ['at twenty five past three', '15:25'],
    ['at ten to nine', '08:50'],
    ['quarter to twelve in the morning', '11:45'],
  ])('%s', (text, time) => expect(readTime(wordsOf(text), false)?.value).toBe(time));

  it.each([
    ['ten', '10:00'],
    ['ten please', '10:00'],
    ['twenty past three', '15:20'],
    ['ten to nine', '08:50'],
    ['uh three', '15:00'],
  ])('%s, when a time was asked for', (text, time) =>
    expect(readTime(wordsOf(text), true)?.value).toBe(time),
  );

  it.each([['ten'], ['three of us'], ['a table for two people'], ['at the office'], ['yes'], ['half a day']])(
    'finds no time in %j unasked',
    (text) => expect(readTime(wordsOf(text), false)).toBeNull(),
  );

  it.each([
    ['10:00', 'ten in the morning'],
    ['14:30', 'half past two in the afternoon'],
    ['08:45', 'quarter to nine in the morning'],
    ['12:00', 'noon'],
    ['12:30', 'half past twelve in the afternoon'],
    ['09:05', 'nine oh five in the morning'],
    ['18:20', 'six twenty in the evening'],
    ['00:15', 'quarter past twelve in the morning'],
  ])('says %s', (time, spoken) => expect(sayTime(time)).toBe(spoken));

  it('reads back what it says, every five minutes of the day', () => {
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
      const time = new Date(minutes * 60_000).toISOString().slice(11, 16);
      expect(readTime(wordsOf(sayTime(time)), false)?.value, sayTime(time)).toBe(time);
    }
  });
});

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
  vocabulary: { first_names: ['Anna', 'Robert'], last_names: ['Miller', 'Taylor'] },
});

const slot = (name: string, kind: Slot['kind'], choices: object[] = []): Slot =>
  slotSchema.parse({ name, kind, ask: '?', ask_again: '??', choices });
const DAY = slot('day', 'day');
const TIME = slot('time', 'time');
const NAME = slot('name', 'person');
const COLOUR = slot('colour', 'choice', [
  { say: ['red', 'dark red'], value: 'R' },
  { say: ['blue'], value: 'B' },
]);
const NUMBER = slot('number', 'digits');
const SURE = slot('sure', 'yes_no');

function read(text: string, slots: Slot[], asked: string | null = null): Record<string, string> {
  const now = (): Date => new Date('2026-11-23T09:00:00Z');
  return Object.fromEntries(readSlots(wordsOf(text), slots, { profile, now, asked }));
}

describe('readSlots', () => {
  it.each([
    ['tomorrow at ten for anna miller', { day: '2026-11-24', time: '10:00', name: 'Anna Miller' }],
    ['at ten on november the twelfth', { day: '2027-11-12', time: '10:00' }],
    ['november ten', { day: '2027-11-10' }],
    ['november ten at two', { day: '2027-11-10', time: '14:00' }],
    ['my name is taylor robert taylor', { name: 'Robert Taylor' }],
    ['it is anna', { name: 'Anna' }],
    ['miller', { name: 'Miller' }],
    ['nothing of use', {}],
  ])('%s', (text, values) => expect(read(text, [NAME, DAY, TIME])).toEqual(values));

  it('takes a bare number for a time only where a time was asked for', () => {
    expect(read('ten', [DAY, TIME])).toEqual({});
    expect(read('ten', [DAY, TIME], 'time')).toEqual({ time: '10:00' });
  });

  it('prefers the longer choice', () => {
    expect(read('i want dark red', [COLOUR])).toEqual({ colour: 'R' });
    expect(read('blue please', [COLOUR])).toEqual({ colour: 'B' });
  });

  it('reads digits and yes or no only when they were asked for', () => {
    expect(read('one two double three oh', [NUMBER], 'number')).toEqual({ number: '12330' });
    expect(read('one two', [NUMBER])).toEqual({});
    expect(read('yes', [SURE], 'sure')).toEqual({ sure: 'yes' });
    expect(read('no', [SURE], 'sure')).toEqual({ sure: 'no' });
    expect(read('yes', [SURE])).toEqual({});
  });
});

describe('readYesNo', () => {
  it.each([
    ['yes', true],
    ['yes please', true],
    ["that's right", true],
    ['no problem', true],
    ['no', false],
    ['no that is not right', false],
    ['not right', false],
    ['that is wrong', false],
    ['maybe', null],
    ['', null],
  ])('%j', (text, answer) => expect(readYesNo(wordsOf(text))).toBe(answer));
});

describe('saySlot', () => {
  it.each([
    [DAY, '2026-11-24', 'Tuesday the twenty-fourth of November'],
    [TIME, '10:00', 'ten in the morning'],
    [NAME, 'Anna Miller', 'Anna Miller'],
    [COLOUR, 'R', 'red'],
    [COLOUR, 'unknown', 'unknown'],
    [NUMBER, '120', 'one two zero'],
    [SURE, 'yes', 'yes'],
  ])('%#', (given, value, spoken) => expect(saySlot(given, value)).toBe(spoken));
});
