import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/agent/models/connect-error.ts';
import { OpensPerHour } from '../../../src/agent/opens-per-hour.ts';
import { proved_ms, retry_ms_max, SpareShelf } from '../../../src/agent/spare-shelf.ts';
import type { SpareEvent } from '../../../src/agent/spares.ts';
import type { WarmOptions, WarmSession } from '../../../src/agent/voice-model.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { profile } from './voice-scene.ts';

const age_max_ms = 600_000;
const hour_ms = 3_600_000;

/** A session that dies when a test wants it to. */
class Session implements WarmSession {
  usable = true;
  closed = false;
  readonly options: WarmOptions;

  constructor(options: WarmOptions) {
    this.options = options;
  }

  attach(): Promise<never> {
    return Promise.reject(new Error('not in this test'));
  }

  die(): void {
    this.usable = false;
    this.options.spent('the far end went');
  }

  close(): void {
    this.closed = true;
  }
}

let clock: ManualClock;
let sessions: Session[];
let failure: Error | null;
/** Set: openings are answered by `answer` only. */
let slow: boolean;
let answer: () => void;
let events: SpareEvent[];
let shelf: SpareShelf;

beforeEach(() => {
  clock = new ManualClock();
  sessions = [];
  failure = null;
  slow = false;
  events = [];
});
afterEach(() => {
  shelf.close();
  expect(clock.pending).toBe(0);
  expect(sessions.filter((one) => one.usable && !one.closed && !taken.has(one))).toEqual([]);
});

let taken: Set<WarmSession>;

async function start(options: { size?: number; opensPerHour?: number } = {}): Promise<void> {
  const { size = 1, opensPerHour = 1000 } = options;
  taken = new Set();
  shelf = new SpareShelf({
    ...{ profile, size, clock, ageMaxMs: age_max_ms },
    opens: new OpensPerHour(opensPerHour),
    warm: (given) => {
      if (failure) return Promise.reject(failure);
      const session = new Session(given);
      sessions.push(session);
      if (!slow) return Promise.resolve(session);
      return new Promise((resolve) => (answer = () => resolve(session)));
    },
    now: () => new Date(),
    report: (event) => events.push(event),
  });
  await goOn(0);
}

async function goOn(ms: number): Promise<void> {
  clock.advance(ms);
  await turnOfTheLoop();
}

function take(): WarmSession | null {
  const session = shelf.take();
  if (session !== null) taken.add(session);
  return session;
}

const happened = (): string[] => events.map(({ what }) => what);

describe('a shelf of spare sessions', () => {
  it('is filled one after another, up to its size', async () => {
    slow = true;
    await start({ size: 2 });
    expect(sessions).toHaveLength(1);
    answer();
    await goOn(0);
    expect(sessions).toHaveLength(2);
    answer();
    await goOn(0);
    expect(sessions).toHaveLength(2);
    expect(shelf.figures).toEqual({
      ...{ profile: 'test', waiting: 2, opened: 2 },
      ...{ taken: 0, missed: 0, failed: 0, aged: 0, died: 0 },
    });
    expect(sessions[0]?.options.profile).toBe(profile);
  });

  it('gives each away once, the oldest first, and opens another in its place', async () => {
    await start({ size: 2 });
    const [first, second] = sessions;
    expect([take(), take(), take()]).toEqual([first, second, null]);
    await goOn(0);
    expect(sessions).toHaveLength(4);
    expect(take()).toBe(sessions[2]);
    expect(shelf.figures).toMatchObject({ taken: 3, missed: 1, waiting: 1 });
    expect(sessions.slice(0, 3).some((one) => one.closed)).toBe(false);
  });

  it('gives nobody a session that is dead, told or not', async () => {
    await start({ size: 2 });
    if (sessions[0]) sessions[0].usable = false;
    expect(take()).toBe(sessions[1]);
    expect(take()).toBeNull();
  });

  it('replaces one that grew old', async () => {
    await start();
    await goOn(age_max_ms - 1);
    expect(sessions).toHaveLength(1);
    await goOn(1);
    expect(sessions.map((one) => one.closed)).toEqual([true, false]);
    expect(shelf.figures).toMatchObject({ aged: 1, waiting: 1 });
    expect(happened()).toEqual(['opened', 'aged', 'opened']);
  });

  it('leaves a session that was taken alone, however old it grows', async () => {
    await start();
    take();
    await goOn(age_max_ms);
    expect(sessions[0]?.closed).toBe(false);
    sessions[0]?.die();
    expect(shelf.figures.died).toBe(0);
  });

  it('replaces one that died at once, when it had lived for a while', async () => {
    await start();
    await goOn(proved_ms);
    sessions[0]?.die();
    await goOn(0);
    expect(shelf.figures).toMatchObject({ died: 1, waiting: 1 });
    expect(events).toContainEqual({
      type: 'spare',
      profile: 'test',
      what: 'died',
      detail: 'the far end went',
    });
  });

  it('waits before it replaces one that hardly lived, longer each time', async () => {
    await start();
    for (const waitMs of [1000, 2000, 4000]) {
      sessions.at(-1)?.die();
      const opened = sessions.length;
      await goOn(waitMs - 1);
      expect(sessions).toHaveLength(opened);
      await goOn(1);
      expect(sessions).toHaveLength(opened + 1);
    }
    // One that served a call is proof enough.
    take();
    await goOn(0);
    sessions.at(-1)?.die();
    await goOn(1000);
    expect(shelf.figures.waiting).toBe(1);
  });

  it('keeps none that died while it was being opened', async () => {
    slow = true;
    await start();
    sessions[0]?.die();
    answer();
    await goOn(0);
    expect(shelf.figures).toMatchObject({ waiting: 0, died: 1 });
    expect(take()).toBeNull();
  });

  it('keeps its pause although another opening comes to its end meanwhile', async () => {
    await start({ size: 2 });
    slow = true;
    take();
    await goOn(0);
    sessions[1]?.die();
    answer();
    await goOn(0);
    expect(shelf.figures.waiting).toBe(1);
    await goOn(999);
    expect(sessions).toHaveLength(3);
    await goOn(1);
    expect(sessions).toHaveLength(4);
    answer();
    await goOn(0);
  });
});

describe('a vendor that refuses', () => {
  it('is asked again later and later, up to every five minutes', async () => {
    failure = new ConnectError('HTTP 500', true);
    await start();
    const waits: number[] = [];
    for (let count = 0; count < 11; count += 1) {
      const { retryMs = 0 } = events.at(-1) ?? {};
      waits.push(retryMs);
      await goOn(retryMs);
    }
    expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
    expect(waits.slice(-2)).toEqual([retry_ms_max, retry_ms_max]);
    expect(events[0]).toMatchObject({ what: 'failed', detail: 'HTTP 500' });
    failure = null;
    await goOn(retry_ms_max);
    expect(shelf.figures).toMatchObject({ waiting: 1, failed: 12 });
  });

  it.each([
    ['the key', new ConnectError('refused the API key (HTTP 401)', false)],
    ['for a reason of our own', new Error('no such model')],
  ])('%s is not asked again for five minutes', async (_what, thrown) => {
    failure = thrown;
    await start();
    await goOn(retry_ms_max - 1);
    expect(shelf.figures.failed).toBe(1);
    await goOn(1);
    expect(shelf.figures.failed).toBe(2);
  });
});

describe('the limit of opens', () => {
  it('holds within any hour, and is told', async () => {
    await start({ opensPerHour: 2 });
    take();
    await goOn(1000);
    take();
    await goOn(0);
    expect(sessions).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ what: 'limited', retryMs: hour_ms - 1000 });
    expect(take()).toBeNull();
    await goOn(hour_ms - 1001);
    expect(sessions).toHaveLength(2);
    await goOn(1);
    expect(sessions).toHaveLength(3);
  });

  it('of none opens none', async () => {
    await start({ opensPerHour: 0 });
    await goOn(3 * hour_ms);
    expect(sessions).toEqual([]);
    expect(new Set(happened())).toEqual(new Set(['limited']));
  });

  it('counts what lies less than an hour back', () => {
    const opens = new OpensPerHour(2);
    expect([opens.take(0), opens.take(10), opens.take(20)]).toEqual([true, true, false]);
    expect(opens.freeInMs(20)).toBe(hour_ms - 20);
    expect([opens.take(hour_ms - 1), opens.take(hour_ms), opens.take(hour_ms)]).toEqual([false, true, false]);
  });
});

describe('closing', () => {
  it('closes what waits and what is still being opened, and opens nothing more', async () => {
    await start({ size: 2 });
    slow = true;
    take();
    await goOn(0);
    shelf.close();
    answer();
    await goOn(age_max_ms);
    expect(sessions.map((one) => one.closed)).toEqual([false, true, true]);
    expect(shelf.figures.waiting).toBe(0);
    expect(take()).toBeNull();
  });

  it('ends a pause, too', async () => {
    failure = new ConnectError('HTTP 500', true);
    await start();
    shelf.close();
    expect(clock.pending).toBe(0);
  });
});
