import { describe, expect, it } from 'vitest';
import { TrunklineError } from '../../../src/base/errors.ts';
import { pageOf, page_rows_max, placeOf, rowsToFetch, type Page } from '../../../src/store/page.ts';

interface Row {
  readonly id: string;
  readonly at: Date;
}

function rowsOf(count: number): Row[] {
  return Array.from({ length: count }, (_, n) => ({ id: `row ${n}`, at: new Date(1_000_000 - n) }));
}

/** What a table does with a question: rows after the place, one more than wanted. */
function ask(rows: readonly Row[], limit: number, cursor?: string): Page<Row> {
  const question = { limit, cursor };
  const place = placeOf(cursor);
  const after = rows.filter((row) => {
    if (place === undefined) return true;
    const [one, other] = [row.at.getTime(), place.at.getTime()];
    return one < other || (one === other && row.id < place.id);
  });
  return pageOf(after.slice(0, rowsToFetch(question)), question, (row) => row);
}

describe('a page', () => {
  it.each([
    [0, 3, 1],
    [1, 3, 1],
    [3, 3, 1],
    [4, 3, 2],
    [7, 3, 3],
    [9, 3, 3],
  ])('of a list of %i rows by %i ends after %i', (count, limit, pages) => {
    const rows = rowsOf(count);
    const seen: Row[] = [];
    let asked = 0;
    let cursor: string | undefined;
    do {
      const page = ask(rows, limit, cursor);
      seen.push(...page.rows);
      cursor = page.next ?? undefined;
      asked += 1;
    } while (cursor !== undefined);
    expect(seen).toEqual(rows);
    expect(asked).toBe(pages);
  });

  it('goes on where it was among rows of one instant', () => {
    const at = new Date(5);
    const rows = ['d', 'c', 'b', 'a'].map((id) => ({ id, at }));
    const first = ask(rows, 2);
    const second = ask(rows, 2, first.next ?? undefined);
    expect([first, second].map((page) => page.rows.map((row) => row.id))).toEqual([
      ['d', 'c'],
      ['b', 'a'],
    ]);
  });

  it('has at least one row and at most as many as one may', () => {
    expect([0, -5, 1, page_rows_max, 100_000].map((limit) => rowsToFetch({ limit }))).toEqual([
      ...[2, 2, 2],
      ...[page_rows_max + 1, page_rows_max + 1],
    ]);
  });
});

describe('a cursor', () => {
  it('says nothing by itself, and can stand in a URL', () => {
    const { next } = ask(rowsOf(3), 1);
    expect(next).toMatch(/^[\w-]+$/);
    expect(placeOf(next ?? '')).toEqual({ id: 'row 0', at: new Date(1_000_000) });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'abc'],
    ['another shape', Buffer.from('{"at":1}').toString('base64url')],
    ['a day that is none', Buffer.from('["yesterday","x"]').toString('base64url')],
    [
      'too much',
      Buffer.from(JSON.stringify([new Date().toISOString(), 'x'.repeat(500)])).toString('base64url'),
    ],
    ['more than two parts', Buffer.from('["2026-11-26T10:00:00Z","x","y"]').toString('base64url')],
  ])('of %s is refused with a code', (_what, cursor) => {
    let thrown: unknown;
    try {
      placeOf(cursor);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TrunklineError);
    expect(thrown).toMatchObject({ code: 'STORE_CURSOR_INVALID' });
  });

  it('of the first page is none', () => {
    expect(placeOf(undefined)).toBeUndefined();
  });
});
