/** The embedded database's own process: `node pglite-process.ts DATA_FOLDER`. Ends when its parent goes. */
import { messageOf } from '../base/errors.ts';
import { whenParentGoes } from '../base/parent.ts';
import { serveEmbedded, type EmbeddedDatabase } from './embedded.ts';

let database: EmbeddedDatabase | undefined;
function end(): void {
  // While it is being opened nothing was promised to anybody: it is left as after a crash.
  void (database?.close() ?? Promise.resolve()).finally(() => process.exit(0));
}

function fail(error: unknown): never {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}

// Before anything that takes time: a parent that goes meanwhile would leave us behind, and the folder locked.
process.on('SIGTERM', end);
whenParentGoes(end);
// Ctrl-C in a terminal reaches the whole group; the parent decides when the database goes.
process.on('SIGINT', () => undefined);

try {
  // Whoever keeps this process starts it again, on the files as after a crash.
  database = await serveEmbedded(process.argv[2] ?? '', fail);
  process.send?.({ type: 'up' }, undefined, undefined, () => undefined);
} catch (error) {
  fail(error);
}
