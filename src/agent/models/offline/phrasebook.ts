/**
 * Every way of speaking that a profile expects: sample sentences that teach the recogniser's language model.
 * Sampling is seeded, so one profile gives one model.
 */
import { TrunklineError } from '../../../base/errors.ts';
import type { AgentProfile, Slot, Task } from '../../profile.ts';
import { MONTHS, WEEKDAYS } from './day.ts';
import { sayOrdinal, wordsOf } from './words.ts';

/** A rule has alternatives; `{name}` in an alternative stands for any alternative of that rule. */
type Grammar = Map<string, readonly string[]>;

/** Sentences sampled of each kind: enough that every bigram of the rules is met. */
const SAMPLES = { perPhrase: 90, perAnswer: 120, perCorrection: 60, dayAndTime: 1500 };
/** Rules nest no deeper; more is a rule that names itself. */
const DEPTH_MAX = 12;

const HOURS = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');

const FIXED: Record<string, readonly string[]> = {
  hour: HOURS,
  // Quarters of an hour are what callers want.
  minute: [
    ...['fifteen', 'fifteen', 'fifteen', 'thirty', 'thirty', 'thirty', 'forty five', 'forty five'],
    ...['ten', 'twenty', 'forty', 'fifty', 'oh five'],
  ],
  daypart: ['in the morning', 'in the afternoon', 'in the evening', 'a m', 'p m'],
  time: [
    ...['{hour}', '{hour}', '{hour}', '{hour} {minute}', '{hour} {minute}', "{hour} o'clock"],
    ...['half past {hour}', 'quarter past {hour}', 'quarter to {hour}', 'a quarter past {hour}', 'noon'],
    ...['{hour} {daypart}', '{hour} {minute} {daypart}', 'half past {hour} {daypart}', 'ten past {hour}'],
    ...["{hour} o'clock {daypart}", 'twenty to {hour}', 'a quarter to {hour}'],
  ],
  weekday: WEEKDAYS,
  month: MONTHS,
  ordinal: Array.from({ length: 31 }, (_, index) => sayOrdinal(index + 1).replace('-', ' ')),
  day: [
    ...['today', 'tomorrow', 'tomorrow', 'tomorrow', 'the day after tomorrow', 'tomorrow morning'],
    ...['tomorrow afternoon', '{weekday}', '{weekday}', '{weekday}', 'next {weekday}', 'this {weekday}'],
    ...['{weekday} morning', '{weekday} afternoon', 'the {ordinal}', '{weekday} the {ordinal}'],
    ...['{month} {ordinal}', '{month} the {ordinal}', 'the {ordinal} of {month}'],
  ],
  person: ['{first_name} {last_name}', '{first_name} {last_name}', '{first_name}', '{last_name}'],
  yes_no: ['yes', 'no', 'yes please', 'no thank you', 'sure', 'okay', 'of course', 'no thanks'],
  digit: 'zero one two three four five six seven eight nine oh'.split(' '),
  digits: ['{digit} {digit}', '{digit} {digits}', '{digit} {digit} {digits}'],
  opening: ['hello', 'hi', 'good morning', 'good afternoon', 'um', 'well', 'yes', 'okay', 'yes hello', 'so'],
};

/** What callers put around a slot's value when they are asked for it. `{}` is the value. */
const ANSWERS: Record<Slot['kind'], readonly string[]> = {
  day: [
    ...['{}', '{}', '{}', 'on {}', '{} please', 'on {} please', 'how about {}', 'maybe {}', 'can i come {}'],
    ...['{} would be good', '{} would be great', '{} is fine', '{} is good', '{} if possible', '{} works'],
    ...['do you have anything on {}', 'i would like {}', 'i can come on {}', 'make it {}', 'for {}'],
  ],
  time: [
    ...['{}', '{}', '{}', 'at {}', 'at {}', '{} please', 'at {} please', 'around {}', 'how about {}'],
    ...['{} would be good', '{} would be great', '{} is fine', '{} is good', 'at {} if possible', 'maybe {}'],
    ...['can i come at {}', 'make it {}', 'i would like {}', 'is {} possible', 'about {}', 'after {}'],
  ],
  person: [
    ...['{}', '{}', '{}', 'my name is {}', 'my name is {}', 'this is {}', 'it is {}', "it's {}", 'i am {}'],
    ...["i'm {}", 'for {}', 'the name is {}', '{} please', 'yes my name is {}', 'it is for {}', 'sure {}'],
  ],
  choice: ['{}', '{}', '{} please', 'i would like {}', 'the {}', 'i want {}', 'maybe {}'],
  yes_no: ['{}'],
  digits: ['{}', 'it is {}', 'my number is {}', 'the number is {}'],
};

/** Slots that are put behind a wish: "I would like an appointment {tomorrow} {at ten}". */
const TAILS: Record<Slot['kind'], readonly string[]> = {
  day: ['{}', 'on {}', 'for {}'],
  time: ['at {}', 'at {}', 'around {}', 'for {}'],
  person: ['my name is {}', 'this is {}', 'for {}', 'and my name is {}'],
  choice: ['for {}', '{}', 'with {}'],
  yes_no: [],
  digits: [],
};

const CONFIRMATIONS = [
  ...['yes', 'yes', 'yes', 'yes please', 'yes that is right', 'yes that is correct', 'that is right'],
  ...["yes that's right", "that's right", 'correct', 'that is correct', "that's correct", 'right', 'sure'],
  ...['okay', 'perfect', 'yes it is', 'yes perfect', 'no', 'no', 'no that is wrong', 'that is wrong'],
  ...['no that is not right', "no that's not right", 'that is not correct', 'no it is not', 'no sorry'],
];
const CORRECTIONS = [
  ...['no {}', 'no {}', 'no {} please', 'no i said {}', 'no make it {}', 'no i want {}', 'actually {}'],
  ...['can we make it {}', 'can you make it {}', 'can you change it to {}', 'no not {}', '{} instead'],
  ...['sorry {}', '{} would be better', 'no it is {}', 'i meant {}'],
];
const COURTESIES = [
  ...['hello', 'hi', 'good morning', 'good afternoon', 'thank you', 'thanks', 'no thank you', 'no thanks'],
  ...['thank you very much', 'no that is all', "no that's all", "that's all thank you", 'that is all'],
  ...['no that is everything', 'nothing else', 'no nothing else thank you', 'bye', 'goodbye', 'bye bye'],
  ...['thank you goodbye', 'no thank you goodbye', 'thanks bye', 'sorry', 'pardon', 'what', 'wait'],
  ...['can you repeat that', 'can you say that again please', 'could you repeat that please', 'please'],
  ...['what did you say', 'sorry what did you say', 'say that again', 'hold on', 'one moment please'],
  ...['yes please', 'yes', 'no', 'okay', 'okay thank you', 'great thank you', 'hello are you there'],
  ...['yes i have another question', 'i have another question', 'yes one more thing', 'are you there'],
];

/** A small reproducible generator (Park and Miller's minimal standard). */
function seeded(): () => number {
  let state = 20_261_123;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

class Sampler {
  readonly #random = seeded();
  readonly #grammar: Grammar;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  pick(list: readonly string[]): string {
    return list[Math.floor(this.#random() * list.length)] ?? '';
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  /** Replaces every `{rule}` by one of its alternatives. An unknown rule or an empty one is refused. */
  expand(template: string, depth = 0): string {
    if (depth > DEPTH_MAX) return '';
    return template.replace(/\{([a-z0-9_.]+)\}/g, (_, name: string) => {
      const rule = this.#grammar.get(name);
      if (rule === undefined)
        throw new TrunklineError('PROFILE_UNSPEAKABLE', `phrase "${template}" names no slot {${name}}`);
      if (rule.length === 0)
        throw new TrunklineError('PROFILE_UNSPEAKABLE', `vocabulary.${name}s is empty, but a slot needs it`);
      return this.expand(this.pick(rule), depth + 1);
    });
  }

  sentence(template: string): string {
    return wordsOf(this.expand(template)).join(' ');
  }
}

/** The rule that stands for a slot's value. */
function ruleOf(task: Task, slot: Slot): string {
  return slot.kind === 'choice' ? `${task.name}.${slot.name}` : slot.kind;
}

function grammarOf(profile: AgentProfile): Grammar {
  const grammar: Grammar = new Map(Object.entries(FIXED));
  grammar.set('first_name', profile.vocabulary.first_names);
  grammar.set('last_name', profile.vocabulary.last_names);
  for (const task of profile.tasks) {
    for (const slot of task.slots) {
      if (slot.kind === 'choice') {
        const says = slot.choices.flatMap((choice) => choice.say);
        grammar.set(ruleOf(task, slot), says);
      }
    }
  }
  return grammar;
}

/** `{slot}` in a task's phrase becomes the rule of that slot's kind. */
function phraseTemplate(task: Task, phrase: string): string {
  return phrase.replace(/\{([a-z0-9_]+)\}/g, (whole, name: string) => {
    const slot = task.slots.find((one) => one.name === name);
    return slot ? `{${ruleOf(task, slot)}}` : whole;
  });
}

/** Sentences of one kind, by the name of the kind: "wish.book", "answer.book.day", "yes-no". */
type Groups = Map<string, string[]>;

/** "Can I come in {day}" is also said with "on", before a weekday. */
const BARE_DAY = /(?<=[a-z] )(?<!\b(?:on|for|is|this|next|from|until) )\{day\}/;

function wishes(sampler: Sampler, task: Task): string[] {
  const sentences: string[] = [];
  for (const phrase of task.phrases) {
    const template = phraseTemplate(task, phrase);
    for (let count = 0; count < SAMPLES.perPhrase; count += 1) {
      const opening = sampler.chance(0.3) ? '{opening} ' : '';
      let tail = sampler.chance(0.15) ? ' please' : '';
      if (!template.includes('{')) {
        for (const slot of task.slots) {
          const fitting = TAILS[slot.kind];
          if (fitting.length > 0 && sampler.chance(0.35))
            tail += ` ${sampler.pick(fitting).replace('{}', `{${ruleOf(task, slot)}}`)}`;
        }
      }
      const dated = sampler.chance(0.4) ? template.replace(BARE_DAY, 'on {weekday}') : template;
      sentences.push(sampler.sentence(`${opening}${dated}${tail}`));
    }
  }
  return sentences;
}

function answers(sampler: Sampler, task: Task, slot: Slot, profile: AgentProfile): string[] {
  const value = `{${ruleOf(task, slot)}}`;
  const sentences: string[] = [];
  for (const answer of ANSWERS[slot.kind]) {
    for (let count = 0; count < SAMPLES.perAnswer; count += 1) {
      const opening = sampler.chance(0.1) ? '{opening} ' : '';
      sentences.push(sampler.sentence(`${opening}${answer.replace('{}', value)}`));
    }
  }
  if (slot.kind !== 'person') return sentences;
  const { first_names: firstNames, last_names: lastNames } = profile.vocabulary;
  for (const first of firstNames) {
    // Every pair once: otherwise a name that the samples missed would be all but unsayable.
    for (const last of lastNames) {
      const lead = sampler.pick(['my name is ', 'this is ', '', '']);
      sentences.push(sampler.sentence(`${lead}${first} ${last}`));
    }
  }
  return sentences;
}

function corrections(sampler: Sampler, task: Task): string[] {
  const lead = { day: 'on ', time: 'at ', person: 'my name is ', choice: '', yes_no: '', digits: '' };
  const sentences: string[] = [];
  for (const slot of task.slots) {
    const value = `{${ruleOf(task, slot)}}`;
    for (const correction of CORRECTIONS) {
      for (let count = 0; count < SAMPLES.perCorrection; count += 1) {
        const filled = sampler.chance(0.5) ? `${lead[slot.kind]}${value}` : value;
        sentences.push(sampler.sentence(correction.replace('{}', filled)));
      }
    }
    const named = slot.name.replace(/_/g, ' ');
    for (let count = 0; count < SAMPLES.perCorrection; count += 1) {
      const phrase = sampler.pick(['the {}', 'the {} is wrong', 'change the {}', 'no the {} is wrong']);
      sentences.push(sampler.sentence(phrase.replace('{}', named)));
    }
  }
  return sentences;
}

/** Day and time together, for tasks that want both. */
function dayAndTime(sampler: Sampler, task: Task): string[] {
  const kinds = task.slots.map((slot) => slot.kind);
  if (!kinds.includes('day') || !kinds.includes('time')) return [];
  const forms = ['{day} at {time}', '{day} at {time}', 'on {day} at {time}', 'at {time} on {day}'];
  return Array.from({ length: SAMPLES.dayAndTime }, () => sampler.sentence(sampler.pick(forms)));
}

function groupsOf(profile: AgentProfile): Groups {
  const sampler = new Sampler(grammarOf(profile));
  const groups: Groups = new Map();
  for (const task of profile.tasks) {
    groups.set(`wish.${task.name}`, wishes(sampler, task));
    for (const slot of task.slots)
      groups.set(`answer.${task.name}.${slot.name}`, answers(sampler, task, slot, profile));
    groups.set(`correction.${task.name}`, corrections(sampler, task));
    groups.set(`both.${task.name}`, dayAndTime(sampler, task));
  }
  groups.set('yes-no', CONFIRMATIONS);
  groups.set('courtesy', [...COURTESIES, ...profile.vocabulary.phrases.map((one) => sampler.sentence(one))]);
  return groups;
}

/** Shares of the groups, by the beginning of their names, in the model of one expectation. */
type Mixture = readonly (readonly [group: string, share: number])[];

const OPEN: Mixture = [
  ['wish.', 0.76],
  ['both.', 0.06],
  ['answer.', 0.06],
  ['courtesy', 0.12],
];
const CLOSING: Mixture = [
  ['courtesy', 0.45],
  ['wish.', 0.4],
  ['yes-no', 0.07],
  ['both.', 0.04],
  ['answer.', 0.04],
];

function asking(task: string, slot: string): Mixture {
  return [
    [`answer.${task}.${slot}`, 0.64],
    [`answer.${task}.`, 0.08],
    [`both.${task}`, 0.06],
    [`correction.${task}`, 0.04],
    ['wish.', 0.1],
    ['courtesy', 0.04],
    ['yes-no', 0.04],
  ];
}

function confirming(task: string): Mixture {
  return [
    ['yes-no', 0.46],
    [`correction.${task}`, 0.34],
    [`answer.${task}.`, 0.08],
    ['wish.', 0.06],
    ['courtesy', 0.06],
  ];
}

/** Sentences in the model of one expectation. */
const SENTENCES_PER_MODEL = 9000;

/** `count` sentences of a group: evenly thinned out when it has more, repeated when it has fewer. */
function portion(group: readonly string[], count: number): string[] {
  if (group.length === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const at = group.length > count ? Math.floor((index * group.length) / count) : index % group.length;
    return group[at] ?? '';
  });
}

function mixed(groups: Groups, mixture: Mixture): string[] {
  return mixture.flatMap(([prefix, share]) => {
    const sentences = [...groups].filter(([name]) => name.startsWith(prefix)).flatMap(([, group]) => group);
    return portion(sentences, Math.round(share * SENTENCES_PER_MODEL));
  });
}

/** What the recogniser may expect next: anything, an answer to a question, a yes or no, or the end. */
export const EXPECT_OPEN = 'open';
export const EXPECT_CLOSING = 'closing';
export const expectAnswer = (task: string, slot: string): string => `answer-${task}-${slot}`;

/**
 * What answers a slot's question. A name or a day is said alike in every task: the first slot of its kind
 * stands for all, because each model takes time to make.
 */
export function answerExpected(profile: AgentProfile, task: Task, slot: Slot): string {
  if (slot.kind === 'choice') return expectAnswer(task.name, slot.name);
  for (const other of profile.tasks) {
    const same = other.slots.find((one) => one.kind === slot.kind);
    if (same) return expectAnswer(other.name, same.name);
  }
  return expectAnswer(task.name, slot.name);
}

export const expectConfirmation = (task: string): string => `confirm-${task}`;

/**
 * Sample sentences for every expectation of a profile, by its name; words are separated by blanks.
 * Every group is in every model, so a caller may always say something else; it is only less likely.
 */
export function phrasebookOf(profile: AgentProfile): Map<string, string[]> {
  const groups = groupsOf(profile);
  const book = new Map([
    [EXPECT_OPEN, mixed(groups, OPEN)],
    [EXPECT_CLOSING, mixed(groups, CLOSING)],
  ]);
  for (const task of profile.tasks) {
    for (const slot of task.slots) {
      const expectation = answerExpected(profile, task, slot);
      if (expectation === expectAnswer(task.name, slot.name))
        book.set(expectation, mixed(groups, asking(task.name, slot.name)));
    }
    if (task.confirm !== '') book.set(expectConfirmation(task.name), mixed(groups, confirming(task.name)));
  }
  return book;
}
