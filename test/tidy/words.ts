import { checkLines, isBelow, isCode, type TextFile, type Violation } from './files.ts';

/** Names that say nothing about what a folder holds. */
const EMPTY_FOLDER_NAMES = ['utils', 'util', 'common', 'helpers', 'types', 'misc'];

export function checkFolderNames(files: readonly TextFile[]): Violation[] {
  const folders = new Set(
    files.flatMap(({ path }) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, depth, parts) => parts.slice(0, depth + 1).join('/')),
    ),
  );
  return [...folders]
    .filter((folder) => EMPTY_FOLDER_NAMES.some((name) => folder === name || folder.endsWith(`/${name}`)))
    .map((folder) => `${folder}:1 a folder needs a name that says what it holds`);
}

/** The environment is read in one place; scripts, tests and benches stand outside the product. */
export function checkEnvironment(files: readonly TextFile[]): Violation[] {
  const product = files.filter((file) => isBelow(file, ['src', 'sip']) && file.path !== 'src/config.ts');
  return checkLines(product, (line) =>
    /\bprocess\s*\.\s*env\b|\bprocess\[/.test(line) ? 'process.env is read only in src/config.ts' : undefined,
  );
}

/** Ways to wait for time to pass instead of for an event. */
const SLEEPS = [
  /\bsetTimeout\(\s*(resolve|resolved|done|r|res|ok|fulfil)\b/,
  /\bsetTimeout\(\s*\(\)\s*=>\s*(resolve|resolved|done|r|res|ok|fulfil)\(/,
  /new Promise(<[^>]*>)?\(\s*\(?\w+\)?\s*=>\s*(void\s+)?setTimeout\(/,
  /promisify\(\s*setTimeout\s*\)/,
  /\bscheduler\.wait\(/,
  /\bAtomics\.wait\(/,
];

/** The name under which a file has the `setTimeout` that is a promise. */
function promisedTimeout(file: TextFile): string | undefined {
  const match =
    /import\s*\{[^}]*\bsetTimeout\b(?:\s+as\s+(\w+))?[^}]*\}\s*from\s*'(?:node:)?timers\/promises'/.exec(
      file.text,
    );
  return match ? (match[1] ?? 'setTimeout') : undefined;
}

/** The one place that may look again and again: it waits for a condition, never for time alone. */
const WAITS_FOR_CONDITIONS = 'test/support/until.ts';

/** Tests that sleep. A promised timeout that loses a race bounds a wait, and is no sleep. */
export function checkSleeps(files: readonly TextFile[]): Violation[] {
  return files
    .filter((file) => isCode(file) && isBelow(file, ['test']) && file.path !== WAITS_FOR_CONDITIONS)
    .flatMap((file) => {
      const promised = promisedTimeout(file);
      const awaited = promised === undefined ? undefined : new RegExp(`\\bawait\\s+${promised}\\(`);
      return checkLines([file], (line) =>
        [...SLEEPS, ...(awaited ? [awaited] : [])].some((sleep) => sleep.test(line))
          ? 'sleeps: wait for the event instead'
          : undefined,
      );
    });
}

/** Tests that are left out, and words that put work off. */
export function checkLeftovers(files: readonly TextFile[]): Violation[] {
  return checkLines(files.filter(isCode), (line, file) => {
    if (/\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/.test(line)) return 'work put off: do it, or file an issue';
    if (!isBelow(file, ['test'])) return undefined;
    if (/\b(describe|it|test|suite)\s*\.\s*(only|skip|todo|skipIf|runIf|fails)\b/.test(line)) {
      return 'every test runs, every time';
    }
    return undefined;
  });
}

/** Addresses of package registries, and folders that exist on one machine only. */
const OF_ONE_MACHINE = [
  {
    pattern: /\bregistry\.(npmjs|yarnpkg)\b|\bdeb\.debian\.org\b|\barchive\.ubuntu\.com\b/,
    is: 'address of a registry',
  },
  { pattern: /(^|[^\w.*-])\/(work|root)\/\w/, is: 'path of one machine' },
  { pattern: /(^|[^\w.*-])\/(home|Users)\/\w/, is: 'path of one machine' },
  { pattern: /"resolved":\s*"http/, is: 'address of a registry' },
];

export function checkMachineNames(files: readonly TextFile[]): Violation[] {
  return checkLines(files, (line) => OF_ONE_MACHINE.find(({ pattern }) => pattern.test(line))?.is);
}
