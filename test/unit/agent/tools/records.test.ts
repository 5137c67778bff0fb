/** Messages, contacts and text messages: what tools write down, once for each act. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ActRecords, type ActOrigin } from '../../../../src/agent/tools/act-records.ts';
import { onList, readNumber, sameNumber } from '../../../../src/agent/tools/destinations.ts';
import { RecordsFile } from '../../../../src/agent/tools/records-file.ts';
import { contactFields, saveContact } from '../../../../src/agent/tools/save-contact.ts';
import { sendSms, smsFields } from '../../../../src/agent/tools/send-sms.ts';
import { messageFields, takeMessage } from '../../../../src/agent/tools/take-message.ts';
import type { Tool, ToolResult } from '../../../../src/agent/tools/tool.ts';
import { makeFolder, runnerOf, WEB } from './stage.ts';

const NOW = new Date('2026-11-23T09:00:00Z');
const now = (): Date => NOW;
let folder: Awaited<ReturnType<typeof makeFolder>>;

beforeEach(async () => {
  folder = await makeFolder();
});
afterEach(() => folder.remove());

const origin = (key: string): ActOrigin => ({ key, callId: 'call-1', tenant: 'acme', profile: 'test' });
const fields = z.strictObject({ text: z.string() });
const open = (): Promise<ActRecords<{ text: string }>> =>
  ActRecords.create({ path: join(folder.path, 'deep', 'notes.jsonl'), kind: 'note', fields, now });
const lines = async (): Promise<string[]> =>
  (await readFile(join(folder.path, 'deep', 'notes.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '');

describe('RecordsFile', () => {
  it('lets one at a time look and add', async () => {
    const file = await RecordsFile.create({ path: join(folder.path, 'n.jsonl'), schema: z.number() });
    const next = (): Promise<number> => file.alone((add) => add(file.records.length));
    expect(await Promise.all([next(), next(), next()])).toEqual([0, 1, 2]);
    await file.close();
  });

  it('goes on after a work that failed, and has written nothing of it', async () => {
    const file = await RecordsFile.create({ path: join(folder.path, 'n.jsonl'), schema: z.number() });
    await expect(file.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await file.alone((add) => add(7))).toBe(7);
    await file.close();
    await expect(file.alone((add) => add(8))).rejects.toThrow();
    expect(file.records).toEqual([7]);
  });
});

describe('ActRecords', () => {
  it('keeps one record for one key, also when asked twice at once, and after a restart', async () => {
    let notes = await open();
    const [one, same] = await Promise.all([
      notes.keep({ text: 'a' }, origin('k1')),
      notes.keep({ text: 'b' }, origin('k1')),
    ]);
    expect(same).toBe(one);
    expect(one).toEqual({
      ...origin('k1'),
      text: 'a',
      id: expect.stringMatching(/^note_/) as string,
      at: NOW.toISOString(),
    });
    await notes.close();
    notes = await open();
    expect(await notes.keep({ text: 'c' }, origin('k1'))).toEqual(one);
    await notes.keep({ text: 'd' }, origin('k2'));
    expect(notes.records.map(({ text }) => text)).toEqual(['a', 'd']);
    expect(await lines()).toHaveLength(2);
    await notes.close();
  });

  it('cuts off a torn last line, and refuses a file that is no record', async () => {
    const notes = await open();
    await notes.keep({ text: 'a' }, origin('k1'));
    await notes.close();
    const path = join(folder.path, 'deep', 'notes.jsonl');
    await appendFile(path, '{"text":"b');
    const again = await open();
    await again.keep({ text: 'c' }, origin('k2'));
    await again.close();
    expect(await lines()).toHaveLength(2);
    await writeFile(path, '{"text":"a"}\n');
    await expect(open()).rejects.toThrow();
  });
});

describe('numbers', () => {
  it.each([
    ['+1 (555) 0100', '+15550100'],
    ['0044 20 7946-0018', '+442079460018'],
    ['15550100', '15550100'],
    ['5', null],
    ['', null],
    ['anonymous', null],
    ['+1555;ext=1', null],
    ['sip:+15550100@example.org', null],
    ['+1234567890123456', null],
    ['++15550100', null],
  ])('are read: %s is %s', (text, number) => {
    expect(readNumber(text)).toBe(number);
  });

  it.each([
    [['+15550100'], '15550100', true],
    [['+44*'], '+442079460018', true],
    [['44*'], '+442079460018', true],
    [['+44*'], '+4542079460', false],
    [['+15550100'], '+155501001', false],
    [['*'], '+4542079460', true],
    [[], '+15550100', false],
    [['caller'], '+15550100', false],
  ])('are on a list: %j, %s: %j', (list, number, expected) => {
    expect(onList(list, number)).toBe(expected);
    expect(sameNumber('+15550100', '15550100')).toBe(true);
  });
});

interface Case {
  readonly tool: string;
  readonly given: object;
  readonly result: object;
  readonly kept: object | null;
  readonly web?: boolean;
  readonly profile?: object;
}

const ID = { id: expect.any(String) as string };
const NO_NUMBER = 'I do not have your number.';
const NONE = 'That is not a telephone number.';

const cases: Record<string, Case> = {
  'a message with the number of the call': {
    tool: 'take_message',
    given: { name: 'Anna Miller', text: ' Call me. ' },
    result: { ok: true, ...ID, phone: '+15550199' },
    kept: { name: 'Anna Miller', text: 'Call me.', phone: '+15550199', urgent: false },
  },
  'an urgent message with another number': {
    tool: 'take_message',
    given: { name: 'Anna Miller', text: 'Pain', phone: '020 7946 0018', urgent: true },
    result: { ok: true, ...ID, phone: '02079460018' },
    kept: { phone: '02079460018', urgent: true },
  },
  'a message from a web page, without a number': {
    tool: 'take_message',
    given: { name: 'Anna Miller', text: 'Hello' },
    web: true,
    result: { ok: false, reason: NO_NUMBER, ask: 'phone' },
    kept: null,
  },
  'a message with a number that is none': {
    tool: 'take_message',
    given: { name: 'Anna Miller', text: 'Hello', phone: 'at work' },
    result: { ok: false, reason: NONE, ask: 'phone' },
    kept: null,
  },
  'a contact with all there is': {
    tool: 'save_contact',
    given: { name: 'Anna Miller', phone: '+1 555 0123', email: 'anna@example.org', note: 'mornings' },
    result: { ok: true, ...ID, name: 'Anna Miller' },
    kept: { name: 'Anna Miller', phone: '+15550123', email: 'anna@example.org', note: 'mornings' },
  },
  'a contact from a web page, with an address': {
    tool: 'save_contact',
    given: { name: 'Anna Miller', email: 'anna@example.org' },
    web: true,
    result: { ok: true, ...ID, name: 'Anna Miller' },
    kept: { phone: '', email: 'anna@example.org', note: '' },
  },
  'a contact whom nobody could reach': {
    tool: 'save_contact',
    given: { name: 'Anna Miller' },
    web: true,
    result: { ok: false, reason: NO_NUMBER, ask: 'phone' },
    kept: null,
  },
  'a contact with a number that is none': {
    tool: 'save_contact',
    given: { name: 'Anna Miller', phone: '12 or so' },
    result: { ok: false, reason: NONE, ask: 'phone' },
    kept: null,
  },
  'a text message to the caller': {
    tool: 'send_sms',
    given: { text: 'Tuesday at ten.' },
    result: { ok: true, ...ID, to: '+15550199' },
    kept: { to: '+15550199', text: 'Tuesday at ten.' },
  },
  'a text message to the caller, by number': {
    tool: 'send_sms',
    given: { text: 'Tuesday at ten.', to: '1 555 0199' },
    result: { ok: true, ...ID, to: '15550199' },
    kept: { to: '15550199' },
  },
  'a text message to somebody else': {
    tool: 'send_sms',
    given: { text: 'Buy now.', to: '+4790000000' },
    result: { ok: false, reason: 'I may not send messages to that number.' },
    kept: null,
  },
  'a text message to a number on the list': {
    tool: 'send_sms',
    given: { text: 'Hello.', to: '+447700900123' },
    profile: { sms_numbers: ['+44*'] },
    result: { ok: true, ...ID, to: '+447700900123' },
    kept: { to: '+447700900123' },
  },
  'a text message to a caller who is not on the list': {
    tool: 'send_sms',
    given: { text: 'Hello.' },
    profile: { sms_numbers: ['+44*'] },
    result: { ok: false, reason: 'I may not send messages to that number.' },
    kept: null,
  },
  'a text message from a web page': {
    tool: 'send_sms',
    given: { text: 'Hello.' },
    web: true,
    result: { ok: false, reason: NO_NUMBER, ask: 'to' },
    kept: null,
  },
};

describe('tools that write', () => {
  interface Records {
    readonly records: readonly object[];
    close(): Promise<void>;
  }
  let kept: Record<string, Records>;
  let tools: Tool[];

  beforeEach(async () => {
    const path = (name: string): string => join(folder.path, `${name}.jsonl`);
    const sms = await ActRecords.create({ path: path('sms'), kind: 'sms', fields: smsFields, now });
    const contacts = await ActRecords.create({
      path: path('c'),
      kind: 'contact',
      fields: contactFields,
      now,
    });
    const messages = await ActRecords.create({
      path: path('m'),
      kind: 'message',
      fields: messageFields,
      now,
    });
    kept = { send_sms: sms, save_contact: contacts, take_message: messages };
    tools = [
      sendSms({ send: (one, by) => sms.keep(one, by) }),
      saveContact({ save: (contact, by) => contacts.keep(contact, by) }),
      takeMessage({ take: (message, by) => messages.keep(message, by) }),
    ];
  });
  afterEach(async () => {
    await Promise.all(Object.values(kept).map((one) => one.close()));
  });

  const run = (one: Case, callId?: string): Promise<ToolResult> =>
    runnerOf(...tools)(one.tool, one.given, {
      ...(callId === undefined ? {} : { callId }),
      ...(one.web === true ? { call: WEB } : {}),
      ...(one.profile === undefined ? {} : { profile: one.profile }),
    });

  it.each(Object.entries(cases))('keep or refuse %s', async (_, one) => {
    expect(await run(one)).toEqual(one.result);
    const records = kept[one.tool]?.records;
    if (one.kept === null) expect(records).toEqual([]);
    else expect(records).toMatchObject([{ ...one.kept, callId: 'call-1', tenant: 'acme', profile: 'test' }]);
  });

  it.each(Object.entries(cases).filter(([, one]) => one.kept !== null))(
    'keep %s once, even when the registry was made anew',
    async (_, one) => {
      const first = await run(one);
      expect(await run(one)).toEqual(first);
      expect(kept[one.tool]?.records).toHaveLength(1);
      await run(one, 'call-2');
      expect(kept[one.tool]?.records).toHaveLength(2);
    },
  );

  it.each([
    ['send_sms', { text: '' }],
    ['send_sms', { text: 'x'.repeat(1531) }],
    ['send_sms', { text: 'hi', to: 'x'.repeat(41) }],
    ['save_contact', { name: '   ' }],
    ['save_contact', { name: 'A', email: 'not an address' }],
    ['take_message', { name: 'A' }],
    ['take_message', { name: 'A', text: 'hi', urgent: 'yes' }],
  ])('refuse arguments: %s %j', async (tool, given) => {
    await expect(runnerOf(...tools)(tool, given)).rejects.toMatchObject({ code: 'TOOL_ARGUMENTS_INVALID' });
    expect(kept[tool]?.records).toEqual([]);
  });
});
