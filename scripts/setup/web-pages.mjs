// Builds what browsers load, each part when what it is made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { EXIT, runCommand, SetupError } from './command.mjs';

/**
 * @typedef {object} WebBuild
 * @property {string} name its folder, which holds its vite.config.ts; the output is `dist` in there
 * @property {string} proof a file of the output, below `dist`
 * @property {readonly string[]} inputs everything else that the build reads, below the root
 */

/** @type {Readonly<Record<'widget' | 'console', WebBuild>>} */
export const WEB_BUILDS = {
  widget: {
    name: 'widget',
    proof: 'widget.js',
    inputs: ['src/web/wire.ts', 'package-lock.json'],
  },
  console: {
    name: 'console',
    proof: 'desk/index.html',
    inputs: ['widget/client', 'src/web/wire.ts', 'src/web/desk-wire.ts', 'package-lock.json'],
  },
};

/**
 * Folders are taken whole, without the output.
 * @param {string} root folder of package.json
 * @param {WebBuild} build
 * @returns {string[]} paths below `root`, sorted
 */
function inputFiles(root, build) {
  return [build.name, ...build.inputs]
    .flatMap((input) => {
      if (/\.\w+$/.test(input)) return [input];
      return readdirSync(join(root, input), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
        .filter((path) => !path.startsWith(join(build.name, 'dist') + sep));
    })
    .sort();
}

/**
 * @param {string} root folder of package.json
 * @param {WebBuild} build
 * @returns {string} a digest that differs when the build would
 */
export function digestOf(root, build) {
  const digest = createHash('sha256');
  for (const path of inputFiles(root, build))
    digest.update(`\n${path}\n`).update(readFileSync(join(root, path)));
  return digest.digest('hex');
}

/**
 * Makes sure that the output of one build is there and made of the present sources.
 * @param {Pick<import('./steps.mjs').StepContext, 'root' | 'cacheFolder' | 'progress'>} context
 * @param {WebBuild} build
 * @returns {Promise<string>} what was done, in a few words
 */
export async function ensureWebBuild({ root, cacheFolder, progress }, build) {
  const { name, proof } = build;
  // Holds the digest of what the present build was made of.
  const digestFile = join(root, 'node_modules', `.trunkline-${name}`);
  const digest = digestOf(root, build);
  const built = existsSync(digestFile) && existsSync(join(root, name, 'dist', proof));
  if (built && readFileSync(digestFile, 'utf8') === digest) return 'up to date';
  progress(`building the ${name}`);
  const logFile = join(cacheFolder, 'log', `${name}.log`);
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  const vite = join('node_modules', 'vite', 'bin', 'vite.js');
  const { code, tail } = await runCommand(node, [vite, 'build', '--config', `${name}/vite.config.ts`], {
    cwd: root,
    logFile,
  });
  if (code !== 0)
    throw new SetupError(EXIT.webPages, `The ${name} cannot be built (${code}):\n${tail}\nAll: ${logFile}`);
  writeFileSync(digestFile, digest);
  return 'built';
}
