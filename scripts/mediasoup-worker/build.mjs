// Builds the mediasoup worker from the sources inside its npm package with the distribution's
// libraries alone: nothing is downloaded. stand-ins/ takes the place of what upstream's build fetches.
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, runCommand, SetupError } from '../setup/command.mjs';
import { MESON_OPTIONS, PATCHES } from './recipe.mjs';

export const STAND_INS = join(dirname(fileURLToPath(import.meta.url)), 'stand-ins');

/** Started without mediasoup's environment, a worker that can run on this machine ends with this code. */
const CODE_NOT_STARTED_BY_MEDIASOUP = 41;

/**
 * Whether a worker binary exists and can run here (its shared libraries are found, and so on).
 * @param {string} binary
 * @returns {Promise<boolean>}
 */
export async function workerStarts(binary) {
  const { code } = await runCommand(binary, [], { env: {}, timeoutMs: 10_000 });
  return code === CODE_NOT_STARTED_BY_MEDIASOUP;
}

/**
 * Applies the recipe's patches to a copy of the worker's sources.
 * Throws when a place is not there exactly once: then the recipe needs a look.
 * @param {string} sources
 * @param {typeof PATCHES} patches
 */
export function patchSources(sources, patches = PATCHES) {
  for (const { file, from, to } of patches) {
    const path = join(sources, file);
    const parts = readFileSync(path, 'utf8').split(from);
    if (parts.length !== 2) {
      throw new SetupError(
        EXIT.worker,
        `${file} of the mediasoup worker has ${parts.length - 1} places to patch instead of 1: ` +
          'scripts/mediasoup-worker/recipe.mjs was made for another version.',
      );
    }
    writeFileSync(path, parts.join(to));
  }
}

/**
 * The percentage that a line of ninja tells, as in `[12/263] Compiling ...`.
 * @param {string} line
 * @returns {number | undefined}
 */
export function ninjaPercent(line) {
  const match = /^\[(\d+)\/(\d+)\]/.exec(line);
  return match ? Math.floor((100 * Number(match[1])) / Number(match[2])) : undefined;
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    // It is there when it belongs to somebody else.
    return /** @type {NodeJS.ErrnoException} */ (thrown).code === 'EPERM';
  }
}

/**
 * Removes what interrupted builds have left.
 * @param {string} folder that of the output
 */
export function removeAbandonedBuilds(folder) {
  for (const name of readdirSync(folder)) {
    const pid = /^build-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(folder, name), { recursive: true });
  }
}

/**
 * Builds `output` (6 minutes on 2 idle cores) and checks that it starts. Work happens in a folder beside
 * `output`, which is put in place in one step: builds at the same time do not harm each other.
 * @param {object} job
 * @param {string} job.packageFolder node_modules/mediasoup
 * @param {string} job.output path of the binary; its folder exists
 * @param {string} job.logFile
 * @param {(percent: number) => void} job.onProgress
 */
export async function buildWorker({ packageFolder, output, logFile, onProgress }) {
  removeAbandonedBuilds(dirname(output));
  const folder = mkdtempSync(join(dirname(output), `build-${process.pid}-`));
  const sources = join(folder, 'worker');
  const objects = join(folder, 'objects');
  const built = join(objects, 'mediasoup-worker');
  try {
    cpSync(join(packageFolder, 'worker'), sources, { recursive: true });
    rmSync(join(sources, 'subprojects'), { recursive: true });
    cpSync(STAND_INS, join(sources, 'subprojects'), { recursive: true });
    patchSources(sources);
    /** @param {string} line */
    const onLine = (line) => {
      const percent = ninjaPercent(line);
      if (percent !== undefined) onProgress(percent);
    };
    /** @type {Array<[string, string[]]>} */
    const steps = [
      ['meson', ['setup', ...MESON_OPTIONS, objects]],
      ['ninja', ['-C', objects, '-j', String(availableParallelism()), 'mediasoup-worker']],
      ['strip', [built]],
    ];
    for (const [program, args] of steps) {
      const { code, tail } = await runCommand(program, args, { cwd: sources, logFile, onLine });
      if (code !== 0)
        throw new SetupError(EXIT.worker, `${program} failed (${code}):\n${tail}\nAll: ${logFile}`);
    }
    if (!(await workerStarts(built))) {
      throw new SetupError(EXIT.worker, `The mediasoup worker was built but does not start. See ${logFile}`);
    }
    renameSync(built, output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
