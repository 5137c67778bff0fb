import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/** Keys whose values never reach a log line, at the top and one level down. */
const SECRET_KEYS = ['password', 'secret', 'apiKey', 'api_key', 'authorization'];

/** One JSON line per entry, on standard output unless told otherwise. */
export function createLog(options: { level: string }, destination?: DestinationStream): Log {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`]);
  const settings = { level: options.level, redact: { paths, censor: '[secret]' }, base: null };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}
