// Builds the widget for browsers when what it is made of has changed.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { EXIT, runCommand, SetupError } from './command.mjs';

/** Holds the digest of what the present build was made of. */
const DIGEST_FILE = join('node_modules', '.trunkline-widget');
const OUTPUT = join('widget', 'dist');
/** Everything the build reads, below the root. Folders are taken whole, without the output. */
const INPUTS = ['widget', join('src', 'web', 'wire.ts'), 'package-lock.json'];

/**
 * @param {string} root folder of package.json
 * @returns {string[]} paths below `root`, sorted
 */
function inputFiles(root) {
  return INPUTS.flatMap((input) => {
    if (/\.\w+$/.test(input)) return [input];
    return readdirSync(join(root, input), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((path) => !path.startsWith(OUTPUT + sep));
  }).sort();
}

/**
 * @param {string} root folder of package.json
 * @returns {string} a digest that differs when the build would
 */
export function widgetDigest(root) {
  const digest = createHash('sha256');
  for (const path of inputFiles(root)) digest.update(`\n${path}\n`).update(readFileSync(join(root, path)));
  return digest.digest('hex');
}

/**
 * Makes sure that widget/dist is there and made of the present sources.
 * @param {Pick<import('./steps.mjs').StepContext, 'root' | 'cacheFolder' | 'progress'>} context
 * @returns {Promise<string>} what was done, in a few words
 */
export async function ensureWidget({ root, cacheFolder, progress }) {
  const digestFile = join(root, DIGEST_FILE);
  const digest = widgetDigest(root);
  const built = existsSync(digestFile) && existsSync(join(root, OUTPUT, 'widget.js'));
  if (built && readFileSync(digestFile, 'utf8') === digest) return 'up to date';
  progress('building the widget');
  const logFile = join(cacheFolder, 'log', 'widget.log');
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  const vite = join('node_modules', 'vite', 'bin', 'vite.js');
  const { code, tail } = await runCommand(node, [vite, 'build', '--config', 'widget/vite.config.ts'], {
    cwd: root,
    logFile,
  });
  if (code !== 0) {
    throw new SetupError(EXIT.widget, `The widget cannot be built (${code}):\n${tail}\nAll: ${logFile}`);
  }
  writeFileSync(digestFile, digest);
  return 'built';
}
