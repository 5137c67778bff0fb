/** A gateway's HTTP API with the key that it wrote for whoever owns its data folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Api } from '../../console/console/api.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { eventually } from './until.ts';

/** The database makes it, which takes its time to start. */
const key_patience_ms = 60_000;

/** Resolves once there is a key for the tenant. */
export async function apiOf(
  gateway: Pick<GatewayProcess, 'dataDir' | 'webUrl'>,
  tenant = 'default',
): Promise<Api> {
  const [, key = ''] = await eventually(
    `a first key of ${tenant}`,
    async () => {
      const lines = (await readFile(join(gateway.dataDir, 'console-key'), 'utf8')).trim().split('\n');
      return lines.map((line) => line.split(' ')).find(([whose]) => whose === tenant) ?? [];
    },
    ([, found]) => found !== undefined,
    key_patience_ms,
  );
  return new Api(key, (path, init) => fetch(`${gateway.webUrl}${path as string}`, init));
}
