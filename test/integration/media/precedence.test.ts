/** Sound goes first: media threads and mediasoup's workers, and nobody else. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Sfu } from '../../../src/media/sfu.ts';
import type { MediaThreads } from '../../../src/media/threads.ts';
import { startThreads } from '../../support/media/start-threads.ts';
import { startSfu } from '../../support/sfu.ts';
import { mayHave, STANDINGS, standingsOf, type Standing } from '../../support/standing.ts';
import { until } from '../../support/until.ts';

const open: (MediaThreads | Sfu)[] = [];
/** Threads of this process that stand so. */
const standing = (as: Standing): number =>
  standingsOf(process.pid).filter((one) => JSON.stringify(one) === JSON.stringify(as)).length;

async function start(precedence: 'realtime' | 'nice' | 'usual', count = 1): Promise<MediaThreads> {
  const threads = await startThreads({ precedence, count });
  open.push(threads);
  return threads;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

describe('media threads', () => {
  it.each(['realtime', 'nice'] as const)('stand where they should, and only they: %s', async (wanted) => {
    const allowed = mayHave(wanted);
    const before = standing(STANDINGS[allowed]);
    const threads = await start(wanted, 2);
    expect(threads.handles.map(({ placed }) => placed?.precedence)).toEqual([allowed, allowed]);
    // A helper of the first ones may have ended meanwhile: those that stand as usual come and go.
    if (allowed !== 'usual') expect(standing(STANDINGS[allowed])).toBe(before + 2);
  });

  it('stand there again when one died and another took its place', async () => {
    const threads = await start('realtime');
    const [first] = threads.handles;
    threads.events.on('error', () => undefined);
    await first?.request({ type: 'voice.open', voiceId: 'v', codec: 'pcmu', spec: {} });
    await first?.request({ type: 'voice.command', voiceId: 'v', command: 'storm' }).catch(() => null);
    await until('a new thread is there', () => threads.handles.some((one) => one !== first));
    expect(threads.handles[0]?.placed?.precedence).toBe(mayHave('realtime'));
  });

  it('stand as everything else where nobody asked for more', async () => {
    const threads = await start('usual');
    expect(threads.handles[0]?.placed).toEqual({ precedence: 'usual', refusal: null });
  });
});

describe("mediasoup's workers", () => {
  it.each(['realtime', 'nice', 'usual'] as const)('stand where they should: %s', async (wanted) => {
    const sfu = await startSfu({ precedence: wanted });
    open.push(sfu);
    const [pid = 0] = sfu.pids;
    expect(standingsOf(pid)).toContainEqual(STANDINGS[mayHave(wanted)]);
  });
});
