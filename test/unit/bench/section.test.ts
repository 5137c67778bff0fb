import { describe, expect, it } from 'vitest';
import { withSection } from '../../../bench/section.ts';

const names = ['calls', 'browsers', 'turns'];

const written = (page: string, name: string, markdown: string): string =>
  withSection(page, names, { name, title: `About ${name}`, markdown });

const titles = (page: string): string[] => page.split('\n').filter((line) => line.startsWith('## '));

describe('the page of results', () => {
  it('begins with its head and takes a first section', () => {
    const page = written('', 'calls', '| 1 |');
    expect(page).toMatch(/^# Results of `npm run bench`\n\n<!-- section calls -->\n\n## About calls\n/);
    expect(page.endsWith('| 1 |\n')).toBe(true);
  });

  it('keeps the order of the list, whatever was measured first', () => {
    const page = written(written(written('', 'turns', 't'), 'calls', 'c'), 'browsers', 'b');
    expect(titles(page)).toEqual(['## About calls', '## About browsers', '## About turns']);
  });

  it('replaces one section and leaves the others as they are', () => {
    const before = written(written('', 'calls', 'old calls'), 'turns', 'old turns');
    const page = written(before, 'turns', 'new turns');
    expect(page).toContain('old calls');
    expect(page).toContain('new turns');
    expect(page).not.toContain('old turns');
    expect(written(page, 'turns', 'new turns')).toBe(page);
  });

  it('drops a section that is measured no more', () => {
    const before = withSection('', ['gone'], { name: 'gone', title: 'Gone', markdown: 'x' });
    expect(written(before, 'calls', 'c')).not.toContain('Gone');
  });
});
