/** One call: what was said, done and written afterwards, on one line of time. */
import { useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import type { Api } from './api.ts';
import { Answer, Empty, Tag } from './parts.tsx';
import { callJobs, wholeCall, type CallJob, type WholeCall } from './rows.ts';
import { clock, dayAndClock, length, milliseconds, money, plain, tone, who } from './words.ts';

interface Moment {
  readonly seq: number;
  readonly atMs: number;
  readonly kind: 'caller' | 'agent' | 'human' | 'tool' | 'event';
  readonly body: ReactNode;
}

/** Everything that happened, in order. */
export function momentsOf(call: WholeCall): Moment[] {
  const turns = call.turns.map((turn): Moment => ({
    seq: turn.seq,
    atMs: turn.at_ms,
    kind: turn.who === 'caller' || turn.who === 'human' ? turn.who : 'agent',
    body: (
      <>
        <p>{turn.text}</p>
        {(turn.interrupted || turn.response_ms !== null) && (
          <p className="muted small">
            {turn.response_ms !== null && `answered after ${milliseconds(turn.response_ms)}`}
            {turn.interrupted && ' · interrupted'}
          </p>
        )}
      </>
    ),
  }));
  const tools = call.tool_calls.map((tool): Moment => ({
    seq: tool.seq,
    atMs: tool.at_ms,
    kind: 'tool',
    body: (
      <details>
        <summary>
          {plain(tool.name)} <Tag tone={tool.ok ? 'good' : 'bad'}>{tool.ok ? 'done' : 'failed'}</Tag>{' '}
          <span className="muted small">{milliseconds(tool.took_ms)}</span>
        </summary>
        <pre>{JSON.stringify({ asked: tool.arguments, answered: tool.result }, null, 2)}</pre>
      </details>
    ),
  }));
  const events = call.events.map((event): Moment => ({
    seq: event.seq,
    atMs: event.at_ms,
    kind: 'event',
    body: <p className="muted">{plain(event.type)}</p>,
  }));
  return [...turns, ...tools, ...events].sort((one, other) => one.seq - other.seq);
}

const WHO = { caller: 'Caller', agent: 'Agent', human: 'Colleague', tool: 'Tool', event: '' } as const;

export function CallPage({ api, callId }: { api: Api; callId: string }): ReactElement {
  const query = useQuery({
    queryKey: ['call', callId],
    queryFn: () => api.get(`/calls/${encodeURIComponent(callId)}`, wholeCall),
    refetchInterval: 3000,
  });
  return <Answer query={query}>{(call) => <Whole api={api} call={call} />}</Answer>;
}

function Whole({ api, call }: { api: Api; call: WholeCall }): ReactElement {
  const moments = momentsOf(call);
  return (
    <article>
      <header className="call-head">
        <h2>{who(call.from_number)}</h2>
        <Tag tone={tone(call.ending_class)}>{plain(call.ending)}</Tag>
        <p className="muted">
          {dayAndClock(call.started_at)} · {length(call.duration_ms)} · {call.profile} · {call.source}
        </p>
        {call.summary !== null && <p>{call.summary}</p>}
      </header>
      <div className="two">
        <section aria-label="What happened">
          {moments.length === 0 && <Empty>Nothing was written down yet.</Empty>}
          <ol className="timeline">
            {moments.map((moment) => (
              <li key={moment.seq} className={moment.kind}>
                <time>{length(moment.atMs)}</time>
                <div>
                  {moment.kind !== 'event' && <strong>{WHO[moment.kind]}</strong>}
                  {moment.body}
                </div>
              </li>
            ))}
          </ol>
        </section>
        <Aftermath api={api} call={call} />
      </div>
    </article>
  );
}

function Aftermath({ api, call }: { api: Api; call: WholeCall }): ReactElement {
  const cost = call.usage.reduce((sum, one) => sum + (one.cost_micros ?? 0), 0);
  return (
    <aside aria-label="What became of it">
      <section className="card">
        <h3>Appointments</h3>
        {call.appointments.length === 0 && <p className="muted">None.</p>}
        {call.appointments.map((one) => (
          <p key={one.appointment_id}>
            {one.day} at {one.time}, {one.name} <span className="muted">({one.confirmation})</span>
          </p>
        ))}
      </section>
      <section className="card">
        <h3>Messages</h3>
        {call.messages.length === 0 && <p className="muted">None.</p>}
        {call.messages.map((one) => (
          <p key={one.message_id}>
            {one.body} <span className="muted">({plain(one.status)})</span>
          </p>
        ))}
      </section>
      <section className="card">
        <h3>In the CRM</h3>
        {call.activities.length === 0 && <p className="muted">Nothing yet.</p>}
        {call.activities.map((one) => (
          <p key={one.activity_id}>{one.summary}</p>
        ))}
      </section>
      <section className="card" aria-label="Jobs">
        <h3>Jobs</h3>
        <Jobs api={api} callId={call.call_id} />
      </section>
      {cost > 0 && (
        <section className="card">
          <h3>Models</h3>
          <p>{money(cost)}</p>
        </section>
      )}
    </aside>
  );
}

function Jobs({ api, callId }: { api: Api; callId: string }): ReactElement {
  const query = useQuery({
    queryKey: ['jobs', callId],
    queryFn: () => api.get(`/calls/${encodeURIComponent(callId)}/jobs`, callJobs),
    refetchInterval: 3000,
    retry: false,
  });
  return (
    <Answer query={query}>
      {({ data }) =>
        data.length === 0 ? (
          <p className="muted">None is remembered.</p>
        ) : (
          <ul className="jobs">
            {data.map((job) => (
              <li key={`${job.queue} ${job.key}`}>
                {plain(job.queue)} <Tag tone={TONES[job.state]}>{STATES[job.state]}</Tag>{' '}
                <span className="muted small">{howOften(job)}</span>
                {job.failure !== null && <p className="muted small">{job.failure}</p>}
              </li>
            ))}
          </ul>
        )
      }
    </Answer>
  );
}

const STATES = {
  waiting: 'waiting',
  active: 'being done',
  delayed: 'put off',
  completed: 'done',
  failed: 'given up',
} as const;
const TONES = { waiting: 'none', active: 'none', delayed: 'odd', completed: 'good', failed: 'bad' } as const;

function howOften({ state, attempts, attempts_max, ended_at }: CallJob): string {
  const tries = attempts > 1 || state === 'delayed' ? `try ${attempts} of ${attempts_max}` : '';
  return [ended_at === null ? '' : clock(ended_at), tries].filter((part) => part !== '').join(' · ');
}
