// The npm packages: installed when what is there differs from package-lock.json.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, runCommand, SetupError } from './command.mjs';

/** Written by npm after each install: what is really in node_modules. */
const INSTALLED_LOCK = join('node_modules', '.package-lock.json');

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage
 */

/**
 * @param {string} file a lockfile of npm; it need not exist
 * @returns {Record<string, LockedPackage>} path below the root -> package
 */
export function lockedPackages(file) {
  if (!existsSync(file)) return {};
  const lock = /** @type {{ packages: Record<string, LockedPackage> }} */ (
    JSON.parse(readFileSync(file, 'utf8'))
  );
  return lock.packages;
}

/**
 * The packages that are locked but not installed in that version. Packages for other platforms do not count.
 * @param {string} root folder of package.json
 * @returns {string[]} paths below `root`
 */
export function outdatedPackages(root) {
  const installed = lockedPackages(join(root, INSTALLED_LOCK));
  return Object.entries(lockedPackages(join(root, 'package-lock.json')))
    .filter(([path, locked]) => path !== '' && !locked.optional)
    .filter(([path, locked]) => installed[path]?.version !== locked.version)
    .map(([path]) => path);
}

/**
 * Makes node_modules what package-lock.json says, the pinned Node included.
 * @param {import('./steps.mjs').StepContext} context
 * @returns {Promise<string>} what was done, in a few words
 */
export async function ensureNpmPackages({ root, cacheFolder, env, progress }) {
  const outdated = outdatedPackages(root).length;
  const logFile = join(cacheFolder, 'log', 'npm.log');
  if (outdated > 0) {
    progress(`installing npm packages (${outdated} are missing or old)`);
    // The worker has a step of its own: with this variable mediasoup's install script leaves it alone.
    const npmEnv = { ...env, MEDIASOUP_WORKER_BIN: env['MEDIASOUP_WORKER_BIN'] ?? 'set-up-later' };
    const { code, tail } = await runCommand('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      env: npmEnv,
      logFile,
    });
    if (code !== 0) {
      throw new SetupError(EXIT.npmPackages, `npm ci failed (${code}):\n${tail}\nAll: ${logFile}`);
    }
  }
  await ensurePinnedNode({ root, logFile });
  return outdated > 0 ? 'installed' : 'up to date';
}

/**
 * The npm package `node` puts the pinned Node in place by an install script. npm 11 runs such scripts only
 * where package.json allows it, and a user's setting may forbid them all: then it is run here.
 * @param {{ root: string, logFile: string }} places
 */
async function ensurePinnedNode({ root, logFile }) {
  const folder = join(root, 'node_modules', 'node');
  if (existsSync(join(folder, 'bin', 'node'))) return;
  const { code, tail } = await runCommand(process.execPath, ['installArchSpecificPackage'], {
    cwd: folder,
    logFile,
  });
  if (code !== 0 || !existsSync(join(folder, 'bin', 'node'))) {
    throw new SetupError(EXIT.npmPackages, `The pinned Node cannot be installed (${code}):\n${tail}`);
  }
}
