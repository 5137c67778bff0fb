import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildWorker,
  removeAbandonedBuilds,
  ninjaPercent,
  patchSources,
  workerStarts,
} from '../../../scripts/mediasoup-worker/build.mjs';
import { PATCHES, VERIFIED_VERSION } from '../../../scripts/mediasoup-worker/recipe.mjs';
import type { StepContext } from '../../../scripts/setup/steps.mjs';
import { ensureWorker, workerCache, workerKey } from '../../../scripts/setup/worker.mjs';
import { findWorkerBinary } from '../../../src/media/worker-binary.ts';
import { temporaryFolder, writeProgram, writeText } from '../../support/temporary-folder.ts';
import { ROOT } from '../../tidy/files.ts';

/** What a worker does that mediasoup did not start. */
const RUNS = 'exit 41';
const MEDIASOUP_SOURCES = join(ROOT, 'node_modules', 'mediasoup', 'worker');

function newContext(env: NodeJS.ProcessEnv = {}): StepContext & { told: string[] } {
  const root = temporaryFolder();
  const lock = { packages: { 'node_modules/mediasoup': { version: '3.0.0', integrity: 'sha512-x' } } };
  writeText(join(root, 'package-lock.json'), JSON.stringify(lock));
  writeText(join(root, 'node_modules', 'mediasoup', 'package.json'), '{}');
  const told: string[] = [];
  return { root, cacheFolder: join(root, 'cache'), env, told, progress: (text) => told.push(text) };
}

describe('workerStarts', () => {
  it('takes a worker by the code with which it refuses to run alone', async () => {
    const folder = temporaryFolder();
    expect(await workerStarts(writeProgram(join(folder, 'good'), RUNS))).toBe(true);
    expect(await workerStarts(writeProgram(join(folder, 'lacks-a-library'), 'exit 127'))).toBe(false);
    expect(await workerStarts(join(folder, 'absent'))).toBe(false);
  });

  it('takes the worker that these tests run with', async () => {
    const binary = findWorkerBinary({ env: process.env['MEDIASOUP_WORKER_BIN'], packageRoot: ROOT });
    expect(await workerStarts(binary)).toBe(true);
  });
});

describe('workerKey', () => {
  const standIns = join(ROOT, 'scripts', 'mediasoup-worker', 'stand-ins');
  const inputs = {
    version: '3.27.1',
    integrity: 'sha512-a',
    distribution: 'ID=debian\nVERSION_ID="12"\n',
    standIns,
  };

  it('names version and platform and is the same every time', () => {
    expect(workerKey(inputs)).toBe(workerKey({ ...inputs }));
    expect(workerKey(inputs)).toMatch(
      new RegExp(`^3\\.27\\.1-${process.platform}-${process.arch}-[0-9a-f]{16}$`),
    );
  });

  it('differs when the sources, the distribution or a stand-in do', () => {
    const changed = temporaryFolder();
    writeText(join(changed, 'libuv', 'meson.build'), 'project()');
    const keys = [
      workerKey(inputs),
      workerKey({ ...inputs, integrity: 'sha512-b' }),
      workerKey({ ...inputs, distribution: 'ID=debian\nVERSION_ID="13"\n' }),
      workerKey({ ...inputs, standIns: changed }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('stays when the distribution only got an update', () => {
    const updated = { ...inputs, distribution: `PRETTY_NAME="Debian 12.9"\n${inputs.distribution}` };
    expect(workerKey(updated)).toBe(workerKey(inputs));
  });
});

describe('the recipe', () => {
  it('was verified with the mediasoup that is locked', () => {
    expect(workerCache(ROOT, 'cache').version).toBe(VERIFIED_VERSION);
  });

  it('fits the sources of the installed mediasoup', () => {
    const sources = temporaryFolder();
    for (const { file } of PATCHES) {
      writeText(join(sources, file), readFileSync(join(MEDIASOUP_SOURCES, file), 'utf8'));
    }
    patchSources(sources);
    for (const { file, from, to } of PATCHES) {
      const patched = readFileSync(join(sources, file), 'utf8');
      expect(patched).toContain(to);
      expect(patched).not.toContain(from);
    }
  });

  it.each([
    ['is gone', 'nothing to see'],
    ['is there twice', 'old old'],
  ])('stops when a place to patch %s', (_, text) => {
    const sources = temporaryFolder();
    writeText(join(sources, 'a.cpp'), text);
    expect(() => patchSources(sources, [{ file: 'a.cpp', from: 'old', to: 'new' }])).toThrow(/instead of 1/);
    expect(readFileSync(join(sources, 'a.cpp'), 'utf8')).toBe(text);
  });
});

describe('ninjaPercent', () => {
  it.each([
    ['[1/263] Compiling C++ object a.o', 0],
    ['[132/263] Compiling C++ object b.o', 50],
    ['[263/263] Linking target mediasoup-worker', 100],
    ['../src/a.cpp: warning: [1/2]', undefined],
  ])('reads %s', (line, percent) => {
    expect(ninjaPercent(line)).toBe(percent);
  });
});

describe('buildWorker', () => {
  it('leaves nothing behind when it fails', async () => {
    const folder = temporaryFolder();
    const packageFolder = join(folder, 'mediasoup');
    writeText(join(packageFolder, 'worker', 'subprojects', 'libuv.wrap'), '');
    writeText(join(packageFolder, 'worker', 'meson.build'), 'of another version');
    const cache = join(folder, 'cache');
    const output = join(cache, 'mediasoup-worker');
    writeText(join(cache, 'build.log'), '');
    const job = { packageFolder, output, logFile: join(cache, 'build.log'), onProgress: () => undefined };
    await expect(buildWorker(job)).rejects.toThrow(/recipe\.mjs was made for another version/);
    expect(readdirSync(cache)).toEqual(['build.log']);
  });
});

describe('removeAbandonedBuilds', () => {
  it('removes folders of builds that are gone, and nothing else', () => {
    const folder = temporaryFolder();
    const { pid: endedPid } = spawnSync('true');
    writeText(join(folder, `build-${endedPid}-abc`, 'worker', 'a.cpp'), '');
    writeText(join(folder, `build-${process.pid}-abc`, 'worker', 'a.cpp'), '');
    writeText(join(folder, 'build.log'), '');
    writeText(join(folder, 'mediasoup-worker'), '');
    removeAbandonedBuilds(folder);
    expect(readdirSync(folder).sort()).toEqual([`build-${process.pid}-abc`, 'build.log', 'mediasoup-worker']);
  });
});

describe('ensureWorker', () => {
  it('takes the one that the environment names', async () => {
    const context = newContext();
    const named = writeProgram(join(context.root, 'mine'), RUNS);
    context.env = { MEDIASOUP_WORKER_BIN: named };
    expect(await ensureWorker(context)).toContain(named);
    expect(findWorkerBinary({ env: named, packageRoot: context.root })).toBe(named);
  });

  it('refuses one that is named and does not start', async () => {
    const context = newContext({ MEDIASOUP_WORKER_BIN: join(temporaryFolder(), 'absent') });
    await expect(ensureWorker(context)).rejects.toMatchObject({ exitCode: 5 });
  });

  it('takes the prebuilt one of the package', async () => {
    const context = newContext();
    const release = join(context.root, 'node_modules', 'mediasoup', 'worker', 'out', 'Release');
    const prebuilt = writeProgram(join(release, 'mediasoup-worker'), RUNS);
    expect(await ensureWorker(context)).toBe('prebuilt worker in place');
    expect(findWorkerBinary({ env: undefined, packageRoot: context.root })).toBe(prebuilt);
  });

  it('takes the one of the cache and tells the gateway where it is', async () => {
    const context = newContext();
    const { folder } = workerCache(context.root, context.cacheFolder);
    const cached = writeProgram(join(folder, 'mediasoup-worker'), RUNS);
    expect(await ensureWorker(context)).toBe('3.0.0 from the cache');
    expect(await ensureWorker(context)).toBe('3.0.0 from the cache');
    expect(context.told).toEqual([]);
    expect(findWorkerBinary({ env: undefined, packageRoot: context.root })).toBe(cached);
  });

  it("runs the package's download first, and keeps what it got for other checkouts", async () => {
    const context = newContext();
    // Stands in for the download, which tests must not make: it does what mediasoup's script does.
    writeText(
      join(context.root, 'node_modules', 'mediasoup', 'npm-scripts.mjs'),
      `import { mkdirSync, writeFileSync } from 'node:fs';
       if (process.argv[2] !== 'postinstall' || process.env.PYTHON !== 'false') process.exit(1);
       mkdirSync('worker/out/Release', { recursive: true });
       writeFileSync('worker/out/Release/mediasoup-worker', '#!/bin/sh\\n${RUNS}\\n', { mode: 0o775 });`,
    );
    expect(await ensureWorker(context)).toBe('3.0.0 is ready');
    expect(context.told).toEqual(['mediasoup worker 3.0.0: downloading the prebuilt one']);
    const { folder } = workerCache(context.root, context.cacheFolder);
    expect(await workerStarts(join(folder, 'mediasoup-worker'))).toBe(true);

    rmSync(join(context.root, 'node_modules', 'mediasoup', 'worker'), { recursive: true });
    expect(await ensureWorker(context)).toBe('3.0.0 from the cache');
  });

  it('says what it needs when neither download nor build is possible', async () => {
    const context = newContext({ TRUNKLINE_SKIP_SYSTEM_PACKAGES: '1' });
    writeText(join(context.root, 'node_modules', 'mediasoup', 'npm-scripts.mjs'), 'process.exit(1)');
    writeText(join(context.root, 'node_modules', 'mediasoup', 'worker', 'subprojects', 'a.wrap'), '');
    writeText(join(context.root, 'node_modules', 'mediasoup', 'worker', 'meson.build'), '');
    await expect(ensureWorker(context)).rejects.toMatchObject({ exitCode: 5 });
    expect(context.told.join('\n')).toContain(`only tried with ${VERIFIED_VERSION}`);
    expect(existsSync(join(context.root, 'node_modules', '.trunkline-worker-path'))).toBe(false);
  });
});
