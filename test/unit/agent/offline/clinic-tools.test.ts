/** Calls to the shipped receptionist that use more than one tool. */
import { describe, expect, it } from 'vitest';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { clinic, play, type Script } from './dialog-script.ts';

const OTHER = /Is there anything else I can do for you\?$/;
const KEYS = '6 | 15 | # | 15 | 4 | false';
const result = (fields: object): string => `<result ${JSON.stringify(fields)}>`;
const text = (words: string): RegExp => new RegExp(`^${words.replace(/[|?.*+()]/g, String.raw`\$&`)}$`);

const BOOKED: Script = [
  ['an appointment tomorrow at ten', /May I have your name/],
  ['anna miller', /Is that right\?$/],
  ['yes', /^<book_appointment Anna Miller/],
  [result({ ok: true, confirmation: 'AB123', day: '2026-11-24', time: '10:00', name: 'Anna Miller' }), OTHER],
];
const SMS =
  '<send_sms Harbour Clinic: Anna Miller, Tuesday the twenty-fourth of November at ten in the morning. ' +
  'Your confirmation is AB123.>';

const calls: Record<string, Script> = {
  'what is free, and then that': [
    ['what times are free tomorrow', text('<find_slots 2026-11-24>')],
    [
      result({ ok: true, day: '2026-11-24', say: 'On Tuesday I have eight and nine.' }),
      /^On Tuesday I have eight and nine\. Is there anything else/,
    ],
    ['yes book me in for tomorrow at nine please', /May I have your name/],
  ],
  'what is free, without a day': [
    ['what is the next free time', /^For which day\?$/],
    ['friday', text('<find_slots 2026-11-27>')],
    [
      result({ ok: false, reason: 'That day is past already.', ask: 'day' }),
      /^I am sorry\. That day is past/,
    ],
    ['monday', text('<find_slots 2026-11-30>')],
  ],
  'a confirmation by text': [
    ...BOOKED,
    ['could you text me the confirmation', text(SMS)],
    [result({ ok: true, id: 'sms_1', to: '+15550199' }), /^I have sent you a text message\. Is there/],
    ['no thank you', /<hang up: goodbye>$/],
  ],
  'a confirmation by text before there is one': [
    ['text me the confirmation', /^You have no appointment yet\. I can make one for you\. Is there/],
    ['yes an appointment please', /May I have your name/],
  ],
  'a number that the tool asks for, keyed in': [
    ...BOOKED,
    ['text me the confirmation', text(SMS)],
    [
      result({ ok: false, reason: 'I do not have your number.', ask: 'to' }),
      text(
        'I am sorry. I do not have your number. Please say or key in your mobile number, and then the hash ' +
          `key. <collect_digits ${KEYS}>`,
      ),
    ],
    ['five five five zero one two three', /^$/],
    ['', /^$/],
    ['where are you', /^We are at twelve Harbour Street/],
    ['xyzzy', /^Sorry, what is your mobile number\?$/],
    [result({ ok: true, digits: '5550123' }), /^<send_sms 5550123 \| Harbour Clinic: Anna Miller/],
    [result({ ok: true }), /^I have sent you/],
  ],
  'a number that does not come': [
    ...BOOKED,
    ['text me the confirmation', text(SMS)],
    [result({ ok: false, reason: 'I do not have your number.', ask: 'to' }), /<collect_digits/],
    [
      result({ ok: false, reason: 'I did not get any digits.', ask: 'digits' }),
      /^I did not get any digits\. Please say or key in .* <collect_digits/,
    ],
    ['never mind goodbye', /Goodbye\. <hang up: goodbye>$/],
    [result({ ok: true, digits: '5550123' }), /^$/],
  ],
  'nobody who keys in nothing is asked for ever': [
    ...BOOKED,
    ['text me the confirmation', text(SMS)],
    [result({ ok: false, ask: 'to' }), /<collect_digits/],
    [result({ ok: false }), /<collect_digits/],
    [result({ ok: false }), /<collect_digits/],
    [result({ ok: false }), /<collect_digits/],
    [result({ ok: false }), /<hang up: not-understood>$/],
  ],
  'a message': [
    ['can i leave a message', /^Who is the message from\?$/],
    ['emily wilson', /^Is it about a prescription/],
    ['it is about my test results', /^A message from Emily Wilson, about test results\. Is that right\?$/],
    ['no it is about a bill', /^A message from Emily Wilson, about a bill\. Is that right\?$/],
    ['yes', text('<take_message Emily Wilson | A bill>')],
    [result({ ok: true, id: 'message_1' }), /^Thank you\. Somebody will call you back\. Is there/],
  ],
  'a wish in the middle of another': [
    ['take a message', /^Who is the message from\?$/],
    ['what times are free tomorrow', text('<find_slots 2026-11-24>')],
  ],
};

describe('the receptionist', () => {
  it.each(Object.entries(calls))('deals with %s', (_, script) => {
    play(script);
  });

  it('still takes a day and a time for an appointment', () => {
    play([['tomorrow at ten', /May I have your name/]]);
    play([['tomorrow', /May I have your name/]]);
  });
});

describe('a task with a secret', () => {
  const secret = agentProfileSchema.parse({
    ...clinic,
    tasks: [
      {
        name: 'balance',
        phrases: ['what is my balance'],
        slots: [
          {
            name: 'pin',
            kind: 'digits',
            ask: 'Please key in your PIN.',
            ask_again: 'Your PIN, please.',
            keys: { min_digits: 4, max_digits: 4, secret: true },
          },
        ],
        arguments: { account: 'main' },
        confirm: 'I got {pin}. Shall I go on?',
        tool: 'balance',
        done: 'You have {amount}.',
      },
      {
        name: 'repeat',
        phrases: ['read my secret'],
        arguments: { text: '{pin}' },
        missing: 'I do not keep it.',
        tool: 'send_sms',
        done: 'Done.',
      },
    ],
  });

  it('never says it, and forgets it', () => {
    play(
      [
        ['what is my balance', text('Please key in your PIN. <collect_digits 4 | 4 | # | 15 | 4 | true>')],
        [result({ ok: true, digits: '4711' }), /^I got four digits\. Shall I go on\?$/],
        ['yes', text('<balance 4711 | main>')],
        [result({ ok: true, amount: 'nine pounds' }), /^You have nine pounds\./],
        ['read my secret', /^I do not keep it\./],
      ],
      { profile: secret },
    );
  });

  it.each([
    [{ kind: 'day', keys: {} }, 'only a slot of kind digits has keys'],
    [{ kind: 'digits', keys: { min_digits: 5, max_digits: 4 } }, 'must not be above max_digits'],
    [{ kind: 'digits', keys: { terminator: '0' } }, 'Invalid option'],
    [{ kind: 'digits', optional: 'yes' }, 'expected boolean'],
  ])('is refused when its slot is %j', (over, problem) => {
    const slot = { name: 'pin', ask: 'PIN?', ask_again: 'PIN?', ...over };
    const tasks = [{ name: 'a', phrases: ['a'], slots: [slot], done: 'Done.' }];
    const parsed = agentProfileSchema.safeParse({ ...clinic, tasks });
    expect(parsed.error?.message).toContain(problem);
  });
});
