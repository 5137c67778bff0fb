/**
 * A client that begins a unit of work and never ends it: `node stuck-client.ts URL`. It is there to be
 * killed.
 */
import { upsertContact } from '../../../src/store/tables/contacts.ts';
import { openStore } from './databases.ts';

const store = openStore(process.argv[2] ?? '');
await store.tenant('acme', async (unit) => {
  await upsertContact(unit, { e164: '+15550160', name: 'Never committed' });
  process.stdout.write('in the middle\n');
  // Keeps the process, and with it the transaction, until somebody ends it.
  const { promise } = Promise.withResolvers<undefined>();
  process.stdin.resume();
  await promise;
});
