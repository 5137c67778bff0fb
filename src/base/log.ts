import { createRequire } from 'node:module';
import type * as SonicBooms from 'sonic-boom';
import { pino, type DestinationStream, type Logger } from 'pino';

// Node finds no named export in this CommonJS package, and its types know of no other.
const { SonicBoom } = createRequire(import.meta.url)('sonic-boom') as typeof SonicBooms;

export type Log = Logger;

/** Keys whose values never reach a log line, at the top and one level down. */
const SECRET_KEYS = ['password', 'secret', 'apiKey', 'api_key', 'authorization'];

/** What waits for a reader that is slow or stands still; lines beyond are lost. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** How often a full pipe is tried again when the process ends, once in 100 ms. */
const LAST_TRIES_MAX = 5;

/** One JSON line per entry, on standard output unless told otherwise. */
export function createLog(options: { level: string }, destination?: DestinationStream): Log {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`]);
  const settings = { level: options.level, redact: { paths, censor: '[secret]' }, base: null };
  return pino(settings, destination ?? standardOutput());
}

/**
 * Written in the background: nobody waits for whoever reads. A process whose reader is gone logs no more, and
 * ends as any other: pino's own destination (sonic-boom 4) would try for ever to write its last lines.
 */
function standardOutput(): DestinationStream {
  let isOpen = true;
  let triesLeft = Infinity;
  const output = new SonicBoom({
    ...{ fd: process.stdout.fd, sync: false, maxLength: WAITING_BYTES_MAX },
    retryEAGAIN: () => (triesLeft -= 1) >= 0,
  });
  output.on('error', () => (isOpen = false));
  const flushSync = (): void => {
    if (!isOpen) return;
    try {
      output.flushSync();
    } catch {
      // Nobody reads: there is nobody to tell.
      isOpen = false;
    }
  };
  process.once('exit', () => {
    triesLeft = LAST_TRIES_MAX;
    flushSync();
  });
  return {
    write: (line) => {
      if (isOpen) output.write(line);
    },
    // Asked for after a fatal line.
    ...{ flushSync },
  };
}
