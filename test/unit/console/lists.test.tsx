import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Api } from '../../../console/console/api.ts';
import { CallPage } from '../../../console/console/call-page.tsx';
import { Appointments, Calls, Contacts, Messages, Queues } from '../../../console/console/views.tsx';

/** Nothing is asked while a page is rendered once: what it shows is what the cache holds. */
const api = new Api('key', () => Promise.reject(new Error('nobody asks')));

/** The view as it stands with these answers in hand; those that are not given are on their way. */
function shown(view: ReactElement, answers: Record<string, unknown>): string {
  const queries = new QueryClient();
  for (const [name, answer] of Object.entries(answers))
    queries.setQueryData(JSON.parse(name) as string[], answer);
  return renderToStaticMarkup(<QueryClientProvider client={queries}>{view}</QueryClientProvider>);
}

const key = (...parts: string[]): string => JSON.stringify(parts);
const list = (...data: object[]): object => ({ data, next_cursor: null });
const AT = '2026-11-26T10:00:00.000Z';

const call = {
  ...{ call_id: 'call_1', source: 'phone', profile: 'clinic', from_number: '+15550199' },
  ...{ to_number: '+15550100', started_at: AT, duration_ms: 65_000, ending: 'caller-hung-up' },
  ...{ ending_class: 'success', summary: 'Wanted to know the opening hours.' },
};

describe('calls', () => {
  const view = <Calls api={api} />;

  it('lead to their pages, with length, ending and summary', () => {
    const html = shown(view, { [key('calls', '')]: list(call) });
    expect(html).toContain('href="#/calls/call_1"');
    expect(html).toContain('+15550199');
    expect(html).toContain('1:05');
    expect(html).toContain('Caller hung up');
    expect(html).toContain('Wanted to know the opening hours.');
  });

  it('that go on have no length and no ending yet', () => {
    const open = { ...call, duration_ms: null, ending: null, ending_class: null, summary: null };
    const html = shown(view, { [key('calls', '')]: list(open) });
    expect(html).toContain('Going on');
    expect(html).toContain('–');
  });

  it('of visitors have no number', () => {
    const html = shown(view, { [key('calls', '')]: list({ ...call, from_number: '' }) });
    expect(html).toContain('Somebody on the web');
  });

  it('are not there on the first day, and the page says how to make one', () => {
    expect(shown(view, { [key('calls', '')]: list() })).toContain('npm run call');
  });

  it('are waited for', () => {
    expect(shown(view, {})).toContain('Loading');
  });

  it('offer older ones only where there are some', () => {
    const more = shown(view, { [key('calls', '')]: { data: [call], next_cursor: 'there' } });
    expect(more).toContain('Older');
    expect(shown(view, { [key('calls', '')]: list(call) })).not.toContain('Older');
  });
});

describe('contacts', () => {
  const contact = {
    ...{ contact_id: 'contact_1', e164: '+15550199', name: null, email: 'e@example.org', company: null },
    updated_at: AT,
  };

  it('without a name are shown by what is known', () => {
    const html = shown(<Contacts api={api} contactId={undefined} />, { [key('contacts')]: list(contact) });
    expect(html).toContain('Unknown');
    expect(html).toContain('+15550199');
    expect(html).toContain('href="#/contacts/contact_1"');
  });

  it('tell what happened, and lead to the calls', () => {
    const activities = [
      { activity_id: 'a', call_id: 'call_1', summary: 'Booked', occurred_at: AT },
      { activity_id: 'b', call_id: null, summary: 'Imported', occurred_at: AT },
    ];
    const whole = { ...contact, name: 'Emily Wilson', notes: 'Likes mornings', activities };
    const html = shown(<Contacts api={api} contactId="contact_1" />, {
      [key('contacts')]: list(),
      [key('contact', 'contact_1')]: whole,
    });
    expect(html).toContain('Emily Wilson');
    expect(html).toContain('+15550199 · e@example.org');
    expect(html).toContain('Likes mornings');
    expect(html).toContain('<a href="#/calls/call_1">Booked</a>');
    expect(html).not.toContain('<a href="#/calls/null"');
  });
});

describe('messages', () => {
  const message = {
    ...{ message_id: 'm', channel: 'sms', direction: 'outbound', status: 'delivered' },
    ...{ from_number: '+15550100', to_number: '+15550199', body: 'See you', created_at: AT },
    error_detail: null as string | null,
  };
  const html = (more: Partial<typeof message>): string =>
    shown(<Messages api={api} />, { [key('messages')]: list({ ...message, ...more }) });

  it('name the other side, whoever wrote', () => {
    expect(html({})).toContain('<td>+15550199</td>');
    expect(html({ direction: 'inbound', from_number: '+15550177' })).toContain('<td>+15550177</td>');
  });

  it('say what they are', () => {
    expect(html({})).toContain('SMS out');
    expect(html({ direction: 'inbound' })).toContain('SMS in');
    expect(html({ channel: 'note', direction: 'inbound' })).toContain('Note');
  });

  it.each([
    ['delivered', 'good'],
    ['failed', 'bad'],
    ['suppressed', 'odd'],
    ['queued', 'none'],
    ['of a later version', 'none'],
  ])('that are %s are coloured %s', (status, colour) => {
    expect(html({ status })).toContain(`class="tag ${colour}"`);
  });

  it('say why they failed', () => {
    expect(html({ status: 'failed', error_detail: 'The number is not in service.' })).toContain(
      'The number is not in service.',
    );
  });
});

describe('appointments', () => {
  const booked = {
    ...{ appointment_id: 'a', confirmation: 'KT482', name: 'Emily Wilson', day: '2026-11-27' },
    ...{ time: '10:00', duration_min: 30, status: 'booked', call_id: 'call_1' as string | null },
  };

  it('lead to the call that made them, if one did', () => {
    const html = (call_id: string | null): string =>
      shown(<Appointments api={api} />, { [key('appointments')]: list({ ...booked, call_id }) });
    expect(html('call_1')).toContain('href="#/calls/call_1"');
    expect(html(null)).not.toContain('href=');
    expect(html(null)).toContain('10:00, 30 min');
  });

  it('that are none are said to be none', () => {
    expect(shown(<Appointments api={api} />, { [key('appointments')]: list() })).toContain(
      'Nothing is booked.',
    );
  });
});

describe('queues', () => {
  const queues = list({ queue: 'sms', waiting: 3, active: 1, delayed: 0, failed: 2 });
  const letter = {
    ...{ dead_letter_id: 'd', queue: 'crm', job_key: 'k', code: 'CRM_REFUSED', detail: 'It says 401' },
    ...{ attempts: 12, died_at: AT },
  };

  it('show how much waits in each', () => {
    const html = shown(<Queues api={api} />, { [key('queues')]: queues, [key('dead-letters')]: list() });
    expect(html).toContain('SMS');
    for (const figure of ['3', '1', '0', '2']) expect(html).toContain(`<dd>${figure}</dd>`);
    expect(html).toContain('No job was given up.');
  });

  it('offer to give a job back, or to put it away', () => {
    const html = shown(<Queues api={api} />, {
      [key('queues')]: queues,
      [key('dead-letters')]: list(letter),
    });
    expect(html).toContain('It says 401');
    expect(html).toMatch(/<button[^>]*>Replay<\/button>/);
    expect(html).toMatch(/<button[^>]*>Discard<\/button>/);
  });

  it('show jobs that were given up, even when the queues do not answer', () => {
    const html = shown(<Queues api={api} />, { [key('dead-letters')]: list(letter) });
    expect(html).toContain('Loading');
    expect(html).toContain('CRM_REFUSED');
  });
});

describe('the page of a call', () => {
  const whole = {
    ...call,
    ...{ turns: [], tool_calls: [], events: [], messages: [], appointments: [], activities: [] },
    usage: [] as object[],
  };
  const html = (more: object): string =>
    shown(<CallPage api={api} callId="call_1" />, { [key('call', 'call_1')]: { ...whole, ...more } });

  it('says of an empty call that nothing was written down', () => {
    expect(html({})).toContain('Nothing was written down yet.');
    expect(html({})).toContain('Nothing yet.');
  });

  it('adds up what models cost, and says nothing where nothing is known', () => {
    const usage = { model: 'm', unit: 'tokens', quantity: 1 };
    expect(
      html({
        usage: [
          { ...usage, cost_micros: 1200 },
          { ...usage, cost_micros: 800 },
        ],
      }),
    ).toContain('$0.0020');
    expect(html({ usage: [{ ...usage, cost_micros: null }] })).not.toContain('$');
  });

  it('marks a tool that failed', () => {
    const tool = { name: 'send_sms', arguments: {}, result: {}, took_ms: null, at_ms: 1 };
    const both = html({
      tool_calls: [
        { ...tool, seq: 0, ok: true },
        { ...tool, seq: 1, ok: false },
      ],
    });
    expect(both).toMatch(/tag good">done/);
    expect(both).toMatch(/tag bad">failed/);
  });
});
