import { describe, expect, it } from 'vitest';
import type { LevelResult } from '../../../bench/level.ts';
import { describeMachine, type Machine } from '../../../bench/machine.ts';
import { spreadOf } from '../../../bench/percentiles.ts';
import {
  callTable,
  cpuTable,
  figure,
  machineTable,
  report,
  soundTable,
  table,
} from '../../../bench/report.ts';

const machine: Machine = {
  date: '2026-11-23 16:00 UTC',
  commit: 'abc1234',
  cpu: 'Abacus 3000',
  cores: 2,
  memoryGib: 24,
  kernel: '6.18',
  node: 'v24.21.0',
  mediasoup: '3.27.1',
  loadBefore: 0.1,
};

const level = (calls: number, more: Partial<LevelResult> = {}): LevelResult => ({
  calls,
  failed: [],
  cpu: { gateway: 25, mediasoup: 0.4, model: 10, callers: 12, afterCalls: 1, others: 3 },
  idle: { gateway: 1, mediasoup: 0 },
  gatewayRssBytes: 300 * 2 ** 20,
  gatewayRssPerCallBytes: 256 * 1024,
  setupMs: spreadOf([10, 20, 30]),
  jitterMs: spreadOf([0.25, 0.5, 1.75]),
  delayMs: spreadOf([55, 65]),
  ownLateMs: spreadOf([0.1]),
  probesLost: 1,
  packetsReceived: 990,
  packetsMissing: 2,
  packetsRepeated: 3,
  packetsExpected: 1000,
  ...more,
});

const cellsOf = (line: string | undefined): string[] =>
  (line ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('a table', () => {
  it('is Markdown with columns of one width', () => {
    expect(
      table(
        ['a', 'figure'],
        [
          ['first', '1'],
          ['x', '1234567'],
        ],
      ).split('\n'),
    ).toEqual(['| a     |  figure |', '| ----- | ------: |', '| first |       1 |', '| x     | 1234567 |']);
  });

  it('bears a row that is too short', () => {
    expect(cellsOf(table(['a', 'b'], [['only']]).split('\n')[2])).toEqual(['only', '']);
  });
});

describe('a figure', () => {
  it('has its decimals, and a dash when there is none', () => {
    const figures = [figure(1.25), figure(2, 0), figure(1 / 3, 3), figure(null)];
    expect(figures).toEqual(['1.3', '2', '0.333', '–']);
  });
});

describe('the tables of a run', () => {
  it('give the CPU per call and in all, and whatever else ran', () => {
    const [header, , row] = cpuTable([level(50)]).split('\n');
    expect(cellsOf(header).length).toBe(cellsOf(row).length);
    expect(cellsOf(row)).toEqual(['50', '0.500', '25.0', '0.4', '1.0', '10.0', '12.0', '1.0', '3.0']);
  });

  it('give jitter and delay beside the lateness of the callers themselves', () => {
    const [header, , row] = soundTable([level(50)]).split('\n');
    expect(cellsOf(header).length).toBe(cellsOf(row).length);
    expect(cellsOf(row)).toEqual(['50', '0.50', '1.75', '55.0', '65.0', '2', '1', '0.10', '99.0', '2', '3']);
  });

  it('give setup and memory', () => {
    expect(cellsOf(callTable([level(50)]).split('\n')[2])).toEqual([
      '50',
      '20.0',
      '30.0',
      '0',
      '256',
      '300.0',
    ]);
  });

  it('survive a level in which no call came up', () => {
    const none = level(0, { packetsExpected: 0, delayMs: spreadOf([]), jitterMs: spreadOf([]) });
    expect(cpuTable([none])).not.toContain('Infinity');
    expect(soundTable([none])).toContain('–');
  });
});

describe('the report', () => {
  const text = report([level(50), level(100)]);

  it('names every level and how it was measured', () => {
    expect(machineTable(machine)).toContain('Abacus 3000, 2 cores');
    expect(text).toContain('| 50 ');
    expect(text).toContain('| 100 ');
    expect(text).toContain('Nothing is subtracted');
    expect(text.endsWith('does not wait.\n')).toBe(true);
    expect(text).not.toContain('Calls that failed');
  });

  it('says why calls failed, but not a hundred times', () => {
    const failed = Array.from({ length: 100 }, (_, index) => `INVITE: ${500 + index}`);
    const broken = report([level(50, { failed })]);
    expect(broken).toContain('- at 50 calls: INVITE: 500');
    expect(broken.match(/at 50 calls/g)).toHaveLength(3);
  });

  it('ends with the notes that it was given', () => {
    expect(report([level(50)], '### Notes\n\nSlow.')).toMatch(/### Notes\n\nSlow\.\n$/);
  });
});

describe('this machine', () => {
  it('is described in full', () => {
    const own = describeMachine(new Date('2026-11-23T16:00:30Z'));
    expect(own).toMatchObject({ date: '2026-11-23 16:00 UTC', node: process.version, mediasoup: '3.27.1' });
    for (const value of [own.cores, own.memoryGib]) expect(value).toBeGreaterThan(0);
    expect(own.commit).toMatch(/^([0-9a-f]{7,}( \(changed\))?|unknown.*)$/);
    expect(cellsOf(machineTable(own).split('\n')[0])).toEqual(['machine', '']);
  });
});
