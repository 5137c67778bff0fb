/** Days and times as people say them, on the clock of a place, and the instants that they are. */

export interface ClockTime {
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** `HH:MM`, 24 hours. */
  readonly time: string;
}

const DAY_MS = 24 * 3_600_000;

/** What the clock of a time zone shows at an instant. */
export function clockAt(at: Date, timeZone: string): ClockTime {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return {
    day: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}`,
  };
}

/**
 * The instant at which a clock shows this. When the clock is put back, a time comes twice: the first is
 * meant. When it is put forward, a time is left out: it is read as if the clock had not been changed.
 */
export function instantOf(wanted: ClockTime, timeZone: string): Date {
  const asUtc = utcOf(wanted);
  const offsetAt = (ms: number): number => utcOf(clockAt(new Date(ms), timeZone)) - ms;
  // The offset of the day before holds until the change, that of the day after from then on.
  const [before, after] = [offsetAt(asUtc - DAY_MS), offsetAt(asUtc + DAY_MS)];
  const [byOld, byNew] = [asUtc - before, asUtc - after];
  const isNew = offsetAt(byOld) !== before && offsetAt(byNew) === after;
  return new Date(isNew ? byNew : byOld);
}

/** A calendar day of a time zone. */
export interface Day {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly start: Date;
  /** Exclusive: when the next day begins. */
  readonly end: Date;
}

/** The day that a time zone has at an instant, 23 to 25 hours long where clocks are changed. */
export function dayAt(at: Date, timeZone: string): Day {
  const { day } = clockAt(at, timeZone);
  const next = new Date(utcOf({ day, time: '00:00' }) + DAY_MS).toISOString().slice(0, 10);
  const midnight = (of: string): Date => instantOf({ day: of, time: '00:00' }, timeZone);
  return { day, start: midnight(day), end: midnight(next) };
}

function utcOf({ day, time }: ClockTime): number {
  return Date.parse(`${day}T${time}:00Z`);
}
