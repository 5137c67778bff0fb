// Sets everything up that the gateway (`run`), the test phone (`call`) or the tests (`test`) need.
// Runs on a bare machine with Node 20 and npm, so it uses nothing but Node's own modules.
// Does nothing, quickly, where all is in place. Called by npm before start, call and test.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, SetupError } from './setup/command.mjs';
import { createProgress, PURPOSES, runSetup } from './setup/steps.mjs';

/**
 * @param {string[]} args
 * @returns {import('./setup/steps.mjs').Purpose[]}
 */
function purposesOf(args) {
  const wanted = PURPOSES.filter((purpose) => args.includes(purpose));
  if (args.length > 0 && wanted.length === new Set(args).size) return wanted;
  throw new SetupError(EXIT.usage, `Usage: node scripts/setup.mjs ${PURPOSES.join('|')}`);
}

const context = {
  root: dirname(dirname(fileURLToPath(import.meta.url))),
  cacheFolder: join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'trunkline'),
  env: process.env,
  progress: createProgress(process.stderr),
};

try {
  await runSetup(purposesOf(process.argv.slice(2)), context, (line) => process.stderr.write(`${line}\n`));
} catch (thrown) {
  if (!(thrown instanceof SetupError)) throw thrown;
  process.stderr.write(`setup: ${thrown.message}\n`);
  process.exitCode = thrown.exitCode;
}
