/** Real media threads whose voices are echoes, on ports of their own. */
import { random16 } from '../../../src/base/ids.ts';
import { MediaThreads } from '../../../src/media/threads.ts';
import type { MediaThreadsOptions } from '../../../src/media/threads.ts';

/** Each call gets its own stretch of 64 ports. */
export function startThreads(options: Partial<MediaThreadsOptions> = {}): Promise<MediaThreads> {
  const rtpPortMin = 24_000 + (random16() % 120) * 64;
  return MediaThreads.start({
    count: 1,
    rtpAddress: '127.0.0.1',
    rtpPortMin,
    rtpPortMax: rtpPortMin + 63,
    quarantineMs: 50,
    logLevel: 'silent',
    agent: null,
    entry: new URL('./echo-thread.ts', import.meta.url),
    ...options,
  });
}
