import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrunklineError } from '../base/errors.ts';

/** Where mediasoup's own install step leaves a prebuilt worker. */
const PREBUILT = join('node_modules', 'mediasoup', 'worker', 'out', 'Release', 'mediasoup-worker');

/** Written by scripts/setup.mjs: one line, the path of a worker in the cache. */
const CACHED_PATH_FILE = join('node_modules', '.trunkline-worker-path');

export interface WorkerBinarySources {
  /** The value of MEDIASOUP_WORKER_BIN: a worker of one's own. */
  env: string | undefined;
  /** The folder that holds package.json and node_modules. */
  packageRoot: string;
}

/**
 * The path of the mediasoup worker to start: the one named by the environment, else the prebuilt one of the
 * npm package, else the one that the set-up put into its cache.
 *
 * @throws TrunklineError WORKER_BINARY_MISSING when a named file is not there, or none is found.
 */
export function findWorkerBinary({ env, packageRoot }: WorkerBinarySources): string {
  if (env !== undefined && env !== '') {
    if (existsSync(env)) return env;
    throw new TrunklineError(
      'WORKER_BINARY_MISSING',
      `MEDIASOUP_WORKER_BIN names ${env}, which is not there`,
    );
  }
  const prebuilt = join(packageRoot, PREBUILT);
  if (existsSync(prebuilt)) return prebuilt;

  const cached = cachedPath(join(packageRoot, CACHED_PATH_FILE));
  if (cached !== undefined && existsSync(cached)) return cached;
  throw new TrunklineError(
    'WORKER_BINARY_MISSING',
    cached === undefined ? 'the set-up has not run in this folder' : `${cached} is gone from the cache`,
  );
}

function cachedPath(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}
