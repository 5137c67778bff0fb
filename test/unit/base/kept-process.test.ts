import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import {
  KeptProcess,
  type KeptProcessEvents,
  type KeptProcessOptions,
} from '../../../src/base/kept-process.ts';
import { until } from '../../support/until.ts';

const LIVES = 'setInterval(() => undefined, 1000); console.log("up");';
const open: KeptProcess[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

interface Watched {
  readonly process: KeptProcess;
  readonly lines: string[];
  readonly started: number[];
  readonly ended: KeptProcessEvents['ended'][];
}

/** A child of Node that runs `script`, started again without much ado. */
function keep(script: string, more: Partial<KeptProcessOptions> = {}): Watched {
  const lines: string[] = [];
  const process_ = new KeptProcess({
    ...{ program: process.execPath, args: ['-e', script], pauseFirstMs: 1, pauseMaxMs: 4 },
    ...{ onLine: (line: string) => lines.push(line), ...more },
  });
  open.push(process_);
  const [started, ended]: [number[], KeptProcessEvents['ended'][]] = [[], []];
  process_.events.on('started', ({ pid }) => started.push(pid));
  process_.events.on('ended', (how) => ended.push(how));
  return { process: process_, lines, started, ended };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const patience_ms = 15_000;

describe('a kept process', () => {
  it('runs, and its lines are heard whole', async () => {
    const { process: kept, lines } = keep(
      `${LIVES} process.stdout.write('half'); process.stdout.write(' a line\\n')`,
    );
    await until('its lines', () => lines.length === 2, patience_ms);
    expect(lines).toEqual(['up', 'half a line']);
    expect(isAlive(kept.pid ?? 0)).toBe(true);
  });

  it('lets others go first with all its threads, when it is asked to', async () => {
    const { process: kept, lines } = keep(LIVES, { niceness: 7 });
    await until('its line', () => lines.length === 1, patience_ms);
    const pid = kept.pid ?? 0;
    const niceness = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));
    expect(new Set(niceness)).toEqual(new Set([7]));
    // Its session, too, where the kernel gives sessions their shares.
    const group = `/proc/${pid}/autogroup`;
    if (existsSync(group)) expect(readFileSync(group, 'utf8')).toMatch(/ nice 7$/m);
  });

  it('is started again when it is killed, as another process', async () => {
    const { started, ended, lines } = keep(LIVES);
    await until('it is up', () => lines.length === 1, patience_ms);
    process.kill(started[0] ?? 0, 'SIGKILL');
    await until('it is up again', () => lines.length === 2, patience_ms);
    expect(new Set(started).size).toBe(2);
    expect(ended).toMatchObject([{ code: null, signal: 'SIGKILL', againInMs: 1 }]);
  });

  it('pauses longer each time it ends early, up to a limit, and tells its last words', async () => {
    const { ended } = keep('console.error("cannot go on"); process.exit(3)');
    await until('four ends', () => ended.length >= 4, patience_ms);
    expect(ended.slice(0, 4).map((how) => how.againInMs)).toEqual([1, 2, 4, 4]);
    expect(ended[0]).toMatchObject({ code: 3, words: 'cannot go on\n' });
  });

  it('ends for good when it is closed, once', async () => {
    const { process: kept, started, lines } = keep(LIVES);
    await until('it is up', () => lines.length === 1, patience_ms);
    await Promise.all([kept.close(), kept.close()]);
    expect(isAlive(started[0] ?? 0)).toBe(false);
    expect([kept.pid, started.length]).toEqual([undefined, 1]);
  });

  it('is killed when it does not end by itself', async () => {
    const stubborn = `process.on('SIGTERM', () => undefined); ${LIVES}`;
    const { process: kept, started, lines } = keep(stubborn, { patienceMs: 50 });
    await until('it is up', () => lines.length === 1, patience_ms);
    await kept.close();
    expect(isAlive(started[0] ?? 0)).toBe(false);
  });

  it('notices by its channel when its parent lets go', async () => {
    const child = `process.on('disconnect', () => process.exit(0)); ${LIVES}`;
    const { lines } = keep(child, { ipc: true });
    await until('it is up', () => lines.length === 1, patience_ms);
  });

  it('is prepared before every start, and tried again when that fails', async () => {
    let times = 0;
    const { lines, ended } = keep(LIVES, {
      prepare: () => (times++ === 0 ? Promise.reject(new Error('not yet')) : Promise.resolve()),
    });
    await until('it is up', () => lines.length === 1, patience_ms);
    expect(times).toBe(2);
    expect(ended).toMatchObject([{ words: 'not yet', code: null }]);
  });

  it('says so when there is no such program', async () => {
    const { ended } = keep('', { program: '/nowhere/at-all' });
    await until('it failed', () => ended.length > 0, patience_ms);
    expect(ended[0]?.words).toContain('ENOENT');
  });

  it('can be closed between two starts', async () => {
    const { process: kept, ended } = keep('process.exit(1)', { pauseFirstMs: 60_000, pauseMaxMs: 60_000 });
    await until('it ended', () => ended.length === 1, patience_ms);
    await kept.close();
    expect(kept.pid).toBeUndefined();
  });

  it('stands in a group of its own', async () => {
    const { lines, started } = keep(
      `${LIVES} require('child_process').execFile('ps', ['-o', 'pgid=', '-p', String(process.pid)],
        (_, out) => console.log(out.trim()))`,
    );
    await until('it told its group', () => lines.length === 2, patience_ms);
    expect(Number(lines[1])).toBe(started[0]);
  });
});
