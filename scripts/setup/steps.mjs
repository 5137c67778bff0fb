// The order of the set-up, and how it tells what it does.
import { ensureNpmPackages } from './npm-packages.mjs';
import { ensureSystemPackages, SYSTEM_PACKAGES } from './system-packages.mjs';
import { ensureWebBuild, WEB_BUILDS } from './web-pages.mjs';
import { ensureWorker } from './worker.mjs';

/**
 * @typedef {object} StepContext
 * @property {string} root folder of package.json
 * @property {string} cacheFolder outside the checkout: workers by key, logs
 * @property {NodeJS.ProcessEnv} env
 * @property {(text: string, percent?: number) => void} progress
 */

/** @typedef {keyof typeof SYSTEM_PACKAGES} Purpose */

/** @type {Record<Purpose, Purpose[]>} what each purpose needs the packages of */
const NEEDS = { run: ['run'], call: ['run', 'call'], test: ['run', 'call', 'test'] };

/** @type {readonly Purpose[]} */
export const PURPOSES = ['run', 'call', 'test'];

/**
 * @param {readonly Purpose[]} purposes
 * @returns {string[]}
 */
export function packagesFor(purposes) {
  return [...new Set(purposes.flatMap((purpose) => NEEDS[purpose]).flatMap((need) => SYSTEM_PACKAGES[need]))];
}

/**
 * @param {readonly Purpose[]} purposes
 * @returns {ReadonlyArray<{ name: string, ensure: (context: StepContext) => Promise<string> }>}
 */
export function stepsFor(purposes) {
  return [
    {
      name: 'system packages',
      ensure: (context) => ensureSystemPackages(context, packagesFor(purposes)),
    },
    { name: 'npm packages', ensure: ensureNpmPackages },
    { name: 'mediasoup worker', ensure: ensureWorker },
    ...Object.values(WEB_BUILDS).map((build) => ({
      name: build.name,
      /** @param {StepContext} context */
      ensure: (context) => ensureWebBuild(context, build),
    })),
  ];
}

/** A percentage is told each time it grew by this much where the line cannot be rewritten. */
const PERCENT_STEP = 10;

/**
 * Shows progress: on a terminal one line that is rewritten, elsewhere a line for each tenth.
 * @param {{ write: (text: string) => unknown, isTTY?: boolean }} output
 * @returns {(text: string, percent?: number) => void}
 */
export function createProgress(output) {
  let told = 0;
  return (text, percent) => {
    if (percent === undefined) {
      output.write(`setup: ${text}\n`);
    } else if (output.isTTY) {
      output.write(`\r\x1b[Ksetup: ${text} ${percent} %${percent === 100 ? '\n' : ''}`);
    } else if (percent >= told + PERCENT_STEP || percent === 100) {
      if (percent === told) return;
      told = percent - (percent % PERCENT_STEP);
      output.write(`setup: ${text} ${percent} %\n`);
    }
  };
}

/**
 * Runs all steps in order and tells each in one line.
 * @param {readonly Purpose[]} purposes
 * @param {StepContext} context
 * @param {(line: string) => void} tell
 */
export async function runSetup(purposes, context, tell) {
  for (const { name, ensure } of stepsFor(purposes)) {
    const startedMs = Date.now();
    const done = await ensure(context);
    tell(`setup: ${name}: ${done} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  }
}
