import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CalDav, type CalendarBooking } from '../../../../src/jobs/drivers/calendar/caldav.ts';
import { startRadicale, type Radicale } from '../../../support/jobs/radicale.ts';
import { startHttpStandIn, type HttpStandIn } from '../../../support/jobs/providers/http-stand-in.ts';

let radicale: Radicale;
beforeAll(async () => {
  radicale = await startRadicale();
});
afterAll(() => radicale.close());

/** Each test has a day of its own. */
let day = 0;
const at = (time: string): Date => new Date(`2026-03-${String(day).padStart(2, '0')}T${time}:00Z`);

function calendar(more: Partial<ConstructorParameters<typeof CalDav>[0]> = {}): CalDav {
  const { url, username, password } = radicale;
  const one = new CalDav({ url, username, password, timeZone: 'Europe/London', timeoutMs: 20_000, ...more });
  onTestFinished(() => one.close());
  return one;
}

function booking(key: string, from: string, to: string): CalendarBooking {
  return {
    key,
    start: at(from),
    end: at(to),
    title: 'Laura Bennett',
    description: 'Booked by telephone; KT482',
  };
}

function event(uid: string, lines: readonly string[]): string {
  const vevent = [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260101T000000Z',
    'SUMMARY:x',
    ...lines,
    'END:VEVENT',
  ];
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...vevent, 'END:VCALENDAR', ''].join(
    '\r\n',
  );
}

async function newDay(): Promise<CalDav> {
  day += 1;
  const one = calendar();
  expect(await one.busy({ start: at('00:00'), end: at('23:59') })).toEqual([]);
  return one;
}

describe('a calendar over CalDAV', () => {
  it('takes a booking, shows it, and lets it go', async () => {
    const one = await newDay();
    const wanted = booking('appointment_1', '10:00', '10:30');
    expect(await one.book(wanted)).toBe('booked');
    expect(await one.busy({ start: at('00:00'), end: at('23:59') })).toEqual([
      { uid: 'appointment_1@trunkline', start: at('10:00'), end: at('10:30') },
    ]);
    expect(await one.busy({ start: at('10:30'), end: at('11:00') })).toEqual([]);
    await one.cancel(wanted);
    await one.cancel(wanted);
    expect(await one.busy({ start: at('00:00'), end: at('23:59') })).toEqual([]);
    expect(await one.book({ ...wanted, key: 'appointment_2' })).toBe('booked');
  });

  it('lets exactly one of twenty have a slot that all want at once', async () => {
    await newDay();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) => calendar().book(booking(`a_${index}`, '10:00', '10:30'))),
    );
    expect(results.filter((one) => one === 'booked')).toHaveLength(1);
    expect(results.filter((one) => one === 'taken')).toHaveLength(19);
    const held = await calendar().busy({ start: at('09:00'), end: at('12:00') });
    expect(held).toHaveLength(1);
    expect(held[0]?.uid).toBe(`a_${results.indexOf('booked')}@trunkline`);
  });

  it('never holds two that overlap, when many want times that do', async () => {
    await newDay();
    const times = ['10:00', '10:10', '10:20', '10:30', '10:40', '10:50'];
    const wanted = times.map((from, index) => booking(`o_${index}`, from, `11:${from.slice(3)}`));
    const results = await Promise.all(wanted.map((one) => calendar().book(one)));
    const held = await calendar().busy({ start: at('09:00'), end: at('13:00') });
    expect(held.map((one) => one.uid).sort()).toEqual(
      wanted.filter((_, index) => results[index] === 'booked').map((one) => `${one.key}@trunkline`),
    );
    expect(held.length).toBeLessThanOrEqual(1);
  });

  it('gives a booking that is asked for again what it has', async () => {
    const one = await newDay();
    const wanted = booking('again', '10:00', '10:30');
    expect(await Promise.all([one.book(wanted), calendar().book(wanted)])).toEqual(['booked', 'booked']);
    expect(await one.book(wanted)).toBe('booked');
    expect(await one.busy(wanted)).toHaveLength(1);
  });

  it('goes round what people put there, and not round what takes no time', async () => {
    const one = await newDay();
    const span = [`DTSTART:2026030${day}T100000Z`, `DTEND:2026030${day}T110000Z`];
    await radicale.put(`meeting-${day}.ics`, event(`meeting-${day}`, span));
    expect(await one.book(booking('p1', '10:30', '11:30'))).toBe('taken');
    expect(await one.book(booking('p2', '11:00', '11:30'))).toBe('booked');
    const free = [`DTSTART:2026030${day}T140000Z`, `DTEND:2026030${day}T150000Z`];
    await radicale.put(`free-${day}.ics`, event(`free-${day}`, [...free, 'TRANSP:TRANSPARENT']));
    await radicale.put(`off-${day}.ics`, event(`off-${day}`, [...free, 'STATUS:CANCELLED']));
    expect(await one.book(booking('p3', '14:00', '14:30'))).toBe('booked');
  });

  it('is the same booking after an answer was lost', async () => {
    await newDay();
    const proxy = await proxyTo(radicale.url);
    const far = calendar({ url: `${proxy.url}/` });
    // The question what is busy passes; the PUT is done, and its answer is lost.
    proxy.fail(undefined, 'cut-after');
    const wanted = booking('lost', '10:00', '10:30');
    await expect(far.book(wanted)).rejects.toMatchObject({ outcome: 'unclear' });
    expect(await far.book(wanted)).toBe('booked');
    expect(await calendar().busy(wanted)).toHaveLength(1);
  });

  it('says who is not let in, and who is not there', async () => {
    await newDay();
    const wrong = calendar({ password: 'wrong' });
    await expect(wrong.busy({ start: at('00:00'), end: at('01:00') })).rejects.toMatchObject({
      outcome: 'refused',
      status: 401,
    });
    const elsewhere = calendar({ url: radicale.url.replace('appointments', 'nothing') });
    await expect(elsewhere.book(booking('x', '10:00', '10:30'))).rejects.toMatchObject({
      outcome: 'refused',
    });
  });
});

/** Passes every request on, so that it can lose answers. */
async function proxyTo(target: string): Promise<HttpStandIn> {
  const proxy = await startHttpStandIn(async ({ method, path, headers, body }) => {
    const { host: _host, connection: _connection, 'content-length': _length, ...rest } = headers;
    const answer = await fetch(new URL(path.slice(1), target), {
      method,
      headers: rest as Record<string, string>,
      ...(body === '' ? {} : { body }),
    });
    const type = answer.headers.get('content-type');
    return {
      status: answer.status,
      body: await answer.text(),
      headers: type === null ? {} : { 'content-type': type },
    };
  });
  onTestFinished(() => proxy.close());
  return proxy;
}
