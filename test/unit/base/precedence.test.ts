import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  letOthersFirst,
  placedSchema,
  putFirst,
  type Placed,
  type Precedence,
} from '../../../src/base/precedence.ts';
import { mayHave, runs, standingIn, STANDINGS, standingsOf, type Standing } from '../../support/standing.ts';

const MODULE = new URL('../../../src/base/precedence.ts', import.meta.url).href;

const toldSchema = z.strictObject({ placed: placedSchema, own: z.string(), child: z.string() });

/** A program that places its thread, and tells where it and a child of it stand then. */
const PROGRAM = `
  const { putFirst } = await import('${MODULE}');
  const { execFileSync } = await import('node:child_process');
  const { readFileSync } = await import('node:fs');
  const placed = putFirst(process.argv[1]);
  const own = readFileSync('/proc/thread-self/stat', 'utf8');
  const child = execFileSync('/bin/cat', ['/proc/self/stat'], { encoding: 'utf8' });
  console.log(JSON.stringify({ placed, own, child }));`;

interface Told {
  readonly placed: Placed;
  readonly own: Standing;
  readonly child: Standing;
}

async function place(wanted: Precedence, prefix: readonly string[] = []): Promise<Told> {
  const node = [process.execPath, '--input-type=module', '-e', PROGRAM, '--', wanted];
  const [command = '', ...args] = [...prefix, ...node];
  const { stdout } = await promisify(execFile)(command, args);
  const { placed, own, child } = toldSchema.parse(JSON.parse(stdout));
  return { placed, own: standingIn(own), child: standingIn(child) };
}

/** Without the right to place threads: what a service of its own user has. */
const withoutRight = ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice'];
const limited = (rtprio: number, nice: number): string[] => [
  ...['prlimit', `--rtprio=${rtprio}:${rtprio}`, `--nice=${nice}:${nice}`, ...withoutRight],
];
const refusals = [
  ['realtime', withoutRight, 'usual', /not permitted/],
  ['nice', withoutRight, 'usual', /EACCES|permission/],
  ['usual', withoutRight, 'usual', null],
  ['realtime', ['env', 'PATH=/nowhere'], mayHave('nice'), /ENOENT/],
] as const;
/** Only those who may raise limits can try them: root on a machine of its own, not in every container. */
const byLimits = [
  ['realtime', limited(1, 0), 'realtime', null],
  ['realtime', limited(0, 30), 'nice', /not permitted/],
  ['nice', limited(0, 30), 'nice', null],
] as const;
const mayLimit = runs('prlimit', ...limited(1, 30).slice(1), 'true');

describe('a thread that goes first', () => {
  it.each(['realtime', 'nice', 'usual'] as const)(
    'stands as asked for, or as near as the machine lets it: %s',
    async (wanted) => {
      const { placed, own, child } = await place(wanted);
      expect(placed.precedence).toBe(mayHave(wanted));
      expect(own).toEqual(STANDINGS[placed.precedence]);
      if (placed.precedence === wanted) expect(placed.refusal).toBeNull();
      else expect(placed.refusal).toMatch(/permitted|permission|EPERM|EACCES/i);
      // What a real-time thread starts must not be one, too.
      if (placed.precedence === 'realtime') expect(child).toEqual(STANDINGS.usual);
    },
  );

  it.each([...refusals, ...(mayLimit ? byLimits : [])])(
    'that wants %s under %j has %s',
    async (wanted, prefix, precedence, refusal) => {
      const { placed, own } = await place(wanted, prefix);
      expect(placed.precedence).toBe(precedence);
      expect(own).toEqual(STANDINGS[precedence]);
      if (refusal === null) expect(placed.refusal).toBeNull();
      else expect(placed.refusal).toMatch(refusal);
    },
  );

  it('may be of another process', async () => {
    const other = spawn('sleep', ['60']);
    try {
      const { precedence } = putFirst('realtime', other.pid);
      expect(precedence).toBe(mayHave('realtime'));
      expect(standingsOf(other.pid ?? 0)).toEqual([STANDINGS[precedence]]);
    } finally {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
  });

  it('says why when it is not there any more', () => {
    // Above any id that Linux gives (PID_MAX_LIMIT).
    const { precedence, refusal } = putFirst('realtime', 2 ** 22 + 1);
    expect(precedence).toBe('usual');
    expect(refusal).toMatch(/No such process/i);
  });
});

describe('letting others go first', () => {
  const nicenessOf = (pid: number): Set<number> => new Set(standingsOf(pid).map(({ niceness }) => niceness));

  it('reaches every thread that a process has by now', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()']);
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    letOthersFirst(pid, 4);
    expect(nicenessOf(pid)).toEqual(new Set([4]));
    // No way back without the right to it, and none is needed: 0 leaves all as it is.
    letOthersFirst(pid, 0);
    expect(nicenessOf(pid)).toEqual(new Set([4]));
    child.stdin.end();
    await once(child, 'exit');
  });

  it('is nothing to a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(() => letOthersFirst(child.pid ?? 0, 4)).not.toThrow();
  });
});
