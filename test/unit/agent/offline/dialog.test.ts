import { beforeEach, describe, expect, it } from 'vitest';
import { Dialog } from '../../../../src/agent/models/offline/dialog.ts';
import { Intent } from '../../../../src/agent/models/offline/intent.ts';
import { phrasebookOf } from '../../../../src/agent/models/offline/phrasebook.ts';
import { wordsOf } from '../../../../src/agent/models/offline/words.ts';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { clinic, line, now, OK, play, step, type Script } from './dialog-script.ts';

describe('booking', () => {
  it('asks for what is missing, one thing after the other', () => {
    play([
      ['I would like an appointment', /^May I have your name, please\?$/],
      ['Anna Miller', /^Which day would you like\?$/],
      ['tomorrow please', /^And at what time\?$/],
      [
        'at ten',
        /^That is Tuesday the twenty-fourth of November at ten in the morning, for Anna Miller\. Is that/,
      ],
      ['yes', /^<book_appointment Anna Miller \| 2026-11-24 \| 10:00>$/],
      [OK, /^You are booked for Tuesday .* at ten in the morning\. Is there anything else/],
      ['no thank you', /Goodbye\. <hang up: goodbye>$/],
    ]);
  });

  it('fills slots from anywhere in a sentence', () => {
    play([
      [
        'hello my name is Robert Taylor I need an appointment on friday at half past two',
        /Friday the twenty-seventh of November at half past two in the afternoon, for Robert Taylor/,
      ],
      ['yes that is right', /<book_appointment Robert Taylor \| 2026-11-27 \| 14:30>/],
    ]);
  });

  it('takes two answers at once', () => {
    play([
      ['book an appointment', /name/],
      [
        'this is Laura Smith on wednesday at three',
        /Wednesday the twenty-fifth of November at three in the afternoon, for Laura Smith/,
      ],
    ]);
  });

  it('begins when only a day and a time were said', () => {
    play([['tomorrow at ten', /May I have your name/]]);
  });
});

/** Up to the read-back of Anna Miller, tomorrow at ten. */
const READ_BACK: Script = [
  ['an appointment tomorrow at ten', /name/],
  ['Anna Miller', /Tuesday .* at ten in the morning, for Anna Miller/],
];

describe('corrections', () => {
  it.each([
    ['no at eleven', /Tuesday .* at eleven in the morning, for Anna Miller/],
    ['no make it wednesday', /Wednesday .* at ten in the morning, for Anna Miller/],
    ['no my name is Hannah Miller', /Tuesday .* at ten in the morning, for Hannah Miller/],
    ['actually friday at two', /Friday .* at two in the afternoon, for Anna Miller/],
    ['yes but at eleven please', /at eleven in the morning/],
    ['no the time is wrong', /^And at what time\?$/],
    ['the day', /^Which day would you like\?$/],
    ['the name is wrong', /^May I have your name, please\?$/],
    ['no', /^Sorry about that\. What should I change\?$/],
  ])('%s', (caller, agent) => void play([...READ_BACK, [caller, agent]]));

  it('takes a bare value after a bare no', () => {
    play([
      ...READ_BACK,
      ['no', /What should I change/],
      ['eleven', /at eleven in the morning, for Anna Miller/],
      ['yes', /<book_appointment Anna Miller \| 2026-11-24 \| 11:00>/],
    ]);
  });

  it('changes an earlier slot while another is asked for', () => {
    play([
      ['an appointment tomorrow', /name/],
      ['Anna Miller on friday', /what time/],
      ['no on wednesday', /what time/],
      ['nine thirty', /Wednesday the twenty-fifth of November at half past nine in the morning/],
    ]);
  });
});

describe('misunderstanding', () => {
  it('says so in turn, then gives up and hangs up', () => {
    play([
      ['', /^Sorry, I did not catch that/],
      ['apples grow on trees', /^I am sorry, could you say that once more/],
      ['', /^Sorry, I did not catch that/],
      ['', /cannot understand you.*<hang up: not-understood>$/],
      ['hello', /^$/],
    ]);
  });

  it('asks for the slot again in other words', () => {
    play([
      ['an appointment', /May I have your name/],
      ['', /What are your first and last name/],
      ['purple', /What are your first and last name/],
      ['Anna Miller', /Which day/],
      ['purple', /For example, tomorrow/],
    ]);
  });

  it('reads back again when the answer was neither yes nor no', () => {
    play([
      ...READ_BACK,
      ['the weather', /^Sorry, I did not catch that.*That is Tuesday .* Is that right\?$/],
    ]);
  });

  it('counts only misses in a row', () => {
    const script: Script = [
      ['', /Sorry/],
      ['', /sorry/],
      ['what is your address', /Harbour Street/],
    ];
    play([...script, ...script, ...script]);
  });

  it('repeats itself when asked', () => {
    play([
      ['an appointment', /^May I have your name, please\?$/],
      ['can you say that again please', /^May I have your name, please\?$/],
      ['pardon', /^May I have your name, please\?$/],
      ['Anna Miller', /Which day/],
    ]);
  });

  it('apologises for its own ears', () => {
    const dialog = new Dialog({ profile: clinic, now });
    expect(dialog.troubled().map(line)).toEqual([clinic.trouble]);
  });
});

describe('questions', () => {
  it.each([
    ['what are your opening hours', /open Monday to Friday/],
    ['when do you close', /open Monday to Friday/],
    ['are you open on Sunday', /open Monday to Friday/],
    ['where is the clinic', /Harbour Street/],
    ['how do I get there', /Harbour Street/],
    ['can I speak to a person', /^<transfer_to_human >$/],
    ['I want to talk to a real person please', /^<transfer_to_human >$/],
    ['I need to see a doctor', /your name/],
    ['goodbye', /Goodbye\. <hang up: goodbye>/],
    ['that is all', /<hang up: goodbye>/],
  ])('%s', (caller, agent) => void play([[caller, agent]]));

  it('connects to a person, and asks for nothing more until the caller is back', () => {
    const dialog = play([
      ['can I speak to a person', /^<transfer_to_human >$/],
      ['hello', /^$/],
      [
        '<result {"ok":true,"state":"connecting"}>',
        /^One moment, please\. I am connecting you to a colleague\.$/,
      ],
    ]);
    expect(dialog.phase).toBe('closing');
    for (const [caller, agent] of [
      ['an appointment', /your name/],
      ['Anna Miller', /Which day/],
    ] as const)
      expect(step(dialog, caller).map(line).join(' ')).toMatch(agent);
  });

  it('says at once when no person is there, and offers something else', () => {
    play([
      ['can I speak to a person', /^<transfer_to_human >$/],
      [
        '<result {"ok":false,"reason":"Nobody can take the call at the moment."}>',
        /^I am sorry\. Nobody can take the call at the moment\. Is there anything else/,
      ],
      ['no thank you', /Goodbye/],
    ]);
  });

  it('answers in the middle of a booking and goes on with it', () => {
    play([
      ['an appointment', /name/],
      ['what are your opening hours', /open Monday to Friday.*May I have your name, please\?$/],
      ['Anna Miller', /Which day/],
    ]);
  });

  it('answers during the read-back and reads back again', () => {
    play([...READ_BACK, ['where are you located', /Harbour Street.*Is that right\?$/], ['yes', /<book/]]);
  });

  it('can be left in the middle', () => {
    play([
      ['an appointment', /name/],
      ['goodbye', /Goodbye\. <hang up: goodbye>/],
    ]);
  });

  it.each(['hello', 'good morning', 'yes'])('asks back after a bare %s', (caller) => {
    play([[caller, /^How can I help you\?$/]]);
  });
});

describe('after a task', () => {
  const booked: Script = [...READ_BACK, ['yes', /<book/], [OK, /anything else/]];

  it('takes another wish', () => {
    play([...booked, ['yes', /How can I help/], ['what is your address', /Harbour.*anything else/]]);
    play([...booked, ['yes another appointment on friday', /name/]]);
  });

  it('knows when it is not understood', () => play([...booked, ['purple elephants', /did not catch/]]));

  it('says nothing after the goodbye, unless the caller spoke in time', () => {
    const dialog = new Dialog({ profile: clinic, now });
    dialog.heard('goodbye');
    expect(dialog.phase).toBe('ended');
    expect(dialog.heard('an appointment')).toEqual([]);
    expect(dialog.troubled()).toEqual([]);
    dialog.resume();
    expect(dialog.heard('an appointment').map(line)).toEqual(['May I have your name, please?']);
  });
});

describe('tools', () => {
  it('is not acted upon while one runs', () => play([...READ_BACK, ['yes', /<book/], ['hello', /^$/]]));

  it('asks for another time when the time is taken', () => {
    play([
      ...READ_BACK,
      ['yes', /<book/],
      [
        '<result {"ok":false,"reason":"That time is taken already.","ask":"time"}>',
        /^I am sorry\. That time is taken already\. And at what time\?$/,
      ],
      ['at eleven', /at eleven in the morning, for Anna Miller/],
      ['yes', /<book_appointment Anna Miller \| 2026-11-24 \| 11:00>/],
    ]);
  });

  it.each([
    '{"ok":false,"reason":"The book is closed."}',
    '{"ok":false}',
    '{}',
    'null',
    '"no object"',
    '{"ok":false,"ask":"nothing"}',
  ])('apologises after %s', (result) => {
    play([...READ_BACK, ['yes', /<book/], [`<result ${result}>`, /^I am sorry\..*Is there anything else/]]);
  });

  it('ignores a result nobody asked for', () => play([[OK, /^$/]]));
});

describe('keys', () => {
  const account = agentProfileSchema.parse({
    ...clinic,
    tasks: [
      {
        name: 'account',
        phrases: ['my account'],
        slots: [{ name: 'number', kind: 'digits', ask: 'Which number?', ask_again: 'Number?' }],
        confirm: 'Number {number}?',
        done: 'Thank you, {number}.',
      },
    ],
  });

  it('fill a number, which # ends', () => {
    play(
      [
        ['my account', /Which number/],
        ['<key #>', /^$/],
        ['<key 4>', /^$/],
        ['<key 2>', /^$/],
        ['<key *>', /^$/],
        ['<key #>', /^Number four two\?$/],
        ['<key 5>', /^$/],
        ['<key 1>', /^Thank you, four two\./],
      ],
      { profile: account },
    );
  });

  it('answer a read-back: 2 is no', () => play([...READ_BACK, ['<key 2>', /What should I change/]]));

  it('mean nothing elsewhere', () => play([['<key 1>', /^$/]]));
});

describe('what the recogniser may expect', () => {
  let dialog: Dialog;
  beforeEach(() => (dialog = new Dialog({ profile: clinic, now })));

  it('follows the conversation', () => {
    const steps: [string, string][] = [
      ['an appointment', 'answer-book-name'],
      ['Anna Miller', 'answer-book-day'],
      ['tomorrow', 'answer-book-time'],
      ['at ten', 'confirm-book'],
      ['yes', 'open'],
    ];
    expect(dialog.expecting).toBe('open');
    const known = phrasebookOf(clinic);
    for (const [caller, expecting] of steps) {
      dialog.heard(caller);
      expect(dialog.expecting).toBe(expecting);
      expect(known.has(expecting)).toBe(true);
    }
    dialog.toolResult({ ok: true });
    expect(dialog.expecting).toBe('closing');
  });
});

describe('Intent', () => {
  const intent = new Intent(clinic);

  it('recognises every sample phrase of every task', () => {
    for (const task of clinic.tasks) {
      for (const phrase of task.phrases) {
        const said = wordsOf(phrase.replace(/\{[a-z_]+\}/g, ''));
        expect(intent.taskOf(said)?.name, phrase).toBe(task.name);
      }
    }
  });

  it.each(['the weather is nice', 'ten', 'anna miller', 'yes'])('sees no wish in "%s"', (text) => {
    expect(intent.taskOf(wordsOf(text))).toBeNull();
  });
});
