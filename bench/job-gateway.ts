/** The gateway, whole, whose main thread tells of calls that never were: bench/jobs.ts starts it. */
import { createLog } from '../src/base/log.ts';
import { messageOf } from '../src/base/errors.ts';
import { loadSettings, readEnvironment } from '../src/config.ts';
import { startGateway } from '../src/gateway.ts';
import { JobLoad } from './job-load.ts';
import { jobOrderSchema, type JobAnswer } from './job-messages.ts';

const gateway = await startGateway(loadSettings(readEnvironment()), createLog({ level: 'warn' }));
const { journal, enqueue } = gateway;
if (enqueue === undefined) throw new Error('jobs.keep is false');
const failed: string[] = [];
const load = new JobLoad({ journal, enqueue, failed: (error) => void failed.push(messageOf(error)) });

async function answer(): Promise<JobAnswer> {
  const { calls } = load;
  const threads = (await gateway.census()).threads.map(({ census }) => census);
  const pacingLate = {
    p50Ms: Math.max(...threads.map(({ tickLateP50Ms }) => tickLateP50Ms)),
    p99Ms: Math.max(...threads.map(({ tickLateP99Ms }) => tickLateP99Ms)),
  };
  return { type: 'loaded', calls, failed: failed.slice(0, 20), pacingLate };
}

process.on('message', (message) => {
  const order = jobOrderSchema.parse(message);
  if (order.type === 'load') load.run(order.callsPerSecond);
  void answer().then((told) => process.send?.(told));
});
process.on('SIGTERM', () => {
  load.run(0);
  void gateway.close().finally(() => process.exit(0));
});
process.stderr.write('Trunkline is ready\n');
