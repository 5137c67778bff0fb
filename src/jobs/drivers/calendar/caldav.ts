/**
 * A calendar on a CalDAV server (RFC 4791). Nothing is booked twice, however many ask at once:
 *
 * - an appointment is stored under a name that is its slot, by PUT with `If-None-Match: *`: the server lets
 *   one through, and tells the others 412;
 * - what overlaps without being the same slot (an event that a person made, another length) is looked for
 *   before and after; if it shows up after, our event is taken away again. Two such that meet may both be
 *   taken away: better nobody than two.
 *
 * The key of the booking is the UID: a try that is repeated finds its own event and has succeeded.
 */
import { calendarQuery, createObject, deleteObject } from 'tsdav';
import { ProviderFailure, isRefused } from '../provider-failure.ts';
import { ProviderHttp } from '../provider-http.ts';
import { busyTimes, compactUtc, eventText, type BusyTime, type Span } from './busy-times.ts';

export interface CalDavOptions {
  /** The calendar collection, with a slash at its end. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Of whole days, and of times without a zone. */
  readonly timeZone: string;
  readonly timeoutMs: number;
}

export interface CalendarBooking extends Span {
  /** The same key is the same booking, however often it is asked for. */
  readonly key: string;
  readonly title: string;
  readonly description: string;
}

export type Booked = 'booked' | 'taken';

const DAV_NAMES = { getetag: {}, 'c:calendar-data': {} };
const COMPONENT = 'comp-filter';

export class CalDav {
  readonly name = 'caldav';
  /** That a booking or its withdrawal takes at most, for the pace at which the server is asked. */
  readonly requests = 4;
  readonly #options: CalDavOptions;
  readonly #http: ProviderHttp;
  readonly #headers: Record<string, string>;

  constructor(options: CalDavOptions) {
    this.#options = { ...options, url: options.url.replace(/\/?$/, '/') };
    this.#http = new ProviderHttp({ provider: this.name, timeoutMs: options.timeoutMs });
    const credentials = Buffer.from(`${options.username}:${options.password}`).toString('base64');
    this.#headers = { authorization: `Basic ${credentials}` };
  }

  /** When the calendar is busy within a span. @throws ProviderFailure; TrunklineError CALENDAR_UNREADABLE */
  async busy(span: Span, signal?: AbortSignal): Promise<BusyTime[]> {
    const timeRange = { start: compactUtc(span.start), end: compactUtc(span.end) };
    const found = await calendarQuery({
      url: this.#options.url,
      depth: '1',
      headers: this.#headers,
      props: DAV_NAMES,
      filters: {
        [COMPONENT]: {
          _attributes: { name: 'VCALENDAR' },
          [COMPONENT]: { _attributes: { name: 'VEVENT' }, 'time-range': { _attributes: timeRange } },
        },
      },
      fetch: this.#fetch(signal),
    });
    return found.flatMap(({ props }) => {
      const text = textOf(props?.['calendarData']);
      return text === undefined ? [] : busyTimes(text, span, this.#options.timeZone);
    });
  }

  /** @throws ProviderFailure; after `unclear` the same booking may be asked for again */
  async book(booking: CalendarBooking, signal?: AbortSignal): Promise<Booked> {
    const uid = uidOf(booking.key);
    const before = await this.busy(booking, signal);
    if (before.some((one) => one.uid === uid)) return 'booked';
    if (before.length > 0) return 'taken';
    const url = this.#urlOf(booking.start);
    let etag: string | null;
    try {
      const made = await createObject({
        url,
        data: eventText({ ...booking, uid }),
        headers: { ...this.#headers, 'content-type': 'text/calendar; charset=utf-8', 'if-none-match': '*' },
        fetch: this.#fetch(signal),
      });
      etag = made.headers.get('etag');
    } catch (error) {
      if (!isRefused(error, 412) && !isRefused(error, 409)) throw error;
      const holder = await this.busy(booking, signal);
      return holder.some((one) => one.uid === uid) ? 'booked' : 'taken';
    }
    const others = (await this.busy(booking, signal)).filter((one) => one.uid !== uid);
    if (others.length === 0) return 'booked';
    await this.#remove(url, etag, signal);
    return 'taken';
  }

  /** Takes a booking away; one that is not there (any more) is no failure, one of somebody else stays. */
  async cancel(booking: Pick<CalendarBooking, 'key' | 'start' | 'end'>, signal?: AbortSignal): Promise<void> {
    const held = await this.busy(booking, signal);
    if (!held.some((one) => one.uid === uidOf(booking.key))) return;
    await this.#remove(this.#urlOf(booking.start), null, signal);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #remove(url: string, etag: string | null, signal: AbortSignal | undefined): Promise<void> {
    try {
      await deleteObject({
        url,
        headers: this.#headers,
        ...(etag === null ? {} : { etag }),
        fetch: this.#fetch(signal),
      });
    } catch (error) {
      if (!isRefused(error, 404)) throw error;
    }
  }

  #urlOf(start: Date): string {
    return `${this.#options.url}trunkline-${compactUtc(start)}.ics`;
  }

  /** What tsdav calls fetch: ours, which knows what became of a request. */
  #fetch(signal: AbortSignal | undefined): typeof fetch {
    return async (input, init) => {
      if (typeof input !== 'string')
        throw new ProviderFailure('refused', 'caldav: a request without an address');
      const answer = await this.#http.ask({
        method: init?.method ?? 'GET',
        url: input,
        headers: Object.fromEntries(new Headers(init?.headers)),
        ...(typeof init?.body === 'string' ? { body: init.body } : {}),
        signal,
      });
      const hasBody = answer.status !== 204;
      return new Response(hasBody ? answer.body : null, { status: answer.status, headers: answer.headers });
    };
  }
}

function uidOf(key: string): string {
  return `${key}@trunkline`;
}

/** tsdav gives text, or CDATA in an object. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && '_cdata' in value && typeof value._cdata === 'string')
    return value._cdata;
  return undefined;
}
