import { describe, expect, it } from 'vitest';
import { Events } from '../../../src/base/events.ts';
import type { Log } from '../../../src/base/log.ts';
import { Metrics } from '../../../src/base/metrics.ts';
import { logSpares, measureSpares } from '../../../src/gateway/spare-sessions.ts';
import type { MediaThreadsEvents } from '../../../src/media/threads.ts';

describe('the log', () => {
  it.each([
    ['opened', 'debug'],
    ['aged', 'debug'],
    ['died', 'info'],
    ['failed', 'warn'],
    ['limited', 'warn'],
  ])('says that one was %s, at the level %s', (what, level) => {
    const { lines, told } = listen();
    told({ type: 'spare', profile: 'clinic', what, detail: 'HTTP 401', retryMs: 300_000 });
    const facts = { thread: 'media-0', profile: 'clinic', detail: 'HTTP 401', retryMs: 300_000 };
    expect(lines).toEqual([[level, facts]]);
  });

  it('leaves out what is not known', () => {
    const { lines, told } = listen();
    told({ type: 'spare', profile: 'clinic', what: 'opened' });
    expect(lines).toEqual([['debug', { thread: 'media-0', profile: 'clinic' }]]);
  });

  it.each([[null], [{ type: 'spare' }], [{ type: 'spare', profile: 'x', what: 'stolen' }]])(
    'tells of what it does not know as an error: %j',
    (event) => {
      const { lines, told } = listen();
      told(event);
      expect(lines.map(([level]) => level)).toEqual(['error']);
    },
  );

  function listen(): { lines: [string, object][]; told: (event: unknown) => void } {
    const lines: [string, object][] = [];
    const levels = ['debug', 'info', 'warn', 'error'].map((level) => [
      level,
      (facts: object) => lines.push([level, facts]),
    ]);
    const events = new Events<MediaThreadsEvents>();
    logSpares({ events }, Object.fromEntries(levels) as Log);
    return { lines, told: (event) => events.emit('voices', { thread: 'media-0', event }) };
  }
});

describe('the metrics', () => {
  const none = { taken: 0, missed: 0, opened: 0, failed: 0, aged: 0, died: 0 };

  it('have every thread and profile, and forget those that are gone', async () => {
    const metrics = new Metrics({ ofProcess: false });
    const thread = (name: string, waiting: number, opened: number): object => ({
      name,
      figures: [{ profile: 'clinic', ...none, waiting, opened, taken: opened - waiting }],
    });
    let threads = [thread('media-0', 1, 5), thread('media-1', 2, 2)];
    measureSpares({ figures: () => Promise.resolve(threads as never) }, metrics);
    const page = await metrics.scrape();
    expect(page).toContain('trunkline_spare_sessions{thread="media-0",profile="clinic"} 1');
    expect(page).toContain('trunkline_spare_sessions{thread="media-1",profile="clinic"} 2');
    const taken = 'trunkline_spare_sessions_total{thread="media-0",profile="clinic",outcome="taken"}';
    expect(page).toContain(`${taken} 4`);
    // A thread that was started again counts from zero, and the counter goes on.
    threads = [thread('media-0', 1, 2)];
    await metrics.scrape();
    threads = [thread('media-0', 1, 3)];
    const later = await metrics.scrape();
    expect(later).toContain(`${taken} 5`);
    expect(later).not.toContain('trunkline_spare_sessions{thread="media-1"');
  });

  it('stand still when a thread counts nothing', async () => {
    const metrics = new Metrics({ ofProcess: false });
    measureSpares({ figures: () => Promise.resolve([{ name: 'media-0', figures: null }]) }, metrics);
    expect(await metrics.scrape()).not.toContain('trunkline_spare_sessions{');
  });
});
