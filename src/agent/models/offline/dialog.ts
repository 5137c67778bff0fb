/**
 * The offline voice's mind: text of the caller in, actions out. It knows no sound and no clock but `now`.
 *
 *   open ──task──> asking ──all slots──> confirming ──yes──> running ──result──> closing
 *    ^               ^                      │no                                    │
 *    │               └──────────────────────┘                                      │
 *    └───────────────────────────── another task ──────────────────────────────────┘
 *
 * asking ──digits by the tool──> keying ──its result──> asking, confirming or running
 */
import { COLLECT_DIGITS } from '../../keypad.ts';
import type { AgentProfile, Slot, Task } from '../../profile.ts';
import { isMostlyDigits } from '../../spoken-secrets.ts';
import { Intent } from './intent.ts';
import { EXPECT_CLOSING, EXPECT_OPEN, answerExpected, expectConfirmation } from './phrasebook.ts';
import { readSlots, readYesNo } from './slots.ts';
import { TaskValues } from './task-values.ts';
import { wordsOf } from './words.ts';

export type DialogAction =
  /** `uninterruptible`: a passage that the caller has to hear to its end. */
  | { readonly type: 'say'; readonly text: string; readonly uninterruptible?: boolean }
  | { readonly type: 'tool'; readonly name: string; readonly arguments: Record<string, unknown> }
  | { readonly type: 'hang_up'; readonly reason: string };

type Phase =
  /** Nothing is under way: the caller may want anything. */
  | 'open'
  /** A slot of the task was asked for. */
  | 'asking'
  /** A digits slot was asked for, and the tool collect_digits waits for it. */
  | 'keying'
  /** The slots were read back: yes, no, or a correction is expected. */
  | 'confirming'
  /** A tool works; what the caller says meanwhile is not acted on. */
  | 'running'
  /** "Anything else?" was asked. */
  | 'closing'
  /** Goodbye was said. */
  | 'ended';

/** Longest number that is keyed in, in digits; `#` ends it sooner. */
const KEYED_DIGITS_MAX = 32;

const THANKS = new Set('thank thanks you very much so okay ok great perfect lovely'.split(' '));

const say = (...texts: string[]): DialogAction => ({
  type: 'say',
  text: texts.filter((text) => text !== '').join(' '),
});

/** The last words of a task. */
function lastWords(task: Task, ...texts: string[]): DialogAction {
  const action = { type: 'say', text: texts.filter((text) => text !== '').join(' ') } as const;
  return task.uninterruptible ? { ...action, uninterruptible: true } : action;
}

/** "Sorry?", "can you say that again": the caller did not hear us. */
function asksToRepeat(words: readonly string[]): boolean {
  const said = words.join(' ');
  if (/\b(repeat that|say that again|did you say)\b/.test(said)) return true;
  return words.length === 1 && ['pardon', 'what', 'sorry'].includes(words[0] ?? '');
}

/** "Okay, thank you very much": to "anything else?" that is a no. */
function onlyThanks(words: readonly string[]): boolean {
  const thanked = words.includes('thank') || words.includes('thanks');
  return thanked && words.every((word) => THANKS.has(word));
}

/** Only words answer it. The day in "are you open on Sunday" is then none for an appointment. */
function isQuestion(task: Task): boolean {
  return task.slots.length === 0 && task.tool === '' && !task.ends_call;
}

export class Dialog {
  readonly #profile: AgentProfile;
  readonly #now: () => Date;
  readonly #intent: Intent;
  #phase: Phase = 'open';
  #task: Task | null = null;
  readonly #values = new TaskValues();
  #asked: Slot | null = null;
  #misses = 0;
  #keyed = '';
  #lastSaid = '';

  constructor(options: { profile: AgentProfile; now: () => Date }) {
    this.#profile = options.profile;
    this.#now = options.now;
    this.#intent = new Intent(options.profile);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** What the caller will probably say next: one of the phrasebook's expectations. */
  get expecting(): string {
    if (this.#phase === 'closing' || this.#phase === 'ended') return EXPECT_CLOSING;
    if (this.#task === null) return EXPECT_OPEN;
    const asking = this.#phase === 'asking' || this.#phase === 'keying';
    if (asking && this.#asked) return answerExpected(this.#profile, this.#task, this.#asked);
    return this.#phase === 'confirming' ? expectConfirmation(this.#task.name) : EXPECT_OPEN;
  }

  /** The caller said `text` (empty: it was not understood). */
  heard(text: string): DialogAction[] {
    return this.#remembered(this.#heard(text));
  }

  /** Keeps what is said last, for callers who ask to hear it again. */
  #remembered(actions: DialogAction[]): DialogAction[] {
    for (const action of actions) if (action.type === 'say') this.#lastSaid = action.text;
    return actions;
  }

  #heard(text: string): DialogAction[] {
    const words = wordsOf(text);
    if (this.#phase === 'running' || this.#phase === 'ended') return [];
    // Whoever presses keys makes noises.
    if (words.length === 0) return this.#phase === 'keying' ? [] : this.#misunderstood();
    if (asksToRepeat(words) && this.#lastSaid !== '') return [say(this.#lastSaid)];
    const actions = this.#understand(words);
    if (actions === null) return this.#misunderstood();
    this.#misses = 0;
    return actions;
  }

  #understand(words: readonly string[]): DialogAction[] | null {
    switch (this.#phase) {
      case 'asking':
        return this.#answer(words);
      case 'keying':
        return this.#whileKeying(words);
      case 'confirming':
        return this.#confirmation(words);
      case 'closing':
        return this.#closing(words);
      default:
        return this.#wish(words);
    }
  }

  /** Our ears failed while the caller spoke. */
  troubled(): DialogAction[] {
    return this.#phase === 'ended' ? [] : [say(this.#profile.trouble)];
  }

  /** Something happened that takes a mind to be understood: what was said last is said again. */
  goOn(): DialogAction[] {
    if (this.#phase === 'ended' || this.#phase === 'running') return [];
    return [say(this.#lastSaid === '' ? this.#profile.trouble : this.#lastSaid)];
  }

  /** A key was pressed. Digits fill a `digits` slot; 1 and 2 answer a read-back with yes and no. */
  digit(key: string): DialogAction[] {
    if (this.#phase === 'confirming') {
      if (key === '1') return this.heard('yes');
      return key === '2' ? this.heard('no') : [];
    }
    if (this.#phase !== 'asking' || this.#asked?.kind !== 'digits') return [];
    if (/^\d$/.test(key)) this.#keyed = (this.#keyed + key).slice(0, KEYED_DIGITS_MAX);
    if (key !== '#' || this.#keyed === '') return [];
    this.#values.set(this.#asked.name, this.#keyed);
    this.#misses = 0;
    return this.#next('');
  }

  /**
   * The tool's answer. `{ ok: false, reason, ask }` failed: the reason is said, and the slot that `ask`
   * names is asked for again. Anything that has no `ok: true` counts as failed.
   */
  toolResult(result: unknown): DialogAction[] {
    return this.#remembered(this.#toolResult(result));
  }

  #toolResult(result: unknown): DialogAction[] {
    if (this.#task === null) return [];
    if (this.#phase === 'keying') return this.#keyedIn(result);
    if (this.#phase !== 'running') return [];
    const fields = typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : {};
    const task = this.#task;
    if (fields['ok'] !== true) {
      const reason = typeof fields['reason'] === 'string' ? fields['reason'] : '';
      const again = task.slots.find((slot) => slot.name === fields['ask']);
      if (again) {
        this.#values.askFor(again.name);
        return this.#next([this.#values.filled(task.failed, fields), reason].join(' ').trim());
      }
      return this.#finish(task, this.#values.filled(task.failed, fields), reason);
    }
    const text = this.#values.filled(task.done, fields);
    this.#values.remember(fields);
    return this.#finish(task, text, '');
  }

  /** What collect_digits answered. */
  #keyedIn(result: unknown): DialogAction[] {
    const fields = (typeof result === 'object' && result !== null ? result : {}) as Record<string, unknown>;
    const { ok, digits, reason } = fields;
    if (ok === true && typeof digits === 'string' && this.#asked) {
      this.#values.set(this.#asked.name, digits);
      this.#misses = 0;
      return this.#next('');
    }
    this.#misses += 1;
    if (this.#misses > this.#profile.turns.misunderstood_max) return this.#giveUp();
    return this.#next(typeof reason === 'string' ? reason : '');
  }

  /** Digits that are said go to the tool; a question is answered, and another wish ends the waiting. */
  #whileKeying(words: readonly string[]): DialogAction[] | null {
    if (isMostlyDigits(words.join(' '))) return [];
    const aside = this.#intent.taskOf(words);
    if (aside === null || aside === this.#task) return null;
    return isQuestion(aside) ? [say(this.#values.filled(aside.done))] : this.#begin(aside, words);
  }

  /** The caller spoke after the goodbye, before the line was cut. */
  resume(): void {
    if (this.#phase === 'ended') this.#phase = 'closing';
  }

  #misunderstood(): DialogAction[] {
    this.#misses += 1;
    if (this.#misses > this.#profile.turns.misunderstood_max) return this.#giveUp();
    const phrases = this.#profile.not_understood;
    const sorry = phrases[(this.#misses - 1) % phrases.length] ?? '';
    const asking = this.#phase === 'asking' || this.#phase === 'keying';
    if (asking && this.#asked) return [say(this.#asked.ask_again)];
    if (this.#phase === 'confirming' && this.#task) return [say(sorry, this.#readBack(this.#task))];
    return [say(sorry)];
  }

  #giveUp(): DialogAction[] {
    this.#phase = 'ended';
    return [say(this.#profile.give_up), { type: 'hang_up', reason: 'not-understood' }];
  }

  /** Anything goes: a new task, or slots that only one task wants. */
  #wish(words: readonly string[]): DialogAction[] | null {
    const task = this.#intent.taskOf(words) ?? this.#taskBySlots(words);
    if (task) return this.#begin(task, words);
    return this.#phase === 'closing' ? null : this.#greeted(words);
  }

  /** A bare "hello" or "yes" is an opening, not a wish. */
  #greeted(words: readonly string[]): DialogAction[] | null {
    const opening = words.every((word) =>
      ['hi', 'hello', 'good', 'morning', 'afternoon', 'yes', 'okay'].includes(word),
    );
    return opening ? [say(this.#profile.invite)] : null;
  }

  #taskBySlots(words: readonly string[]): Task | null {
    let best: { task: Task; filled: number } | null = null;
    for (const task of this.#profile.tasks) {
      const filled = task.slots.length === 0 ? 0 : this.#read(task.slots, words, null).size;
      if (filled > (best?.filled ?? 0)) best = { task, filled };
    }
    return best?.task ?? null;
  }

  #read(slots: readonly Slot[], words: readonly string[], asked: string | null): Map<string, string> {
    return readSlots(words, slots, { profile: this.#profile, now: this.#now, asked });
  }

  #begin(task: Task, words: readonly string[]): DialogAction[] {
    this.#task = task;
    this.#values.begin(task, this.#read(task.slots, words, null));
    return this.#next('');
  }

  /** Asks for the next missing slot, or reads back, or does it. `lead` is said first. */
  #next(lead: string): DialogAction[] {
    const task = this.#task;
    if (!task) return [];
    const { missing } = this.#values;
    this.#asked = missing;
    this.#keyed = '';
    if (missing) {
      this.#phase = missing.keys === undefined ? 'asking' : 'keying';
      const asked = say(lead, missing.ask);
      const { keys } = missing;
      return keys === undefined
        ? [asked]
        : [asked, { type: 'tool', name: COLLECT_DIGITS, arguments: { ...keys } }];
    }
    if (task.confirm !== '') {
      this.#phase = 'confirming';
      return [say(lead, this.#readBack(task))];
    }
    return this.#run(task);
  }

  #run(task: Task): DialogAction[] {
    if (task.tool === '') return this.#finish(task, this.#values.filled(task.done), '');
    const given = this.#values.arguments();
    if (given === null) return this.#finish(task, task.missing, '');
    this.#phase = 'running';
    return [{ type: 'tool', name: task.tool, arguments: given }];
  }

  #finish(task: Task, text: string, reason: string): DialogAction[] {
    this.#task = null;
    this.#asked = null;
    this.#values.begin(null);
    if (task.ends_call) {
      this.#phase = 'ended';
      return [lastWords(task, text, reason), { type: 'hang_up', reason: task.name }];
    }
    this.#phase = 'closing';
    // A human has the call now, or nearly so; whoever comes back later asks whether there is anything else.
    if (task.hands_over && reason === '') return [lastWords(task, text)];
    return [lastWords(task, text, reason, this.#profile.anything_else)];
  }

  /** An answer to a slot's question. A question about something else is answered, then we ask again. */
  #answer(words: readonly string[]): DialogAction[] | null {
    const task = this.#task;
    if (!task || !this.#asked) return this.#wish(words);
    const aside = this.#intent.taskOf(words);
    if (aside && isQuestion(aside)) return this.#next(this.#values.filled(aside.done));
    const values = this.#read(task.slots, words, this.#asked.name);
    if (values.size > 0) {
      for (const [name, value] of values) this.#values.set(name, value);
      return this.#next('');
    }
    if (aside === null) return null;
    return aside === task ? this.#next('') : this.#begin(aside, words);
  }

  #confirmation(words: readonly string[]): DialogAction[] | null {
    const task = this.#task;
    if (!task) return this.#wish(words);
    const aside = this.#intent.taskOf(words);
    if (aside && isQuestion(aside)) return [say(this.#values.filled(aside.done), this.#readBack(task))];
    const answer = readYesNo(words);
    const changed = [...this.#read(task.slots, words, null)].filter(
      ([name, value]) => this.#values.get(name) !== value,
    );
    if (changed.length > 0) {
      for (const [name, value] of changed) this.#values.set(name, value);
      return this.#next('');
    }
    if (answer === true) return this.#run(task);
    const named = task.slots.find((slot) => words.includes(slot.name));
    if (named) {
      this.#values.askFor(named.name);
      return this.#next('');
    }
    const bare = this.#bareCorrection(task, words);
    if (bare) return bare;
    if (answer === false) return [say(this.#profile.correction)];
    const leaves = aside !== null && aside !== task && (aside.ends_call || aside.hands_over);
    return leaves ? this.#begin(aside, words) : null;
  }

  /** "no, make it eleven", or a bare "eleven" after "What should I change?": the new time. */
  #bareCorrection(task: Task, words: readonly string[]): DialogAction[] | null {
    for (const slot of task.slots) {
      if (slot.kind === 'yes_no') continue;
      const value = this.#read([slot], words, slot.name).get(slot.name);
      if (value === undefined || value === this.#values.get(slot.name)) continue;
      this.#values.set(slot.name, value);
      return this.#next('');
    }
    return null;
  }

  #closing(words: readonly string[]): DialogAction[] | null {
    const task = this.#intent.taskOf(words) ?? this.#taskBySlots(words);
    if (task) return this.#begin(task, words);
    const answer = onlyThanks(words) ? false : readYesNo(words);
    if (answer === true) {
      this.#phase = 'open';
      return [say(this.#profile.invite)];
    }
    if (answer === null) return null;
    this.#phase = 'ended';
    return [say(this.#profile.goodbye), { type: 'hang_up', reason: 'goodbye' }];
  }

  #readBack(task: Task): string {
    return this.#values.filled(task.confirm);
  }
}
