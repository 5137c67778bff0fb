import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ensureNpmPackages, lockedPackages, outdatedPackages } from '../../../scripts/setup/npm-packages.mjs';
import { temporaryFolder, writeProgram, writeText } from '../../support/temporary-folder.ts';

type Packages = Record<string, { version?: string; optional?: boolean }>;

/** A project folder whose lockfile says `locked` and whose node_modules hold `installed`. */
function project(locked: Packages, installed?: Packages): string {
  const root = temporaryFolder();
  writeText(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }));
  if (installed !== undefined) {
    writeText(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
  }
  return root;
}

/** Puts a stand-in for npm first on the PATH. */
function withNpm(body: string): void {
  const folder = temporaryFolder();
  writeProgram(join(folder, 'npm'), body);
  vi.stubEnv('PATH', [folder, process.env['PATH']].join(delimiter));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

describe('outdatedPackages', () => {
  it('is all of them in a fresh clone', () => {
    const root = project({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } });
    expect(outdatedPackages(root)).toEqual(['node_modules/a', 'node_modules/b']);
  });

  it('is none when npm has installed what is locked', () => {
    const packages = { 'node_modules/a': { version: '1.0.0' } };
    expect(outdatedPackages(project(packages, packages))).toEqual([]);
  });

  it('names a package of another version and a new one', () => {
    const root = project(
      { 'node_modules/a': { version: '1.0.1' }, 'node_modules/b': { version: '2.0.0' } },
      { 'node_modules/a': { version: '1.0.0' } },
    );
    expect(outdatedPackages(root)).toEqual(['node_modules/a', 'node_modules/b']);
  });

  it('leaves out what npm leaves out on other platforms', () => {
    const root = project({ 'node_modules/a-win32': { version: '1.0.0', optional: true } }, {});
    expect(outdatedPackages(root)).toEqual([]);
  });

  it('does not mind a package too many', () => {
    const root = project({}, { 'node_modules/extra': { version: '1.0.0' } });
    expect(outdatedPackages(root)).toEqual([]);
  });
});

describe('lockedPackages', () => {
  it('is empty without a lockfile', () => {
    expect(lockedPackages(join(temporaryFolder(), 'package-lock.json'))).toEqual({});
  });
});

describe('ensureNpmPackages', () => {
  it('does not call npm when all is up to date', async () => {
    withNpm('exit 1');
    const packages = { 'node_modules/a': { version: '1.0.0' } };
    const root = project(packages, packages);
    writeText(join(root, 'node_modules', 'node', 'bin', 'node'), '');
    const told: string[] = [];
    const context = {
      root,
      cacheFolder: root,
      env: process.env,
      progress: (text: string) => told.push(text),
    };
    expect(await ensureNpmPackages(context)).toBe('up to date');
    expect(told).toEqual([]);
  });

  it('installs what is locked and keeps the worker out of it', async () => {
    withNpm(
      'mkdir -p node_modules/node/bin; touch node_modules/node/bin/node\necho "$1 $MEDIASOUP_WORKER_BIN"',
    );
    const root = project({ 'node_modules/a': { version: '1.0.0' } });
    const told: string[] = [];
    const context = {
      root,
      cacheFolder: root,
      env: process.env,
      progress: (text: string) => told.push(text),
    };
    vi.stubEnv('MEDIASOUP_WORKER_BIN', undefined);
    expect(await ensureNpmPackages(context)).toBe('installed');
    expect(told).toEqual(['installing npm packages (1 are missing or old)']);
    expect(readFileSync(join(root, 'log', 'npm.log'), 'utf8')).toContain('\nci set-up-later\n');
  });

  it('puts the pinned Node in place where its install script was not run', async () => {
    withNpm('exit 1');
    const root = project({}, {});
    const folder = join(root, 'node_modules', 'node');
    writeText(
      join(folder, 'installArchSpecificPackage.js'),
      `require('fs').mkdirSync('bin'); require('fs').writeFileSync('bin/node', '')`,
    );
    const context = { root, cacheFolder: root, env: process.env, progress: () => undefined };
    expect(await ensureNpmPackages(context)).toBe('up to date');
    expect(readFileSync(join(folder, 'bin', 'node'), 'utf8')).toBe('');
  });

  it.each([
    ['npm fails', 'echo "npm error network"; exit 1', 'npm ci failed (1):\nnpm error network'],
    [
      'the pinned Node is missing afterwards',
      'mkdir -p node_modules/node',
      'The pinned Node cannot be installed',
    ],
  ])('says so when %s', async (_, npm, message) => {
    withNpm(npm);
    const root = project({ 'node_modules/a': { version: '1.0.0' } });
    const context = { root, cacheFolder: root, env: process.env, progress: () => undefined };
    await expect(ensureNpmPackages(context)).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining(message) as string,
    });
  });
});
