import { pino, type Logger } from 'pino';

export type Log = Logger;

/** Header names and keys whose values never reach a log line. */
const SECRET_PATHS = ['*.password', '*.secret', '*.apiKey', 'password', 'secret', 'apiKey', 'authorization'];

/** The process's root log: one JSON line per entry on standard output. */
export function createLog(options: { level: string; pretty?: boolean }): Log {
  return pino({ level: options.level, redact: { paths: SECRET_PATHS, censor: '[secret]' }, base: null });
}
