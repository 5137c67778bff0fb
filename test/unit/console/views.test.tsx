import { renderToStaticMarkup } from 'react-dom/server';
import type { UseQueryResult } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { momentsOf } from '../../../console/console/call-page.tsx';
import { placeOf } from '../../../console/console/console.tsx';
import { Answer, More, Table } from '../../../console/console/parts.tsx';
import type { WholeCall } from '../../../console/console/rows.ts';
import { length, milliseconds, money, plain, tone, who } from '../../../console/console/words.ts';

const call = (more: Partial<WholeCall>): WholeCall => ({
  ...{ call_id: 'c', source: 'phone', profile: 'p', from_number: '+1555', to_number: '+1556' },
  ...{ started_at: '2026-11-26T10:00:00.000Z', duration_ms: 1000, ending: null, ending_class: null },
  ...{ summary: null, turns: [], tool_calls: [], events: [], messages: [], appointments: [] },
  ...{ activities: [], usage: [] },
  ...more,
});

describe('the moments of a call', () => {
  const turn = { at_ms: 0, interrupted: false, response_ms: null };
  it('are in the order of the timeline, whatever table they come from', () => {
    const moments = momentsOf(
      call({
        turns: [
          { ...turn, seq: 1, who: 'agent', text: 'Hello' },
          { ...turn, seq: 3, who: 'caller', text: 'Hi' },
          { ...turn, seq: 5, who: 'human', text: 'Anna here' },
        ],
        tool_calls: [{ seq: 4, name: 'book', arguments: {}, result: {}, ok: true, took_ms: 5, at_ms: 9 }],
        events: [
          { seq: 0, type: 'ringing', at_ms: 0, fact: {} },
          { seq: 2, type: 'held', at_ms: 0, fact: {} },
        ],
      }),
    );
    expect(moments.map(({ kind }) => kind)).toEqual(['event', 'agent', 'event', 'caller', 'tool', 'human']);
  });

  it('show words as words, not as markup', () => {
    const [moment] = momentsOf(
      call({ turns: [{ ...turn, seq: 0, who: 'caller', text: '<img onerror=x>' }] }),
    );
    const html = renderToStaticMarkup(<>{moment?.body}</>);
    expect(html).toContain('&lt;img onerror=x&gt;');
    expect(html).not.toContain('<img');
  });

  it('tell how fast the answer was, and whether it was cut', () => {
    const said = { seq: 0, who: 'agent', text: 'Yes', at_ms: 0, interrupted: true, response_ms: 640 };
    const html = renderToStaticMarkup(<>{momentsOf(call({ turns: [said] }))[0]?.body}</>);
    expect(html).toContain('answered after 640 ms');
    expect(html).toContain('interrupted');
  });
});

describe('an answer', () => {
  const shown = (query: object): string =>
    renderToStaticMarkup(<Answer query={query as UseQueryResult<string>}>{(data) => <b>{data}</b>}</Answer>);

  it('is waited for, told or refused', () => {
    expect(shown({ data: undefined, error: null })).toContain('role="status"');
    expect(shown({ data: 'here', error: null })).toBe('<b>here</b>');
    expect(shown({ data: undefined, error: new Error('Not now.') })).toMatch(/role="alert".*Not now\./);
  });

  it('that came once stays while a later one fails', () => {
    expect(shown({ data: 'here', error: new Error('Not now.') })).toBe('<b>here</b>');
  });
});

describe('tables', () => {
  it('have a name and headings for those who do not see them', () => {
    const html = renderToStaticMarkup(
      <Table caption="Calls" head={['When', 'From']}>
        <tr />
      </Table>,
    );
    expect(html).toMatch(/<caption[^>]*>Calls<\/caption>/);
    expect(html.match(/<th scope="col">/g)).toHaveLength(2);
  });

  it('offer older rows where there are some', () => {
    const more = (next: string | null | undefined): string =>
      renderToStaticMarkup(<More next={next} go={() => undefined} />);
    expect(more('x')).toContain('Older');
    expect(more(null)).toBe('');
    expect(more(undefined)).toBe('');
  });
});

describe('the address', () => {
  it.each([
    ['', 'live', undefined],
    ['#/calls', 'calls', undefined],
    ['#/calls/', 'calls', undefined],
    ['#/calls/call_1', 'calls', 'call_1'],
    ['#/contacts/a%20b', 'contacts', 'a b'],
    ['#/nothing/x', 'live', 'x'],
    ['#/constructor', 'live', undefined],
  ])('%s', (hash, way, id) => {
    expect(placeOf(hash)).toEqual({ way, id });
  });
});

describe('words', () => {
  it.each([
    [0, '0:00'],
    [999, '0:01'],
    [65_000, '1:05'],
    [3_600_000, '60:00'],
    [null, '–'],
  ])('%s ms is %s long', (ms, text) => {
    expect(length(ms)).toBe(text);
  });

  it.each([
    [12, '12 ms'],
    [640.4, '640 ms'],
    [1500, '1.5 s'],
    [null, ''],
  ])('%s ms is written %s', (ms, text) => {
    expect(milliseconds(ms)).toBe(text);
  });

  it.each([
    ['caller-hung-up', 'Caller hung up'],
    ['book_appointment', 'Book appointment'],
    ['crm', 'CRM'],
    [null, 'Going on'],
  ])('%s is said %s', (slug, text) => {
    expect(plain(slug)).toBe(text);
  });

  it('give every class of ending a colour, and unknown ones none', () => {
    const classes = ['success', 'client', 'upstream', 'server', 'indeterminate', null, 'new'];
    expect(classes.map(tone)).toEqual(['good', 'odd', 'bad', 'bad', 'odd', 'none', 'none']);
  });

  it('name whoever has no number', () => {
    expect(who('')).toBe('Somebody on the web');
    expect(who('+1555')).toBe('+1555');
    expect(money(1_234_500)).toBe('$1.2345');
  });
});
