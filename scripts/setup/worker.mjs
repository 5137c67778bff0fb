// Finds, downloads or builds the mediasoup worker, and leaves its path where the gateway looks for it.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { buildWorker, STAND_INS, workerStarts } from '../mediasoup-worker/build.mjs';
import { BUILD_PACKAGES, MESON_OPTIONS, PATCHES, VERIFIED_VERSION } from '../mediasoup-worker/recipe.mjs';
import { EXIT, runCommand, SetupError } from './command.mjs';
import { lockedPackages } from './npm-packages.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

/** How long mediasoup's own download of a prebuilt worker (about 10 MB) may take. */
const DOWNLOAD_TIMEOUT_MS = 90_000;

/** Read by src/media/worker-binary.ts. */
const PATH_FILE = join('node_modules', '.trunkline-worker-path');
const PACKAGE_FOLDER = join('node_modules', 'mediasoup');
const PREBUILT = join(PACKAGE_FOLDER, 'worker', 'out', 'Release', 'mediasoup-worker');

/**
 * @param {string} folder
 * @returns {string[]} all files below, sorted
 */
function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/**
 * The folder name that a worker is cached under: version, platform, and a digest of everything that
 * decides what the build makes of it.
 * @param {object} inputs
 * @param {string} inputs.version of mediasoup
 * @param {string} inputs.integrity of mediasoup's npm package, as in package-lock.json
 * @param {string} inputs.distribution contents of /etc/os-release
 * @param {string} [inputs.standIns] folder of the stand-ins
 * @returns {string}
 */
export function workerKey({ version, integrity, distribution, standIns = STAND_INS }) {
  const digest = createHash('sha256');
  const osLines = distribution.split('\n').filter((line) => /^(ID|VERSION_ID)=/.test(line));
  digest.update(JSON.stringify([integrity, osLines.sort(), BUILD_PACKAGES, MESON_OPTIONS, PATCHES]));
  for (const file of filesBelow(standIns)) {
    digest.update(`\n${relative(standIns, file)}\n`).update(readFileSync(file));
  }
  return `${version}-${process.platform}-${process.arch}-${digest.digest('hex').slice(0, 16)}`;
}

/**
 * @param {string} root folder of package.json
 * @param {string} cacheFolder
 * @returns {{ folder: string, version: string }} where this checkout's worker is cached
 */
export function workerCache(root, cacheFolder) {
  const locked = lockedPackages(join(root, 'package-lock.json'))['node_modules/mediasoup'];
  const { version = '', integrity = '' } = locked ?? {};
  const osRelease = '/etc/os-release';
  const distribution = existsSync(osRelease) ? readFileSync(osRelease, 'utf8') : '';
  const key = workerKey({ version, integrity, distribution });
  return { folder: join(cacheFolder, 'mediasoup-worker', key), version };
}

/**
 * mediasoup's own download. Its script falls back to a build that fetches a tool with pip; naming `false`
 * as Python ends it there, because the build below needs no download.
 * @param {string} root
 * @param {string} logFile
 * @returns {Promise<boolean>} whether there is now a prebuilt worker that starts
 */
async function downloadPrebuilt(root, logFile) {
  const { MEDIASOUP_WORKER_BIN: _, ...env } = process.env;
  await runCommand(process.execPath, ['npm-scripts.mjs', 'postinstall'], {
    cwd: join(root, PACKAGE_FOLDER),
    env: { ...env, PYTHON: 'false' },
    logFile,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  return workerStarts(join(root, PREBUILT));
}

/**
 * Makes sure that the gateway finds a mediasoup worker: one named by MEDIASOUP_WORKER_BIN, else the
 * package's prebuilt one, else one of the cache (filled by the download, else by the offline build).
 * These are also the places where src/media/worker-binary.ts looks, in this order.
 * @param {import('./steps.mjs').StepContext} context
 * @returns {Promise<string>} what was done, in a few words
 */
export async function ensureWorker(context) {
  const { root, cacheFolder, env } = context;
  const named = env['MEDIASOUP_WORKER_BIN'];
  if (named) {
    if (await workerStarts(named)) return `${named}, as MEDIASOUP_WORKER_BIN says`;
    throw new SetupError(EXIT.worker, `MEDIASOUP_WORKER_BIN: ${named} does not start. Mend or unset it.`);
  }
  if (await workerStarts(join(root, PREBUILT))) return 'prebuilt worker in place';

  const { folder, version } = workerCache(root, cacheFolder);
  const cached = join(folder, 'mediasoup-worker');
  const found = await workerStarts(cached);
  if (!found) await fillCache(context, { folder, cached, version });
  const pathFile = join(root, PATH_FILE);
  if (!existsSync(pathFile) || readFileSync(pathFile, 'utf8') !== cached) writeFileSync(pathFile, cached);
  return found ? `${version} from the cache` : `${version} is ready`;
}

/**
 * @param {import('./steps.mjs').StepContext} context
 * @param {{ folder: string, cached: string, version: string }} target
 */
async function fillCache(context, { folder, cached, version }) {
  const { root, progress } = context;
  const logFile = join(folder, 'build.log');
  mkdirSync(folder, { recursive: true });
  progress(`mediasoup worker ${version}: downloading the prebuilt one`);
  if (await downloadPrebuilt(root, logFile)) {
    copyFileSync(join(root, PREBUILT), `${cached}.new`);
    renameSync(`${cached}.new`, cached);
    return;
  }
  if (version !== VERIFIED_VERSION) {
    progress(`mediasoup worker ${version}: the offline build was only tried with ${VERIFIED_VERSION}`);
  }
  progress(`mediasoup worker ${version}: no download; building it once takes 6 to 15 minutes (${logFile})`);
  await ensureSystemPackages(context, BUILD_PACKAGES);
  await buildWorker({
    packageFolder: join(root, PACKAGE_FOLDER),
    output: cached,
    logFile,
    onProgress: (percent) => progress(`building the mediasoup worker`, percent),
  });
}
