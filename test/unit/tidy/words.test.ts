import { describe, expect, it } from 'vitest';
import {
  checkEnvironment,
  checkFolderNames,
  checkLeftovers,
  checkMachineNames,
  checkSleeps,
} from '../../tidy/words.ts';

// Samples that the rules must catch are put together here, or the rules would catch this file.
const join = (...parts: string[]): string => parts.join('');

describe('checkFolderNames', () => {
  it.each(['utils', 'common', 'helpers', 'types'])('refuses a folder called %s', (name) => {
    expect(checkFolderNames([{ path: `src/media/${name}/a.ts`, text: '' }])).toEqual([
      `src/media/${name}:1 a folder needs a name that says what it holds`,
    ]);
  });

  it('tells each folder once, and lets files have such names', () => {
    expect(
      checkFolderNames([
        { path: 'utils/a.ts', text: '' },
        { path: 'utils/b.ts', text: '' },
      ]),
    ).toHaveLength(1);
    expect(checkFolderNames([{ path: 'src/media/types.ts', text: '' }])).toEqual([]);
  });
});

describe('checkEnvironment', () => {
  it('lets only src/config.ts read it', () => {
    const text = `const a = 1;\nconst key = process.env['KEY'];`;
    expect(checkEnvironment([{ path: 'src/config.ts', text }])).toEqual([]);
    expect(checkEnvironment([{ path: 'bench/bench.ts', text }])).toEqual([]);
    expect(checkEnvironment([{ path: 'src/agent/model.ts', text }])).toEqual([
      'src/agent/model.ts:2 process.env is read only in src/config.ts',
    ]);
    expect(checkEnvironment([{ path: 'sip/server/a.ts', text }])).toHaveLength(1);
  });

  it('is not fooled by brackets', () => {
    expect(checkEnvironment([{ path: 'src/a.ts', text: `process['env']` }])).toHaveLength(1);
    expect(checkEnvironment([{ path: 'src/a.ts', text: 'process.exitCode = 1' }])).toEqual([]);
  });
});

describe('checkSleeps', () => {
  const check = (text: string): string[] => checkSleeps([{ path: 'test/unit/a.test.ts', text }]);
  const set = join('set', 'Timeout');

  it.each([
    `await new Promise((resolve) => ${set}(resolve, 100));`,
    `await new Promise((r) => ${set}(r, 100));`,
    `await new Promise<void>((go) => ${set}(go, 100));`,
    `  ${set}(resolve, 100);`,
    `  ${set}(() => resolve(), 100);`,
    `const wait = promisify(${set});`,
    join('await sched', 'uler.wait(100);'),
    join('Atomics', '.wait(cells, 0, 0, 100);'),
    `import { ${set} } from 'node:timers/promises'; await ${set}(100);`,
    `import { ${set} as after } from 'timers/promises'; await after(100);`,
  ])('catches %s', (text) => {
    expect(check(text)).toEqual(['test/unit/a.test.ts:1 sleeps: wait for the event instead']);
  });

  it.each([
    `const timer = ${set}(() => reject(new Error('too late')), 5000);`,
    `import { ${set} as after } from 'node:timers/promises'; await Promise.race([answer, after(5000)]);`,
    'await once(socket, "message");',
    'vi.advanceTimersByTime(100);',
    'for await (const _ of setInterval(20)) send();',
  ])('lets pass %s', (text) => {
    expect(check(text)).toEqual([]);
  });

  it('rules tests only', () => {
    expect(checkSleeps([{ path: 'src/base/clock.ts', text: `${set}(resolve, 5)` }])).toEqual([]);
  });

  it('lets one file wait for conditions', () => {
    const text = `${set}(resolve, 5)`;
    expect(checkSleeps([{ path: 'test/support/until.ts', text }])).toEqual([]);
    expect(checkSleeps([{ path: 'test/support/until-later.ts', text }])).toHaveLength(1);
  });
});

describe('checkLeftovers', () => {
  it.each([join('TO', 'DO'), join('FIX', 'ME'), join('XX', 'X'), join('HA', 'CK')])('catches %s', (word) => {
    expect(checkLeftovers([{ path: 'src/a.ts', text: `a();\n// ${word}: later` }])).toEqual([
      'src/a.ts:2 work put off: do it, or file an issue',
    ]);
  });

  it.each([
    join('it', '.only('),
    join('it', '.skip('),
    join('describe', '.skip('),
    join('describe', '.only('),
    join('test', '.todo('),
    join('it', '.skipIf(slow)('),
    join('it', '.runIf(fast)('),
  ])('catches %s', (call) => {
    expect(checkLeftovers([{ path: 'test/a.test.ts', text: `${call}'works', () => {});` }])).toEqual([
      'test/a.test.ts:1 every test runs, every time',
    ]);
  });

  it('lets ordinary words and calls pass', () => {
    expect(
      checkLeftovers([{ path: 'test/a.test.ts', text: `it.each([1])('todos', () => list.skip(1));` }]),
    ).toEqual([]);
    expect(checkLeftovers([{ path: 'docs/a.md', text: join('TO', 'DO') }])).toEqual([]);
  });
});

describe('checkMachineNames', () => {
  const check = (text: string): string[] => checkMachineNames([{ path: 'README.md', text }]);

  it.each([
    [join('see https://regis', 'try.npmjs.org/ws'), 'address of a registry'],
    [join('deb http://deb', '.debian.org/debian bookworm'), 'address of a registry'],
    [join('"resol', 'ved": "https://example.org/a.tgz"'), 'address of a registry'],
    [join('cp a /wo', 'rk/shared/facts'), 'path of one machine'],
    [join("readFile('/ro", "ot/secret')"), 'path of one machine'],
    [join('in /ho', 'me/alice/trunkline'), 'path of one machine'],
  ])('catches %s', (text, message) => {
    expect(check(text)).toEqual([`README.md:1 ${message}`]);
  });

  it.each([
    'src/root/a.ts',
    'a carrier at work/home',
    '/usr/bin/apt-get',
    'https://www.rfc-editor.org/rfc/rfc3261',
  ])('lets pass %s', (text) => {
    expect(check(text)).toEqual([]);
  });
});
