/** What a browser loads of the console: small, whole, and from the gateway alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildForBrowsers } from '../../support/web-builds.ts';
import { ROOT } from '../../tidy/files.ts';

const folder = join(ROOT, 'console', 'dist');
const page = (): string => readFileSync(join(folder, 'console', 'index.html'), 'utf8');

/** Files that the page names, and those which these name in turn. */
function loaded(): string[] {
  const seen = new Set([...page().matchAll(/\/assets\/([\w.-]+)/g)].map((match) => match[1] ?? ''));
  for (const name of seen) {
    if (!name.endsWith('.js')) continue;
    const text = readFileSync(join(folder, 'assets', name), 'utf8');
    for (const [, other = ''] of text.matchAll(/from\s*"\.\/([\w.-]+\.js)"/g)) seen.add(other);
  }
  return [...seen];
}

describe('the page of the console', () => {
  beforeAll(() => buildForBrowsers('console'));

  it('names files that are there, and is under 200 kB gzipped with all of them', () => {
    const there = readdirSync(join(folder, 'assets'));
    expect(there).toEqual(expect.arrayContaining(loaded()));
    const bytes = loaded().map((name) => gzipSync(readFileSync(join(folder, 'assets', name))).length);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(200_000);
  });

  it('has no script of its own in it, and loads nothing from elsewhere', () => {
    expect(page()).not.toMatch(/<script(?![^>]*src=)/);
    expect(page()).not.toMatch(/(src|href)="https?:/);
  });
});
