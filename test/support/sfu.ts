/** Real mediasoup workers for tests. */
import { fileURLToPath } from 'node:url';
import { createLog } from '../../src/base/log.ts';
import { Sfu, type SfuOptions } from '../../src/media/sfu.ts';
import { findWorkerBinary } from '../../src/media/worker-binary.ts';

export const silentLog = createLog({ level: 'silent' });

export function workerBinary(): string {
  const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
  return findWorkerBinary({ env: process.env['MEDIASOUP_WORKER_BIN'], packageRoot });
}

export function startSfu(options: Partial<SfuOptions> = {}): Promise<Sfu> {
  return Sfu.start({
    workers: 1,
    workerBinary: workerBinary(),
    listenAddress: '127.0.0.1',
    announcedAddress: '',
    webRtcPort: 0,
    log: silentLog,
    ...options,
  });
}

/** Is a process with this id there? */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
