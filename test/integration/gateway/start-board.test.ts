/** The operators' key: the configuration's, or one that is made once and read by its owner alone. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/base/metrics.ts';
import { configSchema } from '../../../src/config-schema.ts';
import { readEnvironment } from '../../../src/config.ts';
import { OPERATOR_KEY_FILE, startBoard } from '../../../src/gateway/start-board.ts';
import type { Envelope } from '../../../src/jobs/envelope.ts';
import { wrap } from '../../../src/jobs/envelope.ts';
import type { JobQueues } from '../../../src/jobs/job-queues.ts';
import type { BoardParts } from '../../../src/web/board/board.ts';
import { silent } from '../../support/store/databases.ts';

let dataDir: string;
let asked: Envelope[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trunkline-board-'));
  asked = [];
});
afterEach(() => rm(dataDir, { recursive: true }));

function start(operator: object = {}): Promise<BoardParts> {
  const config = configSchema.parse({
    trunks: [{ name: 'local', allow: ['127.0.0.1/32'] }],
    numbers: [{ number: '+15550100', profile: 'desk' }],
    operator,
  });
  const settings = { config, profiles: new Map(), dataDir, environment: readEnvironment({}) };
  const queues = { all: [] } as unknown as JobQueues;
  const jobs = {
    queues,
    enqueue: {
      enqueue: (...[queue, job]: Parameters<typeof wrap>) =>
        Promise.resolve(void asked.push(wrap(queue, job))),
    },
  };
  return startBoard({ settings, jobs, metrics: new Metrics({ ofProcess: false }), log: silent });
}

describe('the board of a gateway', () => {
  it('makes a key that may write, once, and keeps it for its owner', async () => {
    const { keys } = await start();
    const file = join(dataDir, OPERATOR_KEY_FILE);
    expect(keys).toEqual([{ key: (await readFile(file, 'utf8')).trim(), may_write: true }]);
    expect(keys[0]?.key).toMatch(/^op_[\w-]{43}$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await start()).keys).toEqual(keys);
  });

  it('makes none when the configuration has some', async () => {
    const keys = [{ key: 'x'.repeat(24), may_write: false }];
    expect((await start({ keys: [{ key: 'x'.repeat(24) }] })).keys).toEqual(keys);
    await expect(stat(join(dataDir, OPERATOR_KEY_FILE))).rejects.toThrow('ENOENT');
  });

  it('keeps what operators do in the chain that belongs to no tenant', async () => {
    const target = '/board/write/api/queues/sms/empty';
    await (await start()).record('board.put', target);
    expect(asked).toMatchObject([
      { tenant: '_system', data: { actor: 'operator', action: 'board.put', target } },
    ]);
  });
});
