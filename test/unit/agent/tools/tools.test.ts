import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { agentProfileSchema } from '../../../../src/agent/profile.ts';
import { FileAppointmentBook } from '../../../../src/agent/tools/appointment-book.ts';
import { bookAppointment } from '../../../../src/agent/tools/book-appointment.ts';
import { ToolRegistry } from '../../../../src/agent/tools/tool-registry.ts';
import type { Tool, ToolCaller } from '../../../../src/agent/tools/tool.ts';

const profile = agentProfileSchema.parse({
  name: 'test',
  greeting: 'Hello.',
  not_understood: ['Sorry?'],
  still_there: ['Hello?'],
  anything_else: 'Anything else?',
  goodbye: 'Bye.',
  tasks: [{ name: 'book', phrases: ['book'], done: 'Done.' }],
  tools: ['echo', 'broken', 'slow', 'book_appointment', 'nowhere'],
});
const context = (callId = 'call-1'): ToolCaller => ({ callId, profile });
const NOW = new Date('2026-11-23T09:00:00Z');
const TEN = { name: 'Anna Miller', day: '2026-11-24', time: '10:00' };

const tool = (name: string, run: Tool['run']): Tool => ({
  name,
  description: `The tool ${name}`,
  arguments: z.strictObject({ word: z.string() }),
  timeoutMs: 1000,
  run,
});

describe('ToolRegistry', () => {
  const registry = new ToolRegistry({
    tools: [
      tool('echo', (given) => Promise.resolve({ ok: true, given })),
      tool('broken', () => Promise.reject(new Error('it fell over'))),
      tool('slow', () => new Promise(() => undefined)),
      tool('secret', () => Promise.resolve({ ok: true })),
    ],
  });

  it('runs a tool with parsed arguments', async () => {
    const result = await registry.run('echo', { word: 'hi' }, context());
    expect(result).toEqual({ ok: true, given: { word: 'hi' } });
  });

  it.each([
    ['nowhere', { word: 'hi' }, 'TOOL_UNKNOWN'],
    ['secret', { word: 'hi' }, 'TOOL_UNKNOWN'],
    ['echo', { word: 1 }, 'TOOL_ARGUMENTS_INVALID'],
    ['echo', { word: 'hi', more: true }, 'TOOL_ARGUMENTS_INVALID'],
    ['echo', null, 'TOOL_ARGUMENTS_INVALID'],
    ['broken', { word: 'hi' }, 'TOOL_FAILED'],
  ])('refuses %s %j with %s', async (name, given, code) => {
    await expect(registry.run(name, given, context())).rejects.toMatchObject({ code });
  });

  it('does not wait for ever', async () => {
    vi.useFakeTimers();
    try {
      const running = expect(registry.run('slow', { word: 'hi' }, context())).rejects.toThrow(
        'slow took longer than 1000 ms',
      );
      await vi.advanceTimersByTimeAsync(1000);
      await running;
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves no timer behind a tool that is done', async () => {
    vi.useFakeTimers();
    try {
      await registry.run('echo', { word: 'hi' }, context());
      await vi.advanceTimersByTimeAsync(0);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('declares its tools with JSON Schema', () => {
    expect(registry.declarations()['echo']).toMatchObject({
      description: 'The tool echo',
      parameters: { type: 'object', required: ['word'], properties: { word: { type: 'string' } } },
    });
  });

  it('takes no two tools of one name', () => {
    const twice = tool('echo', () => Promise.resolve({ ok: true }));
    expect(() => new ToolRegistry({ tools: [twice, twice] })).toThrow('two tools are called echo');
  });
});

let folder: string;
let path: string;
let book: FileAppointmentBook;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-book-'));
  path = join(folder, 'data', 'appointments.jsonl');
  book = await FileAppointmentBook.create({ path, now: () => NOW });
});
afterEach(async () => {
  await book.close();
  await rm(folder, { recursive: true });
});

const lines = async (): Promise<unknown[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describe('FileAppointmentBook', () => {
  it('writes an appointment as a line', async () => {
    const booking = await book.book(TEN, 'call-1');
    expect(booking).toMatchObject({ ...TEN, callId: 'call-1' });
    expect(booking?.confirmation).toMatch(/^[A-Z]{2}\d{3}$/);
    expect(await lines()).toEqual([{ ...booking, bookedAt: NOW.toISOString() }]);
  });

  it('gives a call that books twice the same booking', async () => {
    const first = await book.book(TEN, 'call-1');
    const second = await book.book(TEN, 'call-1');
    expect(second).toEqual(first);
    expect(await lines()).toHaveLength(1);
  });

  it('books no time twice, not even at the same moment', async () => {
    const both = await Promise.all([book.book(TEN, 'call-1'), book.book(TEN, 'call-2')]);
    expect(both.filter((booking) => booking !== null)).toHaveLength(1);
    expect(await book.book({ ...TEN, time: '10:30' }, 'call-2')).not.toBeNull();
    expect(await book.book({ ...TEN, day: '2026-11-25' }, 'call-3')).not.toBeNull();
  });

  it('remembers after a restart', async () => {
    const before = await book.book(TEN, 'call-1');
    await book.close();
    book = await FileAppointmentBook.create({ path, now: () => NOW });
    expect(await book.book(TEN, 'call-2')).toBeNull();
    expect(await book.book(TEN, 'call-1')).toMatchObject({ confirmation: before?.confirmation });
    expect(book.appointments).toHaveLength(1);
  });

  it('cuts off a line that was torn by a crash, and goes on behind the last whole one', async () => {
    await book.book(TEN, 'call-1');
    await book.close();
    await appendFile(path, '{"confirmation":"XX0');
    book = await FileAppointmentBook.create({ path, now: () => NOW });
    await book.book({ ...TEN, time: '11:00' }, 'call-2');
    expect(await lines()).toHaveLength(2);
  });

  it('refuses a file that somebody else wrote into', async () => {
    const odd = join(folder, 'odd.jsonl');
    await writeFile(odd, '{"hello":"world"}\n');
    await expect(FileAppointmentBook.create({ path: odd })).rejects.toThrow();
  });

  it('goes on after a write that failed', async () => {
    await book.close();
    await expect(book.book(TEN, 'call-1')).rejects.toThrow();
    book = await FileAppointmentBook.create({ path, now: () => NOW });
    expect(await book.book(TEN, 'call-1')).not.toBeNull();
  });
});

describe('book_appointment', () => {
  const run = (given: unknown, callId = 'call-1'): Promise<unknown> =>
    new ToolRegistry({
      tools: [
        bookAppointment(
          () => book,
          () => NOW,
        ),
      ],
    }).run('book_appointment', given, context(callId));

  it('answers with the confirmation', async () => {
    const result = await run(TEN);
    expect(result).toMatchObject({ ok: true, ...TEN });
    expect(result).toHaveProperty('confirmation');
  });

  it.each([
    ['Europe/London', '2026-11-23', '09:00', false],
    ['Europe/London', '2026-11-23', '09:01', true],
    ['Europe/London', '2026-11-22', '23:00', false],
    ['Asia/Kathmandu', '2026-11-23', '14:45', false],
    ['Asia/Kathmandu', '2026-11-23', '14:46', true],
    ['America/New_York', '2026-11-23', '04:30', true],
    ['Pacific/Kiritimati', '2026-11-23', '23:00', false],
  ])('in %s books %s %s: %j', async (time_zone, day, time, ok) => {
    const tools = new ToolRegistry({
      tools: [
        bookAppointment(
          () => book,
          () => NOW,
        ),
      ],
    });
    const there = { ...context(), profile: { ...profile, time_zone } };
    const result = await tools.run('book_appointment', { ...TEN, day, time }, there);
    expect(result.ok).toBe(ok);
    if (!ok) expect(result).toEqual({ ok: false, reason: 'That time is past already.', ask: 'day' });
    expect(book.appointments).toHaveLength(ok ? 1 : 0);
  });

  it('asks for another time when the time is taken', async () => {
    await run(TEN);
    expect(await run(TEN, 'call-2')).toEqual({
      ok: false,
      reason: 'That time is taken already.',
      ask: 'time',
    });
  });

  it.each([
    [{ ...TEN, day: 'tomorrow' }],
    [{ ...TEN, day: '2026-02-30' }],
    [{ ...TEN, time: '24:00' }],
    [{ ...TEN, time: '9:00' }],
    [{ ...TEN, name: '' }],
    [{ name: 'Anna' }],
  ])('refuses %j', async (given) => {
    await expect(run(given)).rejects.toMatchObject({ code: 'TOOL_ARGUMENTS_INVALID' });
    expect(book.appointments).toEqual([]);
  });
});
