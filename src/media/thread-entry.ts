/**
 * The inside of a media thread's worker: wires messages to a MediaThread, and contains what nobody caught.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { threadOptionsSchema, type Answer } from './control.ts';
import { MediaThread } from './media-thread-core.ts';
import { putFirst } from '../base/precedence.ts';
import type { Voices, VoicesHost } from './voice-port.ts';

/** More uncaught errors than this within a window mean that the thread's state cannot be trusted: it dies. */
const UNCAUGHT_MAX = 20;
const UNCAUGHT_WINDOW_MS = 10_000;

export type CreateVoices = (agentOptions: unknown, host: VoicesHost) => Voices | Promise<Voices>;

/**
 * Runs until the main thread says `thread.close`; then the worker ends by itself,
 * because nothing is left in it.
 */
export async function runMediaThread(createVoices: CreateVoices): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('a media thread is started as a worker');
  const options = threadOptionsSchema.parse(workerData);
  const post = (answer: Answer): void => port.postMessage(answer);
  const voices = await createVoices(options.agent, {
    place: options.place,
    threads: options.threads,
    report: (event) => post({ event: { type: 'voices.event', event } }),
  });
  const thread = new MediaThread({ options, voices, post });
  contain((error) => thread.reportError('uncaught', error));
  port.on('message', (message) => {
    void thread.handle(message).then(() => {
      if (thread.closed) port.close();
    });
  });
  // Only now: what voices make before calls come, such as language models, may take its time.
  post({ event: { type: 'thread.ready', placed: putFirst(options.precedence) } });
}

/** One broken voice must not take the other calls of the thread with it; a storm of errors does. */
function contain(report: (error: unknown) => void): void {
  const recentMs: number[] = [];
  const onUncaught = (error: unknown): void => {
    report(error);
    const nowMs = performance.now();
    recentMs.push(nowMs);
    if (recentMs.length <= UNCAUGHT_MAX) return;
    const oldestMs = recentMs.shift() ?? nowMs;
    if (nowMs - oldestMs < UNCAUGHT_WINDOW_MS) process.exit(1);
  };
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
}
