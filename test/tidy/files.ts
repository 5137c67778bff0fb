import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text file of the repository; `path` is relative to its root, with `/`. */
export interface TextFile {
  path: string;
  text: string;
}

/** A broken rule: where, and what is wrong, as `src/a.ts:12 says too much`. */
export type Violation = string;

/** The repository's root. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** All text files that git knows or would take, so that a violation shows before it is committed. */
export function repositoryFiles(root = ROOT): TextFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = [...new Set(listed.split('\0'))].filter(
    (path) => path !== '' && existsSync(join(root, path)),
  );
  return paths
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter((file) => !file.text.includes('\0'));
}

/** The last part of a path: `rtp.ts`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a file holds TypeScript or JavaScript. */
export function isCode(file: TextFile): boolean {
  return /\.(ts|tsx|mts|js|mjs|cjs)$/.test(file.path);
}

/** Whether a file lies in one of the folders (given without a slash at the end). */
export function isBelow(file: TextFile, folders: readonly string[]): boolean {
  return folders.some((folder) => file.path.startsWith(`${folder}/`));
}

/** One violation for each line that `wrong` objects to; it answers what is wrong, or undefined. */
export function checkLines(
  files: readonly TextFile[],
  wrong: (line: string, file: TextFile) => string | undefined,
): Violation[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      const message = wrong(line, file);
      return message === undefined ? [] : [`${file.path}:${index + 1} ${message}`];
    }),
  );
}
