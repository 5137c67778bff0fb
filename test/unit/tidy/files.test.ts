import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeText } from '../../support/temporary-folder.ts';
import { checkLines, repositoryFiles } from '../../tidy/files.ts';

describe('repositoryFiles', () => {
  it('holds what is committed and what would be, without what is ignored, deleted or binary', () => {
    const root = temporaryFolder();
    const git = (...args: string[]): void => {
      execFileSync('git', args, { cwd: root, stdio: 'ignore' });
    };
    git('init');
    writeText(join(root, '.gitignore'), 'data/\n');
    writeText(join(root, 'committed.ts'), 'a');
    writeText(join(root, 'deleted.ts'), 'b');
    git('add', '.');
    rmSync(join(root, 'deleted.ts'));
    writeText(join(root, 'new', 'file.ts'), 'c');
    writeText(join(root, 'data', 'rows.ts'), 'd');
    writeText(join(root, 'sound.wav'), 'RIFF\0');
    const files = repositoryFiles(root).sort((a, b) => a.path.localeCompare(b.path));
    expect(files).toEqual([
      { path: '.gitignore', text: 'data/\n' },
      { path: 'committed.ts', text: 'a' },
      { path: 'new/file.ts', text: 'c' },
    ]);
  });
});

describe('checkLines', () => {
  it('tells path and line of each objection', () => {
    const files = [{ path: 'a.ts', text: 'good\nbad\ngood\nbad' }];
    expect(checkLines(files, (line) => (line === 'bad' ? 'is bad' : undefined))).toEqual([
      'a.ts:2 is bad',
      'a.ts:4 is bad',
    ]);
  });
});
