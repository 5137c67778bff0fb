/** The whole console: a log-in, the ways through it, and the view that the address names. */
import { useEffect, useMemo, useState, type SubmitEvent, type ReactElement } from 'react';
import { z } from 'zod';
import { Api, keepKey, keptKey } from './api.ts';
import { CallPage } from './call-page.tsx';
import { LivePage } from './live-page.tsx';
import { Appointments, Calls, Contacts, Messages, Queues } from './views.tsx';

const WAYS = ['live', 'calls', 'contacts', 'messages', 'appointments', 'queues'] as const;
type Way = (typeof WAYS)[number];

export interface Place {
  readonly way: Way;
  readonly id: string | undefined;
}

/** `#/calls/call_1` -> calls, call_1. Anything else is the first view. */
export function placeOf(hash: string): Place {
  const [, way = '', id] = hash.split('/');
  const known = WAYS.find((one) => one === way);
  return { way: known ?? 'live', id: id === undefined || id === '' ? undefined : decodeURIComponent(id) };
}

function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return placeOf(hash);
}

export function Console(): ReactElement {
  const [key, setKey] = useState(keptKey);
  const use = (next: string | null): void => {
    keepKey(next);
    setKey(next);
  };
  return key === null ? <LogIn use={use} /> : <Inside key={key} apiKey={key} leave={() => use(null)} />;
}

function LogIn({ use }: { use: (key: string) => void }): ReactElement {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('key');
    const key = typeof given === 'string' ? given.trim() : '';
    setBusy(true);
    new Api(key)
      .get('/numbers', z.object({ data: z.array(z.unknown()) }))
      .then(
        () => use(key),
        (error: unknown) => setTrouble(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <main className="log-in">
      <form className="card" onSubmit={submit}>
        <h1>Trunkline console</h1>
        <label htmlFor="key">API key</label>
        <input id="key" name="key" type="password" autoComplete="off" required autoFocus />
        <p className="muted small">
          The first key was written to <code>data/console-key</code> when the gateway started.
        </p>
        {trouble !== '' && (
          <p className="trouble" role="alert">
            {trouble}
          </p>
        )}
        <button className="button primary" type="submit" disabled={busy}>
          Come in
        </button>
      </form>
    </main>
  );
}

function Inside({ apiKey, leave }: { apiKey: string; leave: () => void }): ReactElement {
  const api = useMemo(() => new Api(apiKey), [apiKey]);
  const place = usePlace();
  return (
    <div className="console">
      <nav aria-label="Console">
        <h1>Trunkline</h1>
        <ul className="plain">
          {WAYS.map((way) => (
            <li key={way}>
              <a href={`#/${way}`} aria-current={place.way === way ? 'page' : undefined}>
                {TITLES[way]}
              </a>
            </li>
          ))}
        </ul>
        <button className="button" type="button" onClick={leave}>
          Leave
        </button>
      </nav>
      <main>
        <h1>{TITLES[place.way]}</h1>
        <View api={api} place={place} />
      </main>
    </div>
  );
}

const TITLES: Readonly<Record<Way, string>> = {
  live: 'On the line',
  calls: 'Calls',
  contacts: 'Contacts',
  messages: 'Messages',
  appointments: 'Appointments',
  queues: 'Queues',
};

function View({ api, place: { way, id } }: { api: Api; place: Place }): ReactElement {
  switch (way) {
    case 'live':
      return <LivePage api={api} />;
    case 'calls':
      return id === undefined ? <Calls api={api} /> : <CallPage api={api} callId={id} />;
    case 'contacts':
      return <Contacts api={api} contactId={id} />;
    case 'messages':
      return <Messages api={api} />;
    case 'appointments':
      return <Appointments api={api} />;
    case 'queues':
      return <Queues api={api} />;
  }
}
