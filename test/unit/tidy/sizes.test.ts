import { describe, expect, it } from 'vitest';
import {
  checkFileLengths,
  checkFunctionLengths,
  checkLineLengths,
  checkTestLengths,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LINE_CHARACTERS_MAX,
} from '../../tidy/sizes.ts';

const lines = (count: number): string => 'x;\n'.repeat(count);
/** A function of that many lines, its braces included. */
const functionOf = (count: number): string => `function long() {\n${lines(count - 2)}}\n`;

describe('checkFileLengths', () => {
  it('takes a file of the longest length and no longer', () => {
    const files = [
      { path: 'src/base/a.ts', text: lines(FILE_LINES_MAX) },
      { path: 'sip/server/b.ts', text: lines(FILE_LINES_MAX + 1) },
      { path: 'scripts/c.mjs', text: lines(FILE_LINES_MAX + 2) },
      { path: 'scripts/d.c', text: lines(FILE_LINES_MAX + 3) },
    ];
    expect(checkFileLengths(files)).toEqual([
      'sip/server/b.ts:400 file of 401 lines, over 400',
      'scripts/c.mjs:400 file of 402 lines, over 400',
      'scripts/d.c:400 file of 403 lines, over 400',
    ]);
  });

  it('counts a last line without an end', () => {
    expect(checkFileLengths([{ path: 'src/a.ts', text: `${lines(FILE_LINES_MAX)}x` }])).toHaveLength(1);
  });

  it('leaves what nobody writes by hand', () => {
    expect(checkFileLengths([{ path: 'package-lock.json', text: lines(5000) }])).toEqual([]);
    expect(checkFileLengths([{ path: 'test/fixtures/words.txt', text: lines(5000) }])).toEqual([]);
  });
});

describe('checkLineLengths', () => {
  it('takes a line of the longest length and no longer', () => {
    const text = `${'a'.repeat(LINE_CHARACTERS_MAX)}\n// ${'b'.repeat(LINE_CHARACTERS_MAX)}\n`;
    expect(checkLineLengths([{ path: 'bench/a.ts', text }])).toEqual([
      'bench/a.ts:2 line of 113 characters, over 110',
    ]);
  });
});

describe('checkFunctionLengths', () => {
  const check = (text: string, path = 'src/a.ts'): string[] => checkFunctionLengths([{ path, text }]);

  it('takes a function of the longest length and no longer', () => {
    expect(check(functionOf(FUNCTION_LINES_MAX))).toEqual([]);
    expect(check(`\n${functionOf(FUNCTION_LINES_MAX + 1)}`)).toEqual([
      'src/a.ts:2 function of 71 lines, over 70',
    ]);
  });

  it('leaves its doc comment out', () => {
    expect(check(`/**\n${' * text\n'.repeat(50)} */\n${functionOf(FUNCTION_LINES_MAX)}`)).toEqual([]);
  });

  it.each([
    ['a method', `class A {\n  m() {\n${lines(FUNCTION_LINES_MAX)}  }\n}`],
    ['a constructor', `class A {\n  constructor() {\n${lines(FUNCTION_LINES_MAX)}  }\n}`],
    ['a getter', `class A {\n  get m() {\n${lines(FUNCTION_LINES_MAX)}  }\n}`],
    ['a closure', `const f =\n() => {\n${lines(FUNCTION_LINES_MAX)}};`],
    ['a test', `describe('a', () => {\nit('b', () => {\n${lines(FUNCTION_LINES_MAX)}});\n});`],
  ])('sees %s', (_, text) => {
    expect(check(text)).toEqual(['src/a.ts:2 function of 72 lines, over 70']);
  });

  it('reads JavaScript too', () => {
    expect(check(functionOf(FUNCTION_LINES_MAX + 1), 'scripts/a.mjs')).toHaveLength(1);
  });

  it('takes a describe for the chapter that it is', () => {
    const chapter = `describe('a', () => {\n${lines(FUNCTION_LINES_MAX)}});`;
    expect(check(chapter, 'test/unit/a.test.ts')).toEqual([]);
    expect(check(chapter.replace('describe', 'describe.each([1])'), 'test/unit/a.test.ts')).toEqual([]);
  });
});

describe('checkTestLengths', () => {
  it('weighs every area on its own', () => {
    const files = [
      { path: 'src/base/a.ts', text: lines(10) },
      { path: 'test/unit/base/a.test.ts', text: lines(4) },
      { path: 'test/integration/base/a.test.ts', text: lines(6) },
      { path: 'src/media/b.ts', text: lines(20) },
      { path: 'test/unit/media/b.test.ts', text: lines(19) },
      { path: 'scripts/setup/c.mjs', text: lines(1) },
      { path: 'scripts/call.ts', text: lines(3) },
      { path: 'test/integration/call.test.ts', text: lines(3) },
      { path: 'widget/element/d.ts', text: lines(5) },
      { path: 'test/unit/widget/d.test.ts', text: lines(2) },
      { path: 'test/e2e/browser.test.ts', text: lines(2) },
      { path: 'src/main.ts', text: lines(2) },
      { path: 'test/integration/gateway.test.ts', text: lines(2) },
    ];
    expect(checkTestLengths(files)).toEqual([
      'src/media:1 20 lines of source, 19 of tests',
      'scripts:1 1 lines of source, 0 of tests',
      'widget:1 5 lines of source, 4 of tests',
    ]);
  });

  it('finds the tests of each voice of the agent', () => {
    const files = [
      { path: 'src/agent/agent.ts', text: lines(10) },
      { path: 'src/agent/models/realtime/index.ts', text: lines(10) },
      { path: 'test/unit/agent/agent.test.ts', text: lines(10) },
      { path: 'test/integration/realtime/index.test.ts', text: lines(10) },
    ];
    expect(checkTestLengths(files)).toEqual([]);
  });

  it('counts SIPp scenarios for the phone and for the SIP server', () => {
    const files = [
      { path: 'src/phone/a.ts', text: lines(10) },
      { path: 'sip/server/b.ts', text: lines(10) },
    ];
    expect(checkTestLengths(files)).toHaveLength(2);
    expect(checkTestLengths([...files, { path: 'sip/scenarios/bye.xml', text: lines(10) }])).toEqual([]);
  });
});
