import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, functionOf, readProfiles, selfTimes, type CpuProfile } from '../../../bench/cpu-profile.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 4] },
    { id: 2, callFrame: frame('tick', 'file:///somewhere/src/media/pacer.ts', 41) },
    { id: 3, callFrame: frame('(idle)') },
    { id: 4, callFrame: frame('late', 'file:///somewhere/src/media/pacer.ts', 60) },
  ],
  samples: [2, 3, 2, 4, 99],
  timeDeltas: [1000, 50_000, 3000, 2000, 7],
};

describe('self times', () => {
  it('are summed by function, the most costly first, without waiting', () => {
    expect(selfTimes([profile], functionOf)).toEqual([
      { name: 'tick src/media/pacer.ts:42', selfMs: 4 },
      { name: 'late src/media/pacer.ts:61', selfMs: 2 },
    ]);
  });

  it('are summed by file, over all threads', () => {
    expect(selfTimes([profile, profile], fileOf)).toEqual([{ name: 'src/media/pacer.ts', selfMs: 12 }]);
  });

  it('of nothing are nothing', () => {
    expect(selfTimes([], fileOf)).toEqual([]);
  });
});

describe('a frame', () => {
  it.each([
    [frame('x', 'file:///a/src/media/anchor.ts'), 'src/media/anchor.ts'],
    [frame('x', 'file:///a/sip/server/parse.ts'), 'sip/server/parse.ts'],
    [frame('x', 'file:///a/src/b/node_modules/ws/lib/sender.js'), 'ws/lib/sender.js'],
    [frame('x', 'node:dgram'), 'node:dgram'],
    [frame('(garbage collector)'), '(garbage collector)'],
  ])('%o lies in %s', (given, file) => {
    expect(fileOf(given)).toBe(file);
  });

  it('without a name is anonymous, and a long name is cut', () => {
    expect(functionOf(frame('', 'node:net', 9))).toBe('(anonymous) node:net:10');
    expect(functionOf(frame('x'.repeat(500)))).toHaveLength(60);
  });
});

describe('a folder of profiles', () => {
  it('is read, and other files in it are left alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
    writeFileSync(join(folder, 'one.cpuprofile'), JSON.stringify({ ...profile, startTime: 0 }));
    writeFileSync(join(folder, 'notes.txt'), 'no profile');
    expect(readProfiles(folder)).toEqual([profile]);
    writeFileSync(join(folder, 'two.cpuprofile'), '{"nodes":7}');
    expect(() => readProfiles(folder)).toThrow();
    rmSync(folder, { recursive: true });
  });
});
