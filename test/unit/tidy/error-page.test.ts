import { describe, expect, it } from 'vitest';
import { checkErrorPage, namesInTables } from '../../tidy/error-page.ts';

const text = ['# Errors', '| code | meaning |', '|---|---|', '| `A` | one |', '| `B` | two |', ''].join('\n');
const page = { path: 'docs/ERRORS.md', text };

describe('namesInTables', () => {
  it('reads the first column', () => {
    expect([...namesInTables(text)]).toEqual([
      ['A', 4],
      ['B', 5],
    ]);
  });
});

describe('checkErrorPage', () => {
  it('is content when rows and names are the same', () => {
    expect(checkErrorPage(page, ['A', 'B'])).toEqual([]);
  });

  it('names what has no row', () => {
    expect(checkErrorPage(page, ['A', 'B', 'C'])).toEqual(['docs/ERRORS.md:1 C has no row']);
  });

  it('names a row that explains nothing', () => {
    expect(checkErrorPage(page, ['A'])).toEqual(['docs/ERRORS.md:5 B does not exist']);
  });

  it('names a row that says nothing', () => {
    const hollow = { ...page, text: text.replace('| one |', '|  |') };
    expect(checkErrorPage(hollow, ['A', 'B'])).toEqual(['docs/ERRORS.md:4 A has an empty cell']);
  });
});
