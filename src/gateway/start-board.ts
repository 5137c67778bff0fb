/** The board of queues: what it stands on, and the first key of operators. */
import { readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Settings } from '../config.ts';
import { SYSTEM_TENANT } from '../store/store.ts';
import type { BoardParts } from '../web/board/board.ts';
import type { OperatorKey } from '../web/board/sessions.ts';
import type { Jobs } from './start-jobs.ts';

/** Holds the operators' key when the configuration names none. Read by its owner alone. */
export const OPERATOR_KEY_FILE = 'operator-key';

export async function startBoard(parts: {
  readonly settings: Settings;
  readonly jobs: Pick<Jobs, 'queues' | 'enqueue'>;
  readonly metrics: Metrics;
  readonly log: Log;
}): Promise<BoardParts> {
  const { settings, jobs, metrics, log } = parts;
  return {
    queues: () => jobs.queues.all,
    keys: await operatorKeys(settings),
    record: (action, target) => {
      const at = new Date().toISOString();
      const data = { at, actor: 'operator', action, target: target.slice(0, 200) };
      return jobs.enqueue.enqueue('audit', { tenant: SYSTEM_TENANT, key: newId('audit'), data });
    },
    refused: (code) => metrics.count('trunkline_refusals_total', { code }),
    ...{ clock: systemClock, log },
  };
}

async function operatorKeys({ config, dataDir }: Settings): Promise<readonly OperatorKey[]> {
  const { keys } = config.operator;
  if (keys.length > 0) return keys;
  const file = join(dataDir, OPERATOR_KEY_FILE);
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  const key = known === '' ? `op_${randomBytes(32).toString('base64url')}` : known;
  if (known === '') await writeFile(file, `${key}\n`, { mode: 0o600 });
  return [{ key, may_write: true }];
}
