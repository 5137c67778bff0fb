import type { Violation } from './files.ts';

/** What a page of docs explains: the names in the first column of its tables, with their lines. */
export function namesInTables(page: string): Map<string, number> {
  const names = new Map<string, number>();
  for (const [index, line] of page.split('\n').entries()) {
    const name = /^\| `([^`]+)` \|/.exec(line)?.[1];
    if (name !== undefined) names.set(name, index + 1);
  }
  return names;
}

/**
 * Both directions: every code and ending has a row in the page with something in each cell, and every row
 * explains one that exists.
 */
export function checkErrorPage(page: { path: string; text: string }, known: readonly string[]): Violation[] {
  const rows = namesInTables(page.text);
  const lines = page.text.split('\n');
  const lacking = known.filter((name) => !rows.has(name)).map((name) => `${page.path}:1 ${name} has no row`);
  const [unknown, empty] = [new Array<Violation>(), new Array<Violation>()];
  for (const [name, line] of rows) {
    if (!known.includes(name)) unknown.push(`${page.path}:${line} ${name} does not exist`);
    if (/\|\s*\|/.test(lines[line - 1] ?? '')) empty.push(`${page.path}:${line} ${name} has an empty cell`);
  }
  return [...lacking, ...unknown, ...empty];
}
