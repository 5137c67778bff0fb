/** The embedded database's own process: `node pglite-process.ts DATA_FOLDER`. Ends when its parent goes. */
import { messageOf } from '../base/errors.ts';
import { serveEmbedded } from './embedded.ts';

try {
  const database = await serveEmbedded(process.argv[2] ?? '');
  const end = (): void => {
    void database.close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  // A signal of the terminal reaches the whole group; the parent decides when the database goes.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', end);
  process.send?.({ type: 'up' }, undefined, undefined, () => undefined);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
