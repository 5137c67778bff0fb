/** When people are not to be woken: messages of these hours wait for the morning; none is dropped. */

export interface QuietHours {
  /** HH:MM on the recipient's clock; both empty: never quiet. May go over midnight. */
  readonly from: string;
  readonly to: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** Looked ahead for a time at which it is quiet nowhere: two days have every hour of every zone. */
const SEARCHED_MS = 2 * DAY_MINUTES * MINUTE_MS;

function minutesOf(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** Minutes since midnight on the clock of a time zone. */
function clockMinutes(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  }).formatToParts(at);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0);
  return part('hour') * 60 + part('minute');
}

/** When a message may go out that is wanted at `at`: at once, or when the zone's quiet hours have ended. */
export function sendableAt(hours: QuietHours, at: Date, timeZone: string): Date {
  if (hours.from === '' || hours.to === '' || hours.from === hours.to) return at;
  const [from, to] = [minutesOf(hours.from), minutesOf(hours.to)];
  const now = clockMinutes(at, timeZone);
  const isQuiet = from < to ? now >= from && now < to : now >= from || now < to;
  if (!isQuiet) return at;
  const wholeMinute = Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS;
  const first = new Date(wholeMinute + ((to - now + DAY_MINUTES) % DAY_MINUTES) * MINUTE_MS);
  // A clock change in between: the clock shows an hour more or less than was counted.
  const shown = clockMinutes(first, timeZone);
  const off = ((to - shown + DAY_MINUTES * 1.5) % DAY_MINUTES) - DAY_MINUTES / 2;
  const second = new Date(first.getTime() + off * MINUTE_MS);
  // An end that the clock jumps over (02:30 in spring) never shows: the later guess is right enough.
  return clockMinutes(second, timeZone) === to
    ? second
    : new Date(Math.max(first.getTime(), second.getTime()));
}

/** As `sendableAt`, when it is quiet in none of the zones; undefined: there is no such time. */
export function sendableInAll(hours: QuietHours, at: Date, timeZones: readonly string[]): Date | undefined {
  let when = at;
  while (when.getTime() - at.getTime() <= SEARCHED_MS) {
    const ends = timeZones.map((timeZone) => sendableAt(hours, when, timeZone).getTime());
    const latest = Math.max(when.getTime(), ...ends);
    if (latest === when.getTime()) return when;
    when = new Date(latest);
  }
  return undefined;
}
