/** For supervisors: the calls of the tenant that are going on. */
import type { ReactElement } from 'react';
import type { WireLiveCall } from '../../src/web/desk-wire.ts';
import { callerName } from './words.ts';

const WITH_WORDS: Readonly<Record<WireLiveCall['with'], string>> = {
  agent: 'with the AI agent',
  queue: 'waits for a human',
  human: 'with',
};

export function LiveCalls(props: {
  readonly calls: readonly WireLiveCall[];
  readonly listeningTo: string | undefined;
  readonly onListen: (callId: string) => void;
}): ReactElement {
  const { calls, listeningTo, onListen } = props;
  return (
    <section className="card" aria-labelledby="calls-title">
      <h2 id="calls-title">Calls going on</h2>
      {calls.length === 0 ? (
        <p className="muted">No call is going on.</p>
      ) : (
        <ul className="rows">
          {calls.map((call) => (
            <li key={call.callId} data-testid="live-call">
              <div>
                <strong>{callerName(call)}</strong>{' '}
                <span className="muted">
                  {WITH_WORDS[call.with]} {call.by}
                </span>
                <p className="muted">
                  {call.profile}, since {new Date(call.startedAt).toLocaleTimeString()}
                </p>
              </div>
              <button
                className="button"
                disabled={listeningTo === call.callId}
                aria-label={`Listen to ${callerName(call)}`}
                onClick={() => onListen(call.callId)}
              >
                Listen
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
