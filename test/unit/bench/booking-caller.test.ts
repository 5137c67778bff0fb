import { describe, expect, it } from 'vitest';
import { BookingCaller, sentencesOf, wishes_max, wishOf } from '../../../bench/booking-caller.ts';

describe('wishes', () => {
  const all = Array.from({ length: wishes_max }, (_, index) => wishOf(index));

  it('are of different times, all of them in the opening hours', () => {
    expect(new Set(all.map(({ weekday, clock }) => `${weekday} ${clock}`)).size).toBe(wishes_max);
    for (const { clock, weekday } of all) {
      expect(clock >= '08:00' && clock <= '17:30', clock).toBe(true);
      expect(weekday).toMatch(/^(Mon|Tues|Wednes|Thurs|Fri)day$/);
    }
  });

  it('are said in several ways, by several voices', () => {
    expect(new Set(all.map(({ voice }) => voice))).toEqual(new Set(['slt', 'rms', 'awb']));
    expect(wishOf(0).opening).toBe('I would like an appointment on Monday at eight in the morning');
    expect(wishOf(5)).toMatchObject({ clock: '08:30', time: 'at eight thirty' });
    expect(wishOf(50)).toMatchObject({ clock: '13:00', time: 'at one in the afternoon' });
  });
});

describe('a caller', () => {
  const wish = wishOf(1);
  const readBack = (name: string, time = wish.timeRead): string =>
    `That is Tuesday the first of December at ${time}, for ${name}. Is that right?`;

  it('answers each question, and says nothing after the goodbye', () => {
    const caller = new BookingCaller(wish);
    const answers = [
      'Thank you for calling. How can I help you?',
      'May I have your name, please?',
      'Which day would you like?',
      'And at what time?',
      readBack('Robert Taylor'),
      'You are booked. Is there anything else I can do for you?',
      'Thank you for calling. Goodbye.',
    ].map((said) => caller.answer(said));
    expect(answers).toEqual([
      'I would like to book an appointment please',
      ...['my name is Robert Taylor', 'on Tuesday', "at eight o'clock", 'yes that is right', 'no thank you'],
      null,
    ]);
    expect(caller.corrections).toBe(0);
    for (const answer of answers) if (answer !== null) expect(sentencesOf(wish)).toContain(answer);
  });

  it('says it again when it was not understood', () => {
    const caller = new BookingCaller(wish);
    caller.answer('How can I help you?');
    expect(caller.answer('I am sorry, could you say that once more, please?')).toBe(wish.opening);
  });

  it('corrects what is read back wrongly, the same thing twice at the most', () => {
    const caller = new BookingCaller(wish);
    caller.answer('How can I help you?');
    expect(caller.answer(readBack('Robert Taylor', 'nine in the morning'))).toBe("no at eight o'clock");
    expect(caller.answer(readBack('Robert Baker'))).toBe('no my name is Robert Taylor');
    expect(caller.answer(readBack('Robert Baker'))).toBe('no my name is Robert Taylor');
    expect(caller.answer(readBack('Robert Baker'))).toBe('yes that is right');
    expect(caller.corrections).toBe(3);
  });
});
