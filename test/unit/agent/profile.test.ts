/** What a profile may say, and that every refusal names the key that is wrong. */
import { describe, expect, it } from 'vitest';
import { agentProfileSchema, type AgentProfile } from '../../../src/agent/profile.ts';
import { clinicFile } from './offline/dialog-script.ts';

const SLOT = { name: 'day', kind: 'day', ask: 'Which day?', ask_again: 'Sorry, which day?' };
const TASK = { name: 'book', phrases: ['book'], done: 'Done.' };
const SMALLEST = {
  name: 'desk',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [TASK],
};

const withTask = (task: object): object => ({ ...SMALLEST, tasks: [{ ...TASK, ...task }] });
const withSlot = (slot: object): object => withTask({ slots: [{ ...SLOT, ...slot }] });
const parsed = (over: object): AgentProfile => agentProfileSchema.parse({ ...SMALLEST, ...over });

/** `path: message` of everything that is wrong. */
function refusals(given: unknown): string[] {
  const result = agentProfileSchema.safeParse(given);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('the smallest profile', () => {
  it('is completed with the defaults that the manual promises', () => {
    expect(parsed({})).toMatchObject({
      time_zone: 'UTC',
      language: 'en',
      model: { adapter: 'offline', name: '', voice: 'slt', realtime: {}, live: {} },
      prompt: '',
      vocabulary: { first_names: [], last_names: [], phrases: [] },
      tools: [],
      turns: { end_of_speech_ms: 600, barge_in_ms: 240, idle_ms: 9000, misunderstood_max: 3 },
      tasks: [{ slots: [], confirm: '', tool: '', failed: 'Sorry, that did not work.', ends_call: false }],
    });
  });

  it('keeps what is said, and completes the rest of a group', () => {
    const { turns, model } = parsed({ turns: { idle_ms: 5000 }, model: { adapter: 'realtime' } });
    expect(turns).toMatchObject({
      end_of_speech_ms: 600,
      barge_in_ms: 240,
      idle_ms: 5000,
      misunderstood_max: 3,
    });
    expect(model).toEqual({ adapter: 'realtime', name: '', voice: 'slt', realtime: {}, live: {}, spares: 0 });
  });

  it('is the same after a second reading: threads and processes parse it again', () => {
    const once = parsed({});
    expect(agentProfileSchema.parse(structuredClone(once))).toEqual(once);
  });

  it.each(Object.keys(SMALLEST))('needs %s', (key) => {
    const rest = Object.fromEntries(Object.entries(SMALLEST).filter(([name]) => name !== key));
    expect(refusals(rest)).toHaveLength(1);
    expect(refusals(rest)[0]).toMatch(new RegExp(`^${key}: `));
  });
});

describe('the shipped profile', () => {
  it('shows every key: none is left to its default', () => {
    const file = clinicFile();
    expect(agentProfileSchema.parse(file)).toMatchObject(file);
    const keys = Object.keys(agentProfileSchema.shape);
    expect(Object.keys(file).sort()).toEqual(keys.sort());
    for (const group of ['model', 'turns', 'vocabulary', 'failover', 'fillers'] as const) {
      const whole = Object.keys(parsed({})[group]);
      expect(Object.keys(file[group] as object).sort(), group).toEqual(whole.sort());
    }
  });

  it('lists every tool that its tasks call', () => {
    const profile = agentProfileSchema.parse(clinicFile());
    const called = profile.tasks.map((task) => task.tool).filter((tool) => tool !== '');
    expect(profile.tools).toEqual(expect.arrayContaining(called));
  });
});

describe('a profile', () => {
  it.each<[key: string, profile: object]>([
    ['name', { ...SMALLEST, name: 'Front Desk' }],
    ['name', { ...SMALLEST, name: '' }],
    ['name', { ...SMALLEST, name: '../desk' }],
    ['name', { ...SMALLEST, name: '1st' }],
    ['time_zone', { ...SMALLEST, time_zone: 'Europe/Londn' }],
    ['time_zone', { ...SMALLEST, time_zone: '' }],
    ['time_zone', { ...SMALLEST, time_zone: 'ten past nine' }],
    ['time_zone', { ...SMALLEST, time_zone: 1 }],
    ['language', { ...SMALLEST, language: 'de' }],
    ['model.adapter', { ...SMALLEST, model: { adapter: 'parrot' } }],
    ['model.voice', { ...SMALLEST, model: { voice: null } }],
    ['greeting', { ...SMALLEST, greeting: '' }],
    ['not_understood', { ...SMALLEST, not_understood: [] }],
    ['not_understood', { ...SMALLEST, not_understood: 'Sorry?' }],
    ['not_understood.1', { ...SMALLEST, not_understood: ['Sorry?', 7] }],
    ['still_there', { ...SMALLEST, still_there: [] }],
    ['anything_else', { ...SMALLEST, anything_else: '' }],
    ['goodbye', { ...SMALLEST, goodbye: '' }],
    ['tasks', { ...SMALLEST, tasks: [] }],
    ['tasks', { ...SMALLEST, tasks: [TASK, { ...TASK, done: 'Done again.' }] }],
    ['tools.0', { ...SMALLEST, tools: [{}] }],
    ['vocabulary.first_names.0', { ...SMALLEST, vocabulary: { first_names: ['Anna Maria'] } }],
    ['vocabulary.first_names.1', { ...SMALLEST, vocabulary: { first_names: ['Anna', 'J0hn'] } }],
    ['vocabulary.last_names.0', { ...SMALLEST, vocabulary: { last_names: [''] } }],
    ['vocabulary.phrases.0', { ...SMALLEST, vocabulary: { phrases: [''] } }],
    ['tasks.0.name', withTask({ name: 'Book it' })],
    ['tasks.0.phrases', withTask({ phrases: [] })],
    ['tasks.0.phrases.0', withTask({ phrases: [''] })],
    ['tasks.0.done', withTask({ done: '' })],
    ['tasks.0.ends_call', withTask({ ends_call: 'yes' })],
    ['tasks.0.confirm', withTask({ confirm: 'On {day}?' })],
    ['tasks.0.confirm', withTask({ confirm: 'On {days}?', slots: [SLOT] })],
    ['tasks.0.slots', withTask({ slots: [SLOT, SLOT] })],
    ['tasks.0.slots.0.name', withSlot({ name: 'the day' })],
    ['tasks.0.slots.0.kind', withSlot({ kind: 'date' })],
    ['tasks.0.slots.0.ask', withSlot({ ask: '' })],
    ['tasks.0.slots.0.ask_again', withSlot({ ask_again: '' })],
    ['tasks.0.slots.0.choices', withSlot({ kind: 'choice' })],
    ['tasks.0.slots.0.choices.0.say', withSlot({ kind: 'choice', choices: [{ say: [], value: 'x' }] })],
    ['tasks.0.slots.0.choices.0.value', withSlot({ kind: 'choice', choices: [{ say: ['x'] }] })],
  ])('is refused for its %s (%#)', (key, profile) => {
    expect(refusals(profile)).toHaveLength(1);
    expect(refusals(profile)[0]).toMatch(new RegExp(`^${key.replaceAll('.', String.raw`\.`)}: .`));
  });

  it.each<[key: string, profile: object]>([
    ['greetings', { ...SMALLEST, greetings: 'Hello.' }],
    ['timeout', { ...SMALLEST, turns: { timeout: 7 } }],
    ['speed', { ...SMALLEST, model: { speed: 2 } }],
    ['names', { ...SMALLEST, vocabulary: { names: [] } }],
    ['retries', withTask({ retries: 3 })],
    ['default', withSlot({ default: 'today' })],
    ['label', withSlot({ kind: 'choice', choices: [{ say: ['x'], value: 'x', label: 'X' }] })],
  ])('with the unknown key %s is refused, and the key is named', (key, profile) => {
    expect(refusals(profile)).toHaveLength(1);
    expect(refusals(profile)[0]).toContain(`"${key}"`);
  });

  it.each([
    ['end_of_speech_ms', 200, 3000],
    ['barge_in_ms', 60, 2000],
    ['idle_ms', 2000, 120_000],
    ['misunderstood_max', 1, 10],
  ])('has a turns.%s from %i to %i, whole', (key, least, most) => {
    for (const value of [least, most]) expect(refusals({ ...SMALLEST, turns: { [key]: value } })).toEqual([]);
    for (const value of [least - 1, most + 1, least + 0.5, String(least), null, NaN]) {
      const [refusal, ...more] = refusals({ ...SMALLEST, turns: { [key]: value } });
      expect(refusal, String(value)).toMatch(new RegExp(`^turns\\.${key}: `));
      expect(more).toEqual([]);
    }
  });

  it.each(['UTC', 'Europe/London', 'America/Argentina/Buenos_Aires', 'Asia/Kathmandu', 'Pacific/Auckland'])(
    'may live in %s',
    (time_zone) => expect(refusals({ ...SMALLEST, time_zone })).toEqual([]),
  );

  it('may have one slot name in two tasks, and braces in what is said afterwards', () => {
    const slots = [SLOT];
    const tasks = [
      { ...TASK, slots, confirm: '{day}?', done: 'Number {confirmation}.' },
      { ...TASK, name: 'cancel', slots, confirm: 'Cancel {day}?' },
    ];
    expect(refusals({ ...SMALLEST, tasks })).toEqual([]);
  });

  it('says which name comes twice, and which slot is none', () => {
    expect(refusals(withTask({ slots: [SLOT, SLOT] }))).toEqual(['tasks.0.slots: two are called "day"']);
    expect(refusals(withTask({ confirm: '{when}?' }))).toEqual([
      'tasks.0.confirm: {when} is no slot of this task',
    ]);
  });
});
