/** The lists of the console: calls, contacts, messages, appointments, queues. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import type { Api } from './api.ts';
import { Answer, Empty, More, Table, Tag } from './parts.tsx';
import * as rows from './rows.ts';
import { clock, dayAndClock, length, plain, tone, who } from './words.ts';

interface ViewOptions {
  readonly api: Api;
}

const again_ms = 5000;

export function Calls({ api }: ViewOptions): ReactElement {
  const [cursor, setCursor] = useState('');
  const path = `/calls?limit=50${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
  const query = useQuery({
    queryKey: ['calls', cursor],
    queryFn: () => api.get(path, rows.calls),
    refetchInterval: cursor === '' ? again_ms : false,
  });
  return (
    <Answer query={query}>
      {({ data, next_cursor }) =>
        data.length === 0 ? (
          <Empty>No call has come in yet. Try one: npm run call.</Empty>
        ) : (
          <>
            <Table caption="Calls, newest first" head={['When', 'From', 'Agent', 'Length', 'How it ended']}>
              {data.map((call) => (
                <tr key={call.call_id}>
                  <td>
                    <a href={`#/calls/${call.call_id}`}>{dayAndClock(call.started_at)}</a>
                  </td>
                  <td>{who(call.from_number)}</td>
                  <td>{call.profile}</td>
                  <td className="number">{length(call.duration_ms)}</td>
                  <td>
                    <Tag tone={tone(call.ending_class)}>{plain(call.ending)}</Tag>
                    {call.summary !== null && <p className="muted small">{call.summary}</p>}
                  </td>
                </tr>
              ))}
            </Table>
            <More next={next_cursor} go={setCursor} />
          </>
        )
      }
    </Answer>
  );
}

export function Contacts({ api, contactId }: ViewOptions & { contactId: string | undefined }): ReactElement {
  const query = useQuery({
    queryKey: ['contacts'],
    queryFn: () => api.get('/contacts?limit=100', rows.contacts),
    refetchInterval: again_ms,
  });
  if (contactId !== undefined) return <Contact api={api} contactId={contactId} />;
  return (
    <Answer query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>Nobody is known yet: callers become contacts after their first call.</Empty>
        ) : (
          <Table caption="Contacts" head={['Name', 'Number', 'Email', 'Company', 'Last change']}>
            {data.map((contact) => (
              <tr key={contact.contact_id}>
                <td>
                  <a href={`#/contacts/${contact.contact_id}`}>{contact.name ?? 'Unknown'}</a>
                </td>
                <td>{contact.e164}</td>
                <td>{contact.email ?? ''}</td>
                <td>{contact.company ?? ''}</td>
                <td>{dayAndClock(contact.updated_at)}</td>
              </tr>
            ))}
          </Table>
        )
      }
    </Answer>
  );
}

function Contact({ api, contactId }: ViewOptions & { contactId: string }): ReactElement {
  const query = useQuery({
    queryKey: ['contact', contactId],
    queryFn: () => api.get(`/contacts/${encodeURIComponent(contactId)}`, rows.wholeContact),
  });
  return (
    <Answer query={query}>
      {(contact) => (
        <section className="card">
          <h2>{contact.name ?? contact.e164}</h2>
          <p className="muted">
            {[contact.e164, contact.email, contact.company].filter((one) => one !== null).join(' · ')}
          </p>
          {contact.notes !== null && <p>{contact.notes}</p>}
          <h3>What happened</h3>
          <ul className="plain">
            {contact.activities.map((one) => (
              <li key={one.activity_id}>
                <span className="muted">{dayAndClock(one.occurred_at)}</span>{' '}
                {one.call_id === null ? one.summary : <a href={`#/calls/${one.call_id}`}>{one.summary}</a>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </Answer>
  );
}

const DELIVERY: Readonly<Record<string, string>> = {
  delivered: 'good',
  received: 'good',
  failed: 'bad',
  undelivered: 'bad',
  suppressed: 'odd',
  held: 'odd',
};

export function Messages({ api }: ViewOptions): ReactElement {
  const query = useQuery({
    queryKey: ['messages'],
    queryFn: () => api.get('/messages?limit=100', rows.messages),
    refetchInterval: again_ms,
  });
  return (
    <Answer query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>No message was sent or taken yet.</Empty>
        ) : (
          <Table caption="Messages, newest first" head={['When', 'What', 'With', 'Text', 'State']}>
            {data.map((message) => (
              <tr key={message.message_id}>
                <td>{dayAndClock(message.created_at)}</td>
                <td>
                  {message.channel === 'note'
                    ? 'Note'
                    : message.direction === 'inbound'
                      ? 'SMS in'
                      : 'SMS out'}
                </td>
                <td>{message.direction === 'inbound' ? message.from_number : message.to_number}</td>
                <td className="text">{message.body}</td>
                <td>
                  <Tag tone={DELIVERY[message.status] ?? 'none'}>{plain(message.status)}</Tag>
                  {message.error_detail !== null && <p className="muted small">{message.error_detail}</p>}
                </td>
              </tr>
            ))}
          </Table>
        )
      }
    </Answer>
  );
}

export function Appointments({ api }: ViewOptions): ReactElement {
  const query = useQuery({
    queryKey: ['appointments'],
    queryFn: () => api.get('/appointments?limit=500', rows.appointments),
    refetchInterval: again_ms,
  });
  return (
    <Answer query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>Nothing is booked.</Empty>
        ) : (
          <Table caption="Appointments by day" head={['Day', 'Time', 'Name', 'Confirmation', 'Call']}>
            {data.map((one) => (
              <tr key={one.appointment_id}>
                <td>{one.day}</td>
                <td className="number">
                  {one.time}, {one.duration_min} min
                </td>
                <td>{one.name}</td>
                <td className="number">{one.confirmation}</td>
                <td>{one.call_id !== null && <a href={`#/calls/${one.call_id}`}>its call</a>}</td>
              </tr>
            ))}
          </Table>
        )
      }
    </Answer>
  );
}

export function Queues({ api }: ViewOptions): ReactElement {
  const counts = useQuery({
    queryKey: ['queues'],
    queryFn: () => api.get('/queues', rows.queues),
    refetchInterval: again_ms,
  });
  return (
    <>
      <Answer query={counts}>
        {({ data }) => (
          <ul className="tiles">
            {data.map((one) => (
              <li key={one.queue} className="card">
                <h2>{plain(one.queue)}</h2>
                <dl className="figures">
                  {(['waiting', 'active', 'delayed', 'failed'] as const).map((state) => (
                    <div key={state}>
                      <dt>{state}</dt>
                      <dd>{one[state]}</dd>
                    </div>
                  ))}
                </dl>
              </li>
            ))}
          </ul>
        )}
      </Answer>
      <p className="muted small">
        Operators see every job, of all tenants, at the <a href="/board">board of queues</a>.
      </p>
      <h2>Given up</h2>
      <DeadLetters api={api} />
    </>
  );
}

function DeadLetters({ api }: ViewOptions): ReactElement {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: ['dead-letters'],
    queryFn: () => api.get('/dead-letters?limit=100', rows.deadLetters),
    refetchInterval: again_ms,
  });
  const settle = useMutation({
    mutationFn: ({ id, how }: { id: string; how: 'replay' | 'discard' }) =>
      api.post(`/dead-letters/${encodeURIComponent(id)}/${how}`, rows.deadLetter),
    onSettled: () => queries.invalidateQueries({ queryKey: ['dead-letters'] }),
  });
  return (
    <Answer query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <Empty>No job was given up.</Empty>
        ) : (
          <>
            {settle.error !== null && <p role="alert">{settle.error.message}</p>}
            <Table caption="Jobs that were given up" head={['When', 'Queue', 'Why', 'Tries', '']}>
              {data.map((letter) => (
                <tr key={letter.dead_letter_id}>
                  <td>{clock(letter.died_at)}</td>
                  <td>{plain(letter.queue)}</td>
                  <td className="text">
                    {letter.code}
                    <p className="muted small">{letter.detail}</p>
                  </td>
                  <td className="number">{letter.attempts}</td>
                  <td className="actions">
                    {(['replay', 'discard'] as const).map((how) => (
                      <button
                        key={how}
                        className="button"
                        type="button"
                        disabled={settle.isPending}
                        onClick={() => settle.mutate({ id: letter.dead_letter_id, how })}
                      >
                        {plain(how)}
                      </button>
                    ))}
                  </td>
                </tr>
              ))}
            </Table>
          </>
        )
      }
    </Answer>
  );
}
