/** Calls that are open now, with what is being said. */
import { useEffect, useState, type ReactElement } from 'react';
import { ApiError, type Api } from './api.ts';
import { after, readLive, type LiveCall, type LiveCalls } from './live.ts';
import { Empty, Tag } from './parts.tsx';
import { clock, plain, who } from './words.ts';

const again_ms = 2000;

/** Reads for as long as it is shown; a stream that breaks is opened again. */
function useLive(api: Api): { calls: LiveCalls; trouble: string | null } {
  const [calls, setCalls] = useState<LiveCalls>(new Map());
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = (): void => {
      readLive(api, abort.signal, (event) => {
        setTrouble(null);
        setCalls((before) => after(before, event));
      })
        .catch((error: unknown) => {
          if (!abort.signal.aborted)
            setTrouble(error instanceof ApiError ? error.message : 'The line broke.');
        })
        .finally(() => {
          if (!abort.signal.aborted) timer = setTimeout(read, again_ms);
        });
    };
    read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [api]);
  return { calls, trouble };
}

export function LivePage({ api }: { api: Api }): ReactElement {
  const { calls, trouble } = useLive(api);
  return (
    <>
      {trouble !== null && (
        <p className="card notice" role="alert">
          {trouble} Trying again …
        </p>
      )}
      {calls.size === 0 && trouble === null && <Empty>Nobody is on the line.</Empty>}
      <ul className="tiles wide">
        {[...calls.values()].map((call) => (
          <Live key={call.callId} call={call} />
        ))}
      </ul>
    </>
  );
}

function Live({ call }: { call: LiveCall }): ReactElement {
  return (
    <li className="card live">
      <header className="call-head">
        <h2>{who(call.from)}</h2>
        <Tag tone={call.state === 'answered' || call.state === 'resumed' ? 'good' : 'odd'}>
          {plain(call.state)}
        </Tag>
        <p className="muted">
          since {clock(call.startedAt)} · {call.profile} · {call.source}
        </p>
      </header>
      <ol className="captions" aria-live="polite" aria-label="What is being said">
        {call.lines.map((line) => (
          <li key={line.utteranceId} className={`${line.who}${line.final ? '' : ' unfinished'}`}>
            <span className="unseen">{line.who === 'agent' ? 'Agent: ' : 'Caller: '}</span>
            {line.text}
          </li>
        ))}
      </ol>
    </li>
  );
}
