/**
 * The lives of a gateway's process, so that calls which were open when it died do not stay open for ever:
 * each start gives its calls the name of a new run, and tells by the spool, behind everything that is still
 * in it, that the runs before are over. Names are random: no gateway can mean another's.
 * docs/decisions/dead-gateways.md tells the rest.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { newId } from '../base/ids.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Enqueue } from './enqueue.ts';
import { runName } from './payloads/transcripts.ts';
import { SpooledEnqueue } from './spooled-enqueue.ts';
import type { Spool } from './spool/spool.ts';

const runSchema = z.strictObject({
  gateway: z.string().min(1).max(200),
  run: runName,
  /** Whose calls it may have had. */
  tenants: z.array(z.string()),
});
type GatewayRun = z.infer<typeof runSchema>;

/** Starts in a row that could not tell of the runs before them, because the spool was full. */
const runs_untold_max = 100;

/**
 * Call it before the first word of this run. Returns the run's name; never fails for a spool that is full:
 * the runs that it took no word of are told of by the next start.
 * @throws when the folder cannot be written
 */
export async function beginRun(
  spool: Spool,
  options: { readonly folder: string; readonly tenants: Iterable<string>; readonly log: Log },
): Promise<string> {
  const { folder, log } = options;
  const tenants = [...new Set(options.tenants)];
  const enqueue = new SpooledEnqueue(spool);
  const untold: GatewayRun[] = [];
  for (const one of await runsOf(spool, { folder, tenants }))
    try {
      await tellOver(enqueue, one);
    } catch (error) {
      log.error({ run: one.run, detail: messageOf(error) }, 'calls of a gateway that died stay open');
      untold.push(one);
    }
  const now = { gateway: spool.gateway, run: newId('run'), tenants };
  await writeRuns(folder, [...untold.slice(-runs_untold_max), now]);
  return now.run;
}

/** What ends the calls that the run left open: one job for each tenant, whoever asks, and however often. */
export async function tellOver(enqueue: Enqueue, { gateway, run, tenants }: GatewayRun): Promise<void> {
  const key = `${gateway}/over/${run}`;
  for (const tenant of tenants)
    await enqueue.enqueue('transcripts', { tenant, key, data: { type: 'run-over', gateway, run } });
}

/** The runs that may have left calls open. */
async function runsOf(
  spool: Spool,
  { folder, tenants }: { readonly folder: string; readonly tenants: string[] },
): Promise<GatewayRun[]> {
  try {
    return z.array(runSchema).parse(JSON.parse(await readFile(join(folder, 'runs.json'), 'utf8')));
  } catch {
    // Missing: a new spool, or one of a version whose runs had no name. (It is never half-written.)
    return spool.isNew ? [] : [{ gateway: spool.gateway, run: '', tenants }];
  }
}

/** On the disk before the first word of the run is: whole or not at all. */
async function writeRuns(folder: string, runs: readonly GatewayRun[]): Promise<void> {
  const path = join(folder, 'runs.json');
  const file = await open(`${path}.new`, 'w');
  try {
    await file.writeFile(JSON.stringify(runs));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
