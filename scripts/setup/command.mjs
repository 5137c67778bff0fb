// Runs other programs for the set-up: output goes to a log, lines to whoever shows progress.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

/** How many of the last lines are kept for the message of a failure. */
const TAIL_LINES_MAX = 15;

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] the whole environment; the caller's own when absent
 * @property {string} [logFile] gets the command and everything it prints
 * @property {number} [timeoutMs] after which the program is ended
 * @property {(line: string) => void} [onLine] called with each line of either stream
 * @property {boolean} [terminal] lets the program read the terminal, as for a password
 */

/**
 * @typedef {object} CommandResult
 * @property {number} code exit code; 127 when the program does not exist, 128 when it was ended
 * @property {string} tail the last lines it printed
 */

/**
 * Runs a program to its end. Never rejects: a program that cannot be started has code 127.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export function runCommand(program, args, options = {}) {
  const { cwd, env = process.env, logFile, timeoutMs, onLine, terminal = false } = options;
  /** @type {string[]} */
  const tail = [];
  /** @param {string} line */
  const take = (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES_MAX) tail.shift();
    if (logFile !== undefined) appendFileSync(logFile, `${line}\n`);
    onLine?.(line);
  };
  if (logFile !== undefined) mkdirSync(dirname(logFile), { recursive: true });
  if (logFile !== undefined) appendFileSync(logFile, `$ ${[program, ...args].join(' ')}\n`);

  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: [terminal ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    });
    const limit = timeoutMs === undefined ? undefined : setTimeout(() => child.kill(), timeoutMs);
    createInterface({ input: child.stdout }).on('line', take);
    createInterface({ input: child.stderr }).on('line', take);
    child.on('error', (error) => {
      clearTimeout(limit);
      take(error.message);
      resolve({ code: 127, tail: tail.join('\n') });
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code: code ?? 128, tail: tail.join('\n') });
    });
  });
}

/** A failure that the person who runs the set-up can mend: what happened, and what to do. */
export class SetupError extends Error {
  /**
   * @param {number} exitCode of the set-up
   * @param {string} message
   */
  constructor(exitCode, message) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

/** Exit codes of the set-up. */
export const EXIT = Object.freeze({
  usage: 2,
  systemPackages: 3,
  npmPackages: 4,
  worker: 5,
  webPages: 6,
});
