/** The dialog under callers who say anything at all: seeded, so that a failure can be repeated. */
import { describe, expect, it } from 'vitest';
import { Dialog, type DialogAction } from '../../../../src/agent/models/offline/dialog.ts';
import { phrasebookOf } from '../../../../src/agent/models/offline/phrasebook.ts';
import { saySlot } from '../../../../src/agent/models/offline/slots.ts';
import { agentProfileSchema, type AgentProfile } from '../../../../src/agent/profile.ts';
import { SeededRandom } from '../../../support/random.ts';
import { clinic, now } from './dialog-script.ts';

/** Every kind of slot, tasks with and without a read-back, with and without a tool. */
const hotel = agentProfileSchema.parse({
  ...clinic,
  name: 'hotel',
  tasks: [
    {
      name: 'room',
      phrases: ['I want a room', 'book a {size}'],
      slots: [
        { name: 'night', kind: 'day', ask: 'Which night?', ask_again: 'Which night, please?' },
        {
          name: 'size',
          kind: 'choice',
          ask: 'Single or double?',
          ask_again: 'Which size?',
          choices: [
            { say: ['single room', 'single'], value: '1' },
            { say: ['double room', 'double'], value: '2' },
          ],
        },
        { name: 'breakfast', kind: 'yes_no', ask: 'With breakfast?', ask_again: 'Breakfast?' },
        { name: 'phone', kind: 'digits', ask: 'Your number?', ask_again: 'Which number?' },
      ],
      confirm: 'A {size} {night}, breakfast {breakfast}, number {phone}?',
      tool: 'room',
      done: 'The key is {key}.',
      failed: 'No room.',
    },
    {
      name: 'wake',
      phrases: ['wake me up at {time}', 'a wake up call'],
      slots: [{ name: 'time', kind: 'time', ask: 'When?', ask_again: 'At what time?' }],
      tool: 'wake',
      done: 'At {time}.',
    },
    { name: 'pool', phrases: ['is there a swimming pool'], done: 'On the roof.' },
    { name: 'leave', phrases: ['check out please'], tool: 'check_out', done: 'Bye.', ends_call: true },
    { name: 'bye', phrases: ['bye'], done: 'Good night.', ends_call: true },
  ],
});

/** What a value handed to a tool must look like. */
const VALUES: Record<string, RegExp> = {
  day: /^\d{4}-\d\d-\d\d$/,
  time: /^([01]\d|2[0-3]):[0-5]\d$/,
  person: /^[A-Z][a-z']*( [A-Z][a-z']*)?$/,
  choice: /^([12]|A prescription|Test results|A bill|Something else)$/,
  yes_no: /^(yes|no)$/,
  digits: /^\d{1,32}$/,
};

const KEYS = '0123456789*#'.split('');
const RESULTS: unknown[] = [
  ...[
    { ok: true, key: 7 },
    { ok: false, reason: 'It is taken.', ask: 'time' },
    { ok: false, ask: 'night' },
  ],
  ...[{ ok: false, reason: 'Closed.', ask: 'nothing' }, null, 'no result', 7, [], { ok: 'true' }],
];

/** A caller: sentences of the phrasebook, salads of its words, scraps of anything, and silence. */
class Caller {
  readonly #random: SeededRandom;
  readonly #sentences: readonly string[];
  readonly #words: readonly string[];

  constructor(random: SeededRandom, book: ReadonlyMap<string, readonly string[]>) {
    this.#random = random;
    this.#sentences = [...new Set([...book.values()].flat())];
    this.#words = [...new Set(this.#sentences.flatMap((sentence) => sentence.split(' ')))];
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)] as T;
  }

  says(): string {
    const kind = this.#random.next();
    if (kind < 0.25) return this.#pick(['yes', 'no', 'yes please', 'no thank you']);
    if (kind < 0.75) return this.#pick(this.#sentences);
    if (kind < 0.92)
      return Array.from({ length: this.#random.below(12) }, () => this.#pick(this.#words)).join(' ');
    return kind < 0.96 ? this.#random.bytes(this.#random.below(400)).toString('latin1') : '';
  }

  /** Words most of the time; otherwise a key or a tool's answer, wanted or not. */
  acts(dialog: Dialog): { said: boolean; actions: DialogAction[] } {
    if (dialog.phase === 'running' && this.#random.chance(0.6))
      return { said: false, actions: dialog.toolResult(this.#pick(RESULTS)) };
    if (this.#random.chance(0.1)) return { said: false, actions: dialog.digit(this.#pick(KEYS)) };
    if (this.#random.chance(0.02)) return { said: false, actions: dialog.toolResult(this.#pick(RESULTS)) };
    return { said: true, actions: dialog.heard(this.says()) };
  }
}

/** A call under observation: what has to hold after every step. */
class Watched {
  readonly dialog: Dialog;
  readonly #profile: AgentProfile;
  readonly #expectations: ReadonlySet<string>;
  #lastReadBack = '';

  constructor(profile: AgentProfile, expectations: ReadonlySet<string>) {
    this.#profile = profile;
    this.#expectations = expectations;
    this.dialog = new Dialog({ profile, now });
  }

  step(caller: Caller): DialogAction[] {
    const before = this.dialog.phase;
    const { said, actions } = caller.acts(this.dialog);
    // Digits that are said while keys are awaited are the tool's.
    const mayBeSilent = ['running', 'ended', 'keying'].includes(before);
    if (said && !mayBeSilent) expect(actions).not.toEqual([]);
    expect(actions.length).toBeLessThanOrEqual(2);
    for (const action of actions) this.#check(action, before);
    expect(this.#expectations).toContain(this.dialog.expecting);
    if (before === 'ended') expect(actions).toEqual([]);
    const ends = actions.some((action) => action.type === 'hang_up');
    expect(this.dialog.phase === 'ended').toBe(ends || before === 'ended');
    if (ends) expect(actions.map((action) => action.type)).toEqual(['say', 'hang_up']);
    return actions;
  }

  #check(action: DialogAction, before: string): void {
    if (action.type === 'say') {
      expect(action.text).toMatch(/^\S.*\S$/);
      expect(action.text).not.toMatch(/[{}]|undefined|null|NaN| {2}/);
      if (action.text.endsWith('?') && action.text !== this.#profile.correction)
        this.#lastReadBack = action.text;
    }
    if (action.type === 'tool') this.#checkTool(action, before);
  }

  #checkTool(action: Extract<DialogAction, { type: 'tool' }>, before: string): void {
    expect(before).not.toBe('running');
    if (action.name === 'collect_digits') {
      expect(this.dialog.phase).toBe('keying');
      expect(action.arguments).toMatchObject({ min_digits: 6, max_digits: 15, terminator: '#' });
      return;
    }
    expect(this.dialog.phase).toBe('running');
    const task = this.#profile.tasks.find((one) => one.tool === action.name);
    expect(task, action.name).toBeDefined();
    if (!task) return;
    const needed = task.slots.filter((slot) => !slot.optional);
    const given = Object.keys(action.arguments);
    expect(given).toEqual(
      expect.arrayContaining([...needed.map((slot) => slot.name), ...Object.keys(task.arguments)]),
    );
    const allowed = [...task.slots.map((slot) => slot.name), ...Object.keys(task.arguments)];
    expect(given.filter((name) => !allowed.includes(name))).toEqual([]);
    for (const slot of task.slots) {
      const value = action.arguments[slot.name];
      if (value !== undefined || !slot.optional) expect(value).toMatch(VALUES[slot.kind] ?? /^$/);
    }
    for (const name of Object.keys(task.arguments)) expect(action.arguments[name]).not.toMatch(/[{}]/);
    if (task.confirm === '') return;
    // Only what was read back, word for word, is done.
    expect(before).toBe('confirming');
    const filled = task.confirm.replace(/\{([a-z_]+)\}/g, (_, name: string) => {
      const slot = task.slots.find((one) => one.name === name);
      return slot ? saySlot(slot, (action.arguments[name] ?? '') as string) : '';
    });
    expect(this.#lastReadBack.endsWith(filled), `${this.#lastReadBack} / ${filled}`).toBe(true);
  }
}

const STEPS = 5000;
/** Longest call: callers who are never understood twice running could go on for ever. */
const CALL_STEPS_MAX = 60;

describe('callers who say anything', () => {
  it.each([
    ['the clinic', clinic],
    ['the hotel', hotel],
  ])('get an answer from %s, and never more done than they agreed to', (_, profile) => {
    const book = phrasebookOf(profile);
    const caller = new Caller(new SeededRandom(20_261_123), book);
    const met = { say: 0, tool: 0, hang_up: 0 };
    for (let steps = 0; steps < STEPS;) {
      const call = new Watched(profile, new Set(book.keys()));
      for (let step = 0; step < CALL_STEPS_MAX; step += 1, steps += 1) {
        for (const action of call.step(caller)) met[action.type] += 1;
        if (call.dialog.phase === 'ended') break;
      }
      call.step(caller);
    }
    // The walk is worth something only when it came everywhere.
    expect(met.say).toBeGreaterThan(STEPS / 2);
    expect(met.tool).toBeGreaterThan(20);
    expect(met.hang_up).toBeGreaterThan(20);
  });

  it.each([1, 2, 3, 10])('are given up after %i misunderstandings in a row, wherever they are', (most) => {
    const patient = { ...clinic, turns: { ...clinic.turns, misunderstood_max: most } };
    for (const lead of [[], ['an appointment'], ['an appointment tomorrow at ten', 'anna miller']]) {
      const dialog = new Dialog({ profile: patient, now });
      for (const words of lead) dialog.heard(words);
      for (let miss = 1; miss <= most; miss += 1) {
        expect(dialog.heard(miss % 2 === 0 ? '' : 'xyzzy plugh')).toMatchObject([{ type: 'say' }]);
        expect(dialog.phase).not.toBe('ended');
      }
      expect(dialog.heard('')).toMatchObject([{ type: 'say' }, { reason: 'not-understood' }]);
    }
  });
});

/** What the recogniser is taught to hear, the dialog has to understand. */
describe('what callers are expected to say', () => {
  const book = phrasebookOf(clinic);
  /** Share of the sentences that answer the question itself; they come first. */
  const taught = (expectation: string, share: number, every: number): string[] => {
    const sentences = book.get(expectation) ?? [];
    const direct = new Set(sentences.slice(0, sentences.length * share));
    return [...direct].filter((_, index) => index % every === 0);
  };
  const misunderstood = (lead: readonly string[], sentences: readonly string[]): string[] =>
    sentences.filter((sentence) => {
      const dialog = new Dialog({ profile: clinic, now });
      for (const words of lead) dialog.heard(words);
      const before = dialog.expecting;
      dialog.heard(sentence);
      // Whoever wants a person is being connected by now.
      return dialog.expecting === before && dialog.phase !== 'running';
    });

  it('is understood as a wish', () => {
    const sentences = taught('open', 0.76, 4);
    expect(sentences.length).toBeGreaterThan(400);
    expect(misunderstood([], sentences)).toEqual([]);
  });

  it.each([
    ['answer-book-name', ['an appointment'], 20],
    ['answer-book-time', ['an appointment', 'anna miller', 'tomorrow'], 5],
  ])('is understood as %s', (expectation, lead, every) => {
    const sentences = taught(expectation, 0.64, every);
    expect(sentences.length).toBeGreaterThan(200);
    expect(misunderstood(lead, sentences)).toEqual([]);
  });

  it('is understood as a day, where there is such a day', () => {
    const sentences = taught('answer-book-day', 0.64, 3);
    expect(sentences.length).toBeGreaterThan(200);
    const failed = misunderstood(['an appointment', 'anna miller'], sentences);
    const impossible = /thirty first|(february.* thirtieth|thirtieth of february)/;
    expect(failed.filter((sentence) => !impossible.test(sentence))).toEqual([]);
  });

  it('changes what was read back, unless it is the same', () => {
    const corrections = taught('confirm-book', 0.8, 3).filter((one) => /one|nine|friday|robert/.test(one));
    expect(corrections.length).toBeGreaterThan(50);
    for (const sentence of corrections) {
      const dialog = new Dialog({ profile: clinic, now });
      for (const words of ['an appointment tomorrow at ten', 'anna miller']) dialog.heard(words);
      const before = dialog.heard('can you repeat that');
      const after = dialog.heard(sentence);
      expect(dialog.phase, sentence).toBe('confirming');
      if (!/\bno one\b/.test(sentence)) expect(after, sentence).not.toEqual(before);
      expect(after, sentence).toMatchObject([{ type: 'say' }]);
    }
  });
});
