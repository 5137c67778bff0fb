// The programs and libraries that come from the distribution: which are needed, and installing them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, runCommand, SetupError } from './command.mjs';

/**
 * Debian's and Ubuntu's package names by what they are needed for. Where releases disagree on a name,
 * `a|b` stands for the first that the machine's package lists know.
 */
export const SYSTEM_PACKAGES = {
  /** The gateway: the offline voice, Opus for browsers, the queues' Redis. */
  run: ['libpocketsphinx3', 'pocketsphinx-en-us', 'libflite1', 'libopus0', 'redis-server'],
  /** The test phone speaks with espeak-ng. */
  call: ['espeak-ng'],
  /**
   * Softphone, SIP scenarios, sound measuring, packet dissection, network namespaces, browser, TURN server,
   * CalDAV server, database server.
   */
  test: [
    ...['baresip-core', 'sip-tester', 'sox', 'tshark', 'iproute2', 'chromium'],
    ...['coturn', 'radicale', 'postgresql'],
  ],
};

/** Nobody is asked, and no daemon is started: what we need of them we start ourselves, on free ports. */
const APT_ENVIRONMENT = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];

/** Seconds to wait for another apt on the same machine. */
const APT_LOCK_WAIT_S = 300;

/**
 * @param {readonly string[]} wanted package names, `a|b` for alternatives
 * @returns {Promise<string[]>} those of which no alternative is installed
 */
export async function missingPackages(wanted) {
  const names = wanted.flatMap((choice) => choice.split('|'));
  const installed = new Set();
  await runCommand('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], {
    onLine: (line) => {
      const [name, status] = line.split(' ');
      if (status === 'installed') installed.add(name);
    },
  });
  return wanted.filter((choice) => !choice.split('|').some((name) => installed.has(name)));
}

/**
 * Of each choice the first name that can be installed; the first name when none can.
 * @param {readonly string[]} choices
 * @returns {Promise<string[]>}
 */
async function pickNames(choices) {
  const known = new Set();
  let name = '';
  await runCommand('apt-cache', ['policy', ...choices.flatMap((choice) => choice.split('|'))], {
    env: { ...process.env, LC_ALL: 'C' },
    onLine: (line) => {
      if (/^\S.*:$/.test(line)) name = line.slice(0, -1);
      if (/^ +Candidate: (?!\(none\))/.test(line)) known.add(name);
    },
  });
  return choices.map((choice) => {
    const names = choice.split('|');
    return names.find((each) => known.has(each)) ?? names[0] ?? choice;
  });
}

/**
 * Who runs the set-up; `isTerminal` when sudo could ask them for a password.
 * @typedef {{ uid: number | undefined, isTerminal: boolean }} User
 */

/** @returns {User} */
function currentUser() {
  return { uid: process.getuid?.(), isTerminal: process.stdin.isTTY };
}

/**
 * How to become root: nothing when root already, sudo when it needs no password or can ask for one.
 * @param {User} user
 * @returns {Promise<string[] | undefined>} what to put before a command; undefined: no way
 */
export async function rootPrefix({ uid, isTerminal }) {
  if (uid === 0) return [];
  if ((await runCommand('sudo', ['-n', 'true'])).code === 0) return ['sudo', '-n'];
  if (isTerminal && (await runCommand('sudo', ['-V'])).code === 0) return ['sudo'];
  return undefined;
}

/**
 * @param {readonly string[]} packages
 * @param {string} why
 */
function installThem(packages, why) {
  const firsts = packages.map((choice) => choice.split('|')[0]).join(' ');
  const lines = [
    why,
    'Please install these packages and start again:',
    ...packages.map((choice) => `  ${choice.replaceAll('|', ' or ')}`),
    'On Debian, and on Ubuntu with "universe" enabled:',
    `  sudo apt-get update && sudo apt-get install ${firsts}`,
    'To go on without this check, on another distribution or in an image of your own:',
    '  set TRUNKLINE_SKIP_SYSTEM_PACKAGES=1',
  ];
  return new SetupError(EXIT.systemPackages, lines.join('\n'));
}

/**
 * Installs what is missing of `wanted` with apt, as root or by sudo.
 * @param {import('./steps.mjs').StepContext} context
 * @param {readonly string[]} wanted package names, `a|b` for alternatives
 * @param {User} [user]
 * @returns {Promise<string>} what was done, in a few words
 * @throws {SetupError} with the list to install by hand when it cannot
 */
export async function ensureSystemPackages(context, wanted, user = currentUser()) {
  if (context.env['TRUNKLINE_SKIP_SYSTEM_PACKAGES'] === '1') return 'not checked, as told';
  const missing = await missingPackages(wanted);
  if (missing.length === 0) return `${wanted.length} in place`;
  if (!existsSync('/usr/bin/apt-get')) throw installThem(missing, 'This machine has no apt.');
  const prefix = await rootPrefix(user);
  if (prefix === undefined) throw installThem(missing, 'Not root, and sudo cannot be used.');

  const logFile = join(context.cacheFolder, 'log', 'apt.log');
  /** @param {string[]} args */
  const apt = (args) => {
    const settings = ['-q', '-o', `DPkg::Lock::Timeout=${APT_LOCK_WAIT_S}`];
    const line = [...prefix, 'env', ...APT_ENVIRONMENT, 'apt-get', ...settings, ...args];
    const [program = '', ...rest] = line;
    return runCommand(program, rest, { logFile, terminal: prefix.length === 1 });
  };
  context.progress('reading the package lists');
  await apt(['update']);
  const names = await pickNames(missing);
  context.progress(`installing ${names.join(' ')}`);
  const { code, tail } = await apt(['install', '-y', '--no-install-recommends', ...names]);
  if (code !== 0) throw installThem(missing, `apt-get failed (${code}):\n${tail}\nAll: ${logFile}`);
  return `installed ${names.join(' ')}`;
}
