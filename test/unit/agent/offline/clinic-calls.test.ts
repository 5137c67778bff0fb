/** Whole calls to the shipped receptionist, as callers make them. */
import { describe, expect, it } from 'vitest';
import { clinic, OK, PAST, play, SILENCE, TAKEN, type Script } from './dialog-script.ts';

const HOURS = /^We are open Monday to Friday/;
const ADDRESS = /^We are at twelve Harbour Street/;
const NAME = /^May I have your name, please\?$/;
const DAY = /^Which day would you like\?$/;
const TIME = /^And at what time\?$/;
const GOODBYE = /^Thank you for calling Harbour Clinic\. Goodbye\. <hang up: goodbye>$/;
const WHAT_ELSE = /Is there anything else I can do for you\?$/;
const WHAT_TO_CHANGE = /^Sorry about that\. What should I change\?$/;
const SORRY = /^Sorry, I did not catch that/;

const readBack = (day: string, time: string, name: string): RegExp =>
  new RegExp(`^That is ${day} at ${time}, for ${name}\\. Is that right\\?$`);
const books = (...values: string[]): RegExp =>
  new RegExp(`^<book_appointment ${values.join(' \\| ').replaceAll(' | ', ' \\| ')}>$`);

const TUESDAY = 'Tuesday the twenty-fourth of November';
const WEDNESDAY = 'Wednesday the twenty-fifth of November';
const THURSDAY = 'Thursday the twenty-sixth of November';
const FRIDAY = 'Friday the twenty-seventh of November';

/** Up to the read-back of Anna Miller, tomorrow at ten. */
const READ_BACK: Script = [
  ['an appointment tomorrow at ten', NAME],
  ['anna miller', readBack(TUESDAY, 'ten in the morning', 'Anna Miller')],
];
const BOOKED: Script = [...READ_BACK, ['yes', books('Anna Miller', '2026-11-24', '10:00')], [OK, WHAT_ELSE]];

const calls: Record<string, Script> = {
  'everything in one breath': [
    [
      'hi i would like to book an appointment for tomorrow at nine thirty this is emma white',
      readBack(TUESDAY, 'half past nine in the morning', 'Emma White'),
    ],
    ['yes please', books('Emma White', '2026-11-24', '09:30')],
    [OK, /^You are booked for Tuesday the twenty-fourth of November at half past nine in the morning\. Is/],
    ['no thanks', GOODBYE],
  ],
  'one word at a time': [
    ['appointment', NAME],
    ['mary king', DAY],
    ['friday', TIME],
    ['noon', readBack(FRIDAY, 'noon', 'Mary King')],
    ['correct', books('Mary King', '2026-11-27', '12:00')],
    [OK, WHAT_ELSE],
    ['nothing else', GOODBYE],
  ],
  'the name first, then all the rest': [
    ['an appointment please', NAME],
    [
      'my name is george harris and i would like thursday at eleven',
      readBack(THURSDAY, 'eleven in the morning', 'George Harris'),
    ],
    ['no', WHAT_TO_CHANGE],
    [
      'thursday the third of december',
      readBack('Thursday the third of December', 'eleven in the morning', 'George Harris'),
    ],
    ['yes', books('George Harris', '2026-12-03', '11:00')],
  ],
  'a part of the day is no time yet': [
    ['can i come in on friday afternoon', NAME],
    ['susan scott', TIME],
    ['at four', readBack(FRIDAY, 'four in the afternoon', 'Susan Scott')],
    ['yes', books('Susan Scott', '2026-11-27', '16:00')],
  ],
  'changes of mind within a sentence': [
    ['an appointment', NAME],
    ['anna miller', DAY],
    ['monday no tuesday', TIME],
    ['at ten no at eleven', readBack(TUESDAY, 'eleven in the morning', 'Anna Miller')],
    ['yes', books('Anna Miller', '2026-11-24', '11:00')],
  ],
  'one correction after the other': [
    ...READ_BACK,
    ['no not at ten at eleven', readBack(TUESDAY, 'eleven in the morning', 'Anna Miller')],
    ['no make it thursday', readBack(THURSDAY, 'eleven in the morning', 'Anna Miller')],
    ['no the name is hannah moore', readBack(THURSDAY, 'eleven in the morning', 'Hannah Moore')],
    ['yes', books('Hannah Moore', '2026-11-26', '11:00')],
  ],
  'all three corrected at once': [
    ...READ_BACK,
    ['no wednesday at three for mary jones', readBack(WEDNESDAY, 'three in the afternoon', 'Mary Jones')],
    ['yes', books('Mary Jones', '2026-11-25', '15:00')],
  ],
  'a time that is taken, then a question, then another time': [
    ...READ_BACK,
    ['yes', books('Anna Miller', '2026-11-24', '10:00')],
    [TAKEN, /^I am sorry\. That time is taken already\. And at what time\?$/],
    ['what are your opening hours', /^We are open .* closed\. And at what time\?$/],
    ['half past three', readBack(TUESDAY, 'half past three in the afternoon', 'Anna Miller')],
    ['no on friday', readBack(FRIDAY, 'half past three in the afternoon', 'Anna Miller')],
    ['yes', books('Anna Miller', '2026-11-27', '15:30')],
    [TAKEN, /And at what time\?$/],
    ['four', readBack(FRIDAY, 'four in the afternoon', 'Anna Miller')],
    ['yes', books('Anna Miller', '2026-11-27', '16:00')],
    [OK, /^You are booked for Friday .* at four in the afternoon/],
  ],
  'a time that is past': [
    ...READ_BACK,
    ['yes', books('Anna Miller', '2026-11-24', '10:00')],
    [PAST, /^I am sorry\. That time is past already\. Which day would you like\?$/],
    ['next monday', readBack('Monday the thirtieth of November', 'ten in the morning', 'Anna Miller')],
    ['yes', books('Anna Miller', '2026-11-30', '10:00')],
  ],
  'two appointments in one call': [
    ...BOOKED,
    ['yes another appointment on friday at two', NAME],
    ['william clark', readBack(FRIDAY, 'two in the afternoon', 'William Clark')],
    ['yes', books('William Clark', '2026-11-27', '14:00')],
    [OK, WHAT_ELSE],
    ['goodbye', GOODBYE],
  ],
  'a name is not taken over into the next appointment': [
    ...BOOKED,
    ['i need an appointment', NAME],
    ['wednesday at nine', NAME],
  ],
  'questions before, between and after': [
    ['what are your opening hours', HOURS],
    ['and where are you', ADDRESS],
    ['i need to see the doctor', NAME],
    ['how do i get there', /^We are at twelve Harbour Street.* May I have your name, please\?$/],
    ['tom baker', DAY],
    ['are you open on sunday', /^We are open .* closed\. Which day would you like\?$/],
    ['tomorrow at ten', readBack(TUESDAY, 'ten in the morning', 'Baker')],
    ['are you open today', /^We are open .* That is Tuesday .* Is that right\?$/],
  ],
  'days that do not exist': [
    ['an appointment', NAME],
    ['anna miller', DAY],
    ['the thirty first of november', /^Sorry, which day\?/],
    ['yesterday', /^Sorry, which day\?/],
    ['the thirtieth of november', TIME],
    ['at twenty five', /^Sorry, at what time\?/],
    ['at nine', readBack('Monday the thirtieth of November', 'nine in the morning', 'Anna Miller')],
  ],
  'the new year': [
    ['do you have any appointments on the first of january at eight', NAME],
    ['thomas jones', readBack('Friday the first of January', 'eight in the morning', 'Thomas Jones')],
    ['yes', books('Thomas Jones', '2027-01-01', '08:00')],
  ],
  'a caller who wavers and then leaves': [
    ['an appointment', NAME],
    ['wait', /^Sorry, I did not get that/],
    ['hold on', /^Sorry, I did not get that/],
    ['nothing else', GOODBYE],
  ],
  'leaving instead of agreeing': [...READ_BACK, ['goodbye', GOODBYE], ['yes', /^$/]],
  'a caller who did not listen': [
    ...READ_BACK,
    ['sorry', readBack(TUESDAY, 'ten in the morning', 'Anna Miller')],
    ['can you repeat that', readBack(TUESDAY, 'ten in the morning', 'Anna Miller')],
    ['what did you say', readBack(TUESDAY, 'ten in the morning', 'Anna Miller')],
    ['okay', books('Anna Miller', '2026-11-24', '10:00')],
  ],
  'a person is asked for in the middle': [
    ...READ_BACK,
    ['can i speak to a person', /^<transfer_to_human >$/],
    ['<result {"ok":true,"state":"connecting"}>', /^One moment, please\./],
  ],
  'impatience while the tool runs': [
    ...READ_BACK,
    ['yes', books('Anna Miller', '2026-11-24', '10:00')],
    ['yes', /^$/],
    ['hello', /^$/],
    [SILENCE, /^$/],
    ['<key 1>', /^$/],
    ['goodbye', /^$/],
    [OK, WHAT_ELSE],
    [OK, /^$/],
    ['no', GOODBYE],
  ],
  'nothing but yes': [
    ['yes', /^How can I help you\?$/],
    ['an appointment', NAME],
    ['yes', /^Sorry, I did not get that/],
    ['yes', /^Sorry, I did not get that/],
    ['yes', /^Sorry, I did not get that/],
    ['yes', /<hang up: not-understood>$/],
  ],
  'nothing but silence in a read-back': [
    ...READ_BACK,
    [SILENCE, /^Sorry, I did not catch that.* Is that right\?$/],
    [SILENCE, /^I am sorry, could you say that once more.* Is that right\?$/],
    [SILENCE, /^Sorry, I did not catch that.* Is that right\?$/],
    [SILENCE, /<hang up: not-understood>$/],
  ],
  'keys instead of words': [
    ...READ_BACK,
    ['<key 2>', WHAT_TO_CHANGE],
    ['<key 3>', /^$/],
    ['at eight', readBack(TUESDAY, 'eight in the morning', 'Anna Miller')],
    ['<key 1>', books('Anna Miller', '2026-11-24', '08:00')],
    ['<key 1>', /^$/],
  ],
};

describe('a call', () => {
  it.each(Object.entries(calls))('%s', (_, script) => void play(script));
});

describe('a refusal of the read-back', () => {
  it.each([
    ['no make it eleven', readBack(TUESDAY, 'eleven in the morning', 'Anna Miller')],
    ['no eleven', readBack(TUESDAY, 'eleven in the morning', 'Anna Miller')],
    ['no i said eleven', readBack(TUESDAY, 'eleven in the morning', 'Anna Miller')],
    ['actually two', readBack(TUESDAY, 'two in the afternoon', 'Anna Miller')],
    ['can we make it half past nine', readBack(TUESDAY, 'half past nine in the morning', 'Anna Miller')],
    ['friday would be better', readBack(FRIDAY, 'ten in the morning', 'Anna Miller')],
    ['no it is hannah', readBack(TUESDAY, 'ten in the morning', 'Hannah')],
    ['wednesday instead', readBack(WEDNESDAY, 'ten in the morning', 'Anna Miller')],
    ['i meant thursday at one', readBack(THURSDAY, 'one in the afternoon', 'Anna Miller')],
    ['no not at ten', WHAT_TO_CHANGE],
    ['no that is the wrong one', WHAT_TO_CHANGE],
    ['that is not correct', WHAT_TO_CHANGE],
    ['yes no', WHAT_TO_CHANGE],
    ['change the day', DAY],
    ['change the day to friday', readBack(FRIDAY, 'ten in the morning', 'Anna Miller')],
  ])('%s', (caller, agent) => void play([...READ_BACK, [caller, agent]]));
});

describe('an agreement to the read-back', () => {
  const booking = books('Anna Miller', '2026-11-24', '10:00');
  it.each([
    ...['yes', 'yes please', 'yeah', 'okay', 'right', "that's right", 'that is correct', 'perfect'],
    ...['sure no problem', 'yes tomorrow at ten', 'tomorrow is fine', 'yes anna miller'],
  ])('%s', (caller) => void play([...READ_BACK, [caller, booking]]));
});

describe('after a task', () => {
  it.each([
    ['thank you', GOODBYE],
    ['thanks', GOODBYE],
    ['okay thank you very much', GOODBYE],
    ['great thanks', GOODBYE],
    ['no thank you', GOODBYE],
    ['no', GOODBYE],
    ["that's all thank you", GOODBYE],
    ['yes', /^How can I help you\?$/],
    ['yes please', /^How can I help you\?$/],
    ['yes thank you', /^How can I help you\?$/],
    ['thank you where are you located', ADDRESS],
    ['thank you purple', SORRY],
    [SILENCE, SORRY],
  ])('%j', (caller, agent) => void play([...BOOKED, [caller, agent]]));
});

describe('what is not a wish', () => {
  it.each([
    ...[
      'how are you',
      'how nice',
      'i have a question',
      'can you help me',
      'hello are you there',
      'thank you',
    ],
    ...['ten', 'no', 'maybe', 'the weather is nice today not', 'one two three four'],
  ])('%s', (caller) => {
    const dialog = play([[caller, /./]]);
    expect(dialog.phase).not.toBe('closing');
    expect(dialog.phase).not.toBe('running');
  });
});

describe('the same moment in other places', () => {
  const midnight = (): Date => new Date('2026-12-31T23:30:00Z');

  it.each([
    ['Europe/London', 'Friday the first of January', '2027-01-01'],
    ['Europe/Berlin', 'Saturday the second of January', '2027-01-02'],
    ['America/New_York', 'Friday the first of January', '2027-01-01'],
    ['Pacific/Auckland', 'Saturday the second of January', '2027-01-02'],
    ['Pacific/Pago_Pago', 'Friday the first of January', '2027-01-01'],
  ])('in %s tomorrow is %s', (time_zone, spoken, day) => {
    play(
      [
        [
          'an appointment tomorrow at ten for anna miller',
          readBack(spoken, 'ten in the morning', 'Anna Miller'),
        ],
        ['yes', books('Anna Miller', day, '10:00')],
      ],
      { profile: { ...clinic, time_zone }, now: midnight },
    );
  });
});
