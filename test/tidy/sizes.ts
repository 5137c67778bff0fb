import ts from 'typescript';
import { checkLines, isBelow, isCode, nameOf, type TextFile, type Violation } from './files.ts';
import { lineOf, parse, walk } from './syntax.ts';

/** The house numbers. */
export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;
export const LINE_CHARACTERS_MAX = 110;

/** Where they hold. */
export const HOUSE = ['src', 'sip', 'test', 'bench', 'scripts', 'widget', 'console'];

const WRITTEN_BY_HAND = /\.(ts|tsx|mts|js|mjs|cjs|c|h|cpp|sh|ya?ml)$/;

function linesOf(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

/** Files over FILE_LINES_MAX. */
export function checkFileLengths(files: readonly TextFile[]): Violation[] {
  return files
    .filter((file) => isBelow(file, HOUSE) && WRITTEN_BY_HAND.test(file.path))
    .filter((file) => linesOf(file.text) > FILE_LINES_MAX)
    .map(
      (file) => `${file.path}:${FILE_LINES_MAX} file of ${linesOf(file.text)} lines, over ${FILE_LINES_MAX}`,
    );
}

/** Lines over LINE_CHARACTERS_MAX. */
export function checkLineLengths(files: readonly TextFile[]): Violation[] {
  const ours = files.filter((file) => isBelow(file, HOUSE) && WRITTEN_BY_HAND.test(file.path));
  return checkLines(ours, (line) =>
    line.length > LINE_CHARACTERS_MAX
      ? `line of ${line.length} characters, over ${LINE_CHARACTERS_MAX}`
      : undefined,
  );
}

/** A `describe` only groups tests: its callback is a chapter, not a function. */
function isChapter(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}

/** Functions, methods and closures over FUNCTION_LINES_MAX, from their first line to their closing brace. */
export function checkFunctionLengths(files: readonly TextFile[]): Violation[] {
  const violations: Violation[] = [];
  for (const file of files.filter((each) => isCode(each) && isBelow(each, HOUSE))) {
    const source = parse(file);
    walk(source, (node) => {
      if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined || isChapter(node)) return;
      const line = lineOf(node);
      const lines = source.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line;
      if (lines > FUNCTION_LINES_MAX) {
        violations.push(`${file.path}:${line} function of ${lines} lines, over ${FUNCTION_LINES_MAX}`);
      }
    });
  }
  return violations;
}

/** Source folders, and what counts as their tests. */
export interface Area {
  name: string;
  source: RegExp;
  tests: RegExp;
}

/**
 * Where the tests of an area lie when a folder of its name is not all: what SIPp sends goes through the SIP
 * server and the whole phone door, and each voice of the agent has a folder of tests.
 */
const TESTS_OF: Readonly<Record<string, RegExp>> = {
  'src/phone': /^test\/[^/]+\/phone\/|^test\/sip\/|^sip\/scenarios\//,
  'src/agent': /^test\/[^/]+\/(agent|realtime(-server)?|openai-server|offline|speech)\//,
  'src/*.ts':
    /^test\/(unit|integration)\/(config|gateway|main|media-thread)\/|^test\/(integration\/[^/]+$|e2e\/)/,
  'sip/server': /^test\/[^/]+\/sip(-server)?\/|^test\/sip\/|^sip\/scenarios\//,
  'scripts/call': /^test\/[^/]+\/(scripts\/)?(call|phone-call|test-phone)(\/|[.-])/,
};

function folderArea(folder: string): Area {
  const name = nameOf(folder);
  const tests = TESTS_OF[folder] ?? new RegExp(`^test/[^/]+/${name}/`);
  return { name: folder, source: new RegExp(`^${folder}/.*\\.(ts|mjs)$`), tests };
}

/** The areas of the repository: each folder of src/, its top files, the SIP server, the scripts. */
export function areasOf(files: readonly TextFile[]): Area[] {
  const folders = files
    .map((file) => /^src\/[^/]+(?=\/)/.exec(file.path)?.[0])
    .filter((name) => name !== undefined);
  const topFiles = { name: 'src/*.ts', source: /^src\/[^/]+\.ts$/, tests: TESTS_OF['src/*.ts'] ?? /^$/ };
  const scripts = {
    name: 'scripts',
    source: /^scripts\/(setup|mediasoup-worker)[/.].*$(?<=\.mjs)/,
    tests: /^test\/[^/]+\/scripts\/[^/]+$/,
  };
  const widget = {
    name: 'widget',
    source: /^widget\/.*\.ts$/,
    tests: /^test\/[^/]+\/widget\/.*\.ts$|^test\/e2e\/browser\.test\.ts$/,
  };
  const console = {
    name: 'console',
    source: /^console\/.*\.tsx?$/,
    tests: /^test\/[^/]+\/console\/.*\.tsx?$|^test\/e2e\/(console|desk|handoff|after-call)[^/]*$/,
  };
  const call = { ...folderArea('scripts/call'), source: /^scripts\/call[/.]/ };
  return [...[...new Set(folders), 'sip/server'].map(folderArea), topFiles, scripts, widget, console, call];
}

/** Areas whose tests are shorter than their source. */
export function checkTestLengths(files: readonly TextFile[]): Violation[] {
  const total = (pattern: RegExp): number =>
    files.filter((file) => pattern.test(file.path)).reduce((sum, file) => sum + linesOf(file.text), 0);
  return areasOf(files).flatMap(({ name, source, tests }) => {
    const [sourceLines, testLines] = [total(source), total(tests)];
    return testLines >= sourceLines
      ? []
      : [`${name}:1 ${sourceLines} lines of source, ${testLines} of tests`];
  });
}
