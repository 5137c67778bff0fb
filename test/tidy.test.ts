import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENDINGS } from '../src/base/ending.ts';
import { ERROR_CATALOGUE } from '../src/base/errors.ts';
import { checkErrorPage } from './tidy/error-page.ts';
import { repositoryFiles, ROOT } from './tidy/files.ts';
import { checkImports } from './tidy/imports.ts';
import {
  checkFileLengths,
  checkFunctionLengths,
  checkLineLengths,
  checkTestLengths,
  FILE_LINES_MAX,
  FUNCTION_LINES_MAX,
  LINE_CHARACTERS_MAX,
} from './tidy/sizes.ts';
import {
  checkEnvironment,
  checkFolderNames,
  checkLeftovers,
  checkMachineNames,
  checkSleeps,
} from './tidy/words.ts';

// The rules themselves are tested in test/unit/tidy; here they are held against the repository.
const files = repositoryFiles();

describe('the repository', () => {
  it('is found', () => {
    expect(files.map((file) => file.path)).toContain('src/base/errors.ts');
  });

  it('imports in one direction, and each outside library in one folder', () => {
    expect(checkImports(files)).toEqual([]);
  });

  it(`has files of at most ${FILE_LINES_MAX} lines`, () => {
    expect(checkFileLengths(files)).toEqual([]);
  });

  it(`has functions of at most ${FUNCTION_LINES_MAX} lines`, () => {
    expect(checkFunctionLengths(files)).toEqual([]);
  });

  it(`has lines of at most ${LINE_CHARACTERS_MAX} characters`, () => {
    expect(checkLineLengths(files)).toEqual([]);
  });

  it('has tests at least as long as the source, in every area', () => {
    expect(checkTestLengths(files)).toEqual([]);
  });

  it('has folders whose names say something', () => {
    expect(checkFolderNames(files)).toEqual([]);
  });

  it('reads the environment in one file', () => {
    expect(checkEnvironment(files)).toEqual([]);
  });

  it('has no sleeping test', () => {
    expect(checkSleeps(files)).toEqual([]);
  });

  it('leaves no test out and puts no work off', () => {
    expect(checkLeftovers(files)).toEqual([]);
  });

  it('names no registry and no folder of one machine', () => {
    expect(checkMachineNames(files)).toEqual([]);
  });
});

describe('docs/ERRORS.md', () => {
  it('explains every error code and every ending, and nothing else', () => {
    const path = 'docs/ERRORS.md';
    const text = readFileSync(join(ROOT, path), 'utf8');
    const known = [...Object.keys(ERROR_CATALOGUE), ...Object.keys(ENDINGS)];
    expect(checkErrorPage({ path, text }, known)).toEqual([]);
  });
});

describe('package.json', () => {
  it('pins every dependency to one version', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const versions = Object.values({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});
