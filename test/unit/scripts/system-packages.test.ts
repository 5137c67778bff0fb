import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SetupError } from '../../../scripts/setup/command.mjs';
import type { StepContext } from '../../../scripts/setup/steps.mjs';
import {
  ensureSystemPackages,
  missingPackages,
  rootPrefix,
  SYSTEM_PACKAGES,
} from '../../../scripts/setup/system-packages.mjs';
import { temporaryFolder, writeProgram } from '../../support/temporary-folder.ts';

const ABSENT = 'trunkline-no-such-package';
const ROOT_USER = { uid: 0, isTerminal: false };
const PLAIN_USER = { uid: 1000, isTerminal: false };

/** A PATH of one folder: the real dpkg-query, and stand-ins for what would change this machine. */
function onlyPrograms(stubs: Record<string, string>): string {
  const folder = temporaryFolder();
  symlinkSync('/usr/bin/dpkg-query', join(folder, 'dpkg-query'));
  for (const [name, body] of Object.entries(stubs)) writeProgram(join(folder, name), body);
  vi.stubEnv('PATH', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return folder;
}

function newContext(env: NodeJS.ProcessEnv = {}): StepContext & { told: string[] } {
  const told: string[] = [];
  const cacheFolder = temporaryFolder();
  return { root: cacheFolder, cacheFolder, env, told, progress: (text) => told.push(text) };
}

async function failureOf(promise: Promise<unknown>): Promise<SetupError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SetupError) return thrown;
  throw new Error('expected a SetupError', { cause: thrown });
}

describe('missingPackages', () => {
  it('asks the package manager what is installed', async () => {
    expect(await missingPackages(['dpkg', ABSENT, 'bash'])).toEqual([ABSENT]);
  });

  it('is content with any alternative', async () => {
    expect(await missingPackages([`${ABSENT}|dpkg`, `${ABSENT}|${ABSENT}-2`])).toEqual([
      `${ABSENT}|${ABSENT}-2`,
    ]);
  });

  it('misses nothing of what these tests need', async () => {
    const all = [...SYSTEM_PACKAGES.run, ...SYSTEM_PACKAGES.call, ...SYSTEM_PACKAGES.test];
    expect(await missingPackages(all)).toEqual([]);
  });
});

describe('SYSTEM_PACKAGES', () => {
  it('keeps what only tests need away from the gateway', () => {
    const run = new Set(SYSTEM_PACKAGES.run);
    expect([...SYSTEM_PACKAGES.test, ...SYSTEM_PACKAGES.call].filter((name) => run.has(name))).toEqual([]);
  });
});

describe('rootPrefix', () => {
  it('needs nothing as root', async () => {
    onlyPrograms({});
    expect(await rootPrefix(ROOT_USER)).toEqual([]);
  });

  it('takes sudo that needs no password', async () => {
    onlyPrograms({ sudo: 'exit 0' });
    expect(await rootPrefix(PLAIN_USER)).toEqual(['sudo', '-n']);
  });

  it('takes sudo that can ask for a password, at a terminal only', async () => {
    onlyPrograms({ sudo: '[ "$1" = -V ]' });
    expect(await rootPrefix({ uid: 1000, isTerminal: true })).toEqual(['sudo']);
    expect(await rootPrefix(PLAIN_USER)).toBeUndefined();
  });

  it('knows when there is no way', async () => {
    onlyPrograms({});
    expect(await rootPrefix({ uid: 1000, isTerminal: true })).toBeUndefined();
  });
});

describe('ensureSystemPackages', () => {
  it('does nothing where all is in place', async () => {
    const context = newContext();
    expect(await ensureSystemPackages(context, ['dpkg', 'bash'])).toBe('2 in place');
    expect(context.told).toEqual([]);
  });

  it('does not look when told so', async () => {
    const context = newContext({ TRUNKLINE_SKIP_SYSTEM_PACKAGES: '1' });
    expect(await ensureSystemPackages(context, [ABSENT])).toBe('not checked, as told');
  });

  it('lists what to install by hand where it may not', async () => {
    onlyPrograms({});
    const failure = await failureOf(
      ensureSystemPackages(newContext(), ['dpkg', `${ABSENT}|other`], PLAIN_USER),
    );
    expect(failure.exitCode).toBe(3);
    expect(failure.message).toContain(`  ${ABSENT} or other\n`);
    expect(failure.message).toContain(`sudo apt-get update && sudo apt-get install ${ABSENT}\n`);
    expect(failure.message).not.toContain('dpkg');
    expect(failure.message).toContain('TRUNKLINE_SKIP_SYSTEM_PACKAGES=1');
  });

  it('installs under the name that this release knows, after reading the lists', async () => {
    const folder = onlyPrograms({
      env: `echo "$@" >> "$(/usr/bin/dirname "$0")/calls"`,
      'apt-cache': `printf '${ABSENT}:\\n  Candidate: (none)\\n${ABSENT}t64:\\n  Candidate: 1.0\\n'`,
    });
    const context = newContext();
    const done = await ensureSystemPackages(context, [`${ABSENT}|${ABSENT}t64`], ROOT_USER);
    expect(done).toBe(`installed ${ABSENT}t64`);
    const calls = readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n');
    expect(calls).toHaveLength(2);
    expect(calls[0]).toMatch(/^DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get .* update$/);
    expect(calls[1]).toMatch(new RegExp(`apt-get .* install -y --no-install-recommends ${ABSENT}t64$`));
    expect(context.told).toEqual(['reading the package lists', `installing ${ABSENT}t64`]);
  });

  it('tells what apt said when it fails, and where the whole of it stands', async () => {
    onlyPrograms({
      env: 'echo "E: Unable to locate package"; exit 100',
      'apt-cache': 'true',
    });
    const context = newContext();
    const failure = await failureOf(ensureSystemPackages(context, [ABSENT], ROOT_USER));
    expect(failure.exitCode).toBe(3);
    expect(failure.message).toContain('apt-get failed (100)');
    expect(failure.message).toContain('Unable to locate package');
    const log = join(context.cacheFolder, 'log', 'apt.log');
    expect(failure.message).toContain(log);
    expect(readFileSync(log, 'utf8')).toContain('Unable to locate package');
  });
});
