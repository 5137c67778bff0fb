import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { findWorkerBinary } from '../../../src/media/worker-binary.ts';
import { temporaryFolder, writeText } from '../../support/temporary-folder.ts';

/** A folder with node_modules in which all three places hold a worker. */
function fullPackage(): { packageRoot: string; named: string; prebuilt: string; cached: string } {
  const packageRoot = temporaryFolder();
  const release = join(packageRoot, 'node_modules', 'mediasoup', 'worker', 'out', 'Release');
  const cached = writeText(join(packageRoot, 'cache', 'mediasoup-worker'), '');
  writeText(join(packageRoot, 'node_modules', '.trunkline-worker-path'), `${cached}\n`);
  return {
    packageRoot,
    named: writeText(join(packageRoot, 'mine'), ''),
    prebuilt: writeText(join(release, 'mediasoup-worker'), ''),
    cached,
  };
}

function failureOf(call: () => unknown): TrunklineError {
  try {
    call();
  } catch (thrown) {
    if (thrown instanceof TrunklineError) return thrown;
    throw thrown;
  }
  throw new Error('expected a failure');
}

describe('findWorkerBinary', () => {
  it('prefers the environment, then the prebuilt worker, then the cache', () => {
    const { packageRoot, named, prebuilt, cached } = fullPackage();
    expect(findWorkerBinary({ env: named, packageRoot })).toBe(named);
    expect(findWorkerBinary({ env: undefined, packageRoot })).toBe(prebuilt);
    expect(findWorkerBinary({ env: '', packageRoot })).toBe(prebuilt);
    rmSync(prebuilt);
    expect(findWorkerBinary({ env: undefined, packageRoot })).toBe(cached);
  });

  it('does not fall back when the environment names a file that is not there', () => {
    const { packageRoot } = fullPackage();
    const missing = join(packageRoot, 'missing');
    const failure = failureOf(() => findWorkerBinary({ env: missing, packageRoot }));
    expect(failure.code).toBe('WORKER_BINARY_MISSING');
    expect(failure.detail).toContain(missing);
  });

  it('says that the set-up has not run', () => {
    const packageRoot = temporaryFolder();
    const failure = failureOf(() => findWorkerBinary({ env: undefined, packageRoot }));
    expect(failure.code).toBe('WORKER_BINARY_MISSING');
    expect(failure.detail).toContain('has not run');
    expect(failure.message).toContain('npm run setup');
  });

  it('says that the cache was emptied', () => {
    const { packageRoot, prebuilt, cached } = fullPackage();
    rmSync(prebuilt);
    rmSync(cached);
    const failure = failureOf(() => findWorkerBinary({ env: undefined, packageRoot }));
    expect(failure.detail).toContain(`${cached} is gone`);
  });
});
