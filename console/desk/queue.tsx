/** Callers on the way to a human: the one that rings here stands out, the others wait in a list. */
import { useEffect, useState, type ReactElement } from 'react';
import type { WireHandoff } from '../../src/web/desk-wire.ts';
import { callerName, duration } from './words.ts';

const STATE_WORDS: Readonly<Record<WireHandoff['state'], string>> = {
  announcing: 'is being told',
  waiting: 'waits with music',
  ringing: 'rings',
  joining: 'is being connected',
  talking: 'talks',
  held: 'is on hold',
  returned: 'is back with the agent',
  over: 'has hung up',
};

/** Counts up by itself between two messages of the gateway. */
function useWaited(waitedMs: number): number {
  const [passedMs, setPassedMs] = useState(0);
  useEffect(() => {
    const startedMs = performance.now();
    const timer = setInterval(() => setPassedMs(performance.now() - startedMs), 1000);
    return () => clearInterval(timer);
  }, [waitedMs]);
  return waitedMs + passedMs;
}

export function Ringing(props: {
  readonly handoff: WireHandoff;
  readonly onAccept: () => void;
  readonly onDecline: () => void;
}): ReactElement {
  const { handoff, onAccept, onDecline } = props;
  return (
    <section className="card ringing" aria-labelledby="ringing-title" data-testid="ringing">
      <div className="bell" aria-hidden="true" />
      <div role="alert">
        <h2 id="ringing-title">{callerName(handoff)} wants to speak to a person</h2>
        <p className="reason">{handoff.reason}</p>
        <p className="briefing">{handoff.briefing}</p>
      </div>
      <div className="buttons">
        <button className="button primary" autoFocus onClick={onAccept}>
          Accept
        </button>
        <button className="button" onClick={onDecline}>
          Decline
        </button>
      </div>
      <Transcript turns={handoff.turns} />
    </section>
  );
}

export function Waiting({ handoffs }: { readonly handoffs: readonly WireHandoff[] }): ReactElement {
  return (
    <section className="card" aria-labelledby="waiting-title">
      <h2 id="waiting-title">Waiting callers</h2>
      {handoffs.length === 0 ? (
        <p className="muted">Nobody waits. You are told when somebody does.</p>
      ) : (
        <ul className="rows">
          {handoffs.map((one) => (
            <WaitingCaller key={one.handoffId} handoff={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function WaitingCaller({ handoff }: { readonly handoff: WireHandoff }): ReactElement {
  const waitedMs = useWaited(handoff.waitedMs);
  const { by, state, briefing } = handoff;
  return (
    <li data-testid="waiting-caller">
      <div>
        <strong>{callerName(handoff)}</strong>{' '}
        <span className="muted">{by === '' ? STATE_WORDS[state] : `with ${by}`}</span>
        <p>{briefing}</p>
      </div>
      <span className="clock" aria-hidden="true">
        {duration(waitedMs)}
      </span>
    </li>
  );
}

export function Transcript({ turns }: { readonly turns: WireHandoff['turns'] }): ReactElement | null {
  if (turns.length === 0) return null;
  return (
    <details className="transcript">
      <summary>What was said before</summary>
      <ol>
        {turns.map((turn, index) => (
          <li key={index} className={turn.who}>
            <span className="unseen">{turn.who === 'agent' ? 'Agent: ' : 'Caller: '}</span>
            {turn.text}
          </li>
        ))}
      </ol>
    </details>
  );
}
