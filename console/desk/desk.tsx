/** The whole desk: what is on the page, by what the human agent is doing. */
import { useEffect, useMemo, useSyncExternalStore, type ReactElement } from 'react';
import type { WireHandoff } from '../../src/web/desk-wire.ts';
import type { DeskSession, DeskView } from './desk-session.ts';
import { LiveCalls } from './live-calls.tsx';
import { OwnCallCard } from './own-call.tsx';
import { Ringing, Waiting } from './queue.tsx';
import { Ringer } from './ringer.ts';
import { SignIn } from './sign-in.tsx';
import { callerName, troubleWords } from './words.ts';

export function Desk({ session }: { readonly session: DeskSession }): ReactElement {
  const view = useSyncExternalStore(session.subscribe, session.view, session.view);
  const ringing = view.call === undefined ? view.state.handoffs.find((one) => one.ringsHere) : undefined;
  useBell(ringing, session);
  useEffect(() => {
    // A page that goes leaves its call at once: the caller is not left alone until somebody notices.
    const leave = (): void => session.leave();
    addEventListener('pagehide', leave);
    return () => removeEventListener('pagehide', leave);
  }, [session]);
  if (view.phase === 'signed-out' || view.phase === 'signing-in')
    return (
      <SignIn
        busy={view.phase === 'signing-in'}
        trouble={troubleWords(view.trouble)}
        onSignIn={(credentials) => session.signIn(credentials)}
      />
    );
  return (
    <>
      <Top view={view} session={session} />
      <main className="desk">
        <p role="alert" className="trouble">
          {view.phase === 'reconnecting'
            ? 'The gateway is away; it is being looked for …'
            : troubleWords(view.trouble)}
        </p>
        {ringing !== undefined && (
          <Ringing
            handoff={ringing}
            onAccept={() => void session.accept(ringing.handoffId, ringing.callId)}
            onDecline={() => void session.decline(ringing.handoffId)}
          />
        )}
        <Panels view={view} session={session} ringing={ringing} />
      </main>
    </>
  );
}

function Panels(props: {
  readonly view: DeskView;
  readonly session: DeskSession;
  readonly ringing: WireHandoff | undefined;
}): ReactElement {
  const { view, session, ringing } = props;
  const { call, state, role } = view;
  const own = state.handoffs.find((one) => one.handoffId === call?.handoffId);
  const live = state.calls.find((one) => one.callId === call?.callId);
  return (
    <>
      {call !== undefined && (
        <OwnCallCard
          {...{ call, session, handoff: own }}
          title={live === undefined ? 'The call' : callerName(live)}
        />
      )}
      <Waiting handoffs={state.handoffs.filter((one) => one !== ringing && one !== own && !isTalking(one))} />
      {role === 'supervisor' && (
        <LiveCalls
          calls={state.calls}
          listeningTo={call?.callId}
          onListen={(callId) => void session.supervise(callId)}
        />
      )}
    </>
  );
}

/** Whoever talks to a colleague does not wait. */
function isTalking({ state }: WireHandoff): boolean {
  return state === 'talking' || state === 'held';
}

function Top({ view, session }: { readonly view: DeskView; readonly session: DeskSession }): ReactElement {
  const { name, role, state } = view;
  const { available, busy, away } = state.colleagues;
  const who = `${name}, ${role === 'human' ? 'human agent' : 'supervisor'}`;
  return (
    <header className="top">
      <h1>Desk</h1>
      <p className="muted">{`${who} · ${available} free, ${busy} talking, ${away} away`}</p>
      {role === 'human' && (
        <button
          className="button presence"
          role="switch"
          aria-checked={state.available}
          onClick={() => void session.setAvailable(!state.available)}
        >
          {state.available ? 'Taking calls' : 'Not taking calls'}
        </button>
      )}
      <button className="button" onClick={() => session.signOut()}>
        Sign out
      </button>
    </header>
  );
}

/** Rings while something rings here, and in the title for whoever looks at another tab. */
function useBell(ringing: WireHandoff | undefined, session: DeskSession): void {
  const ringer = useMemo(() => new Ringer(), []);
  const handoffId = ringing?.handoffId;
  const title = ringing === undefined ? 'Desk — Trunkline' : `☎ ${callerName(ringing)} rings`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    if (handoffId === undefined) return undefined;
    ringer.start(() => session.briefing(handoffId));
    return () => ringer.stop();
  }, [handoffId, ringer, session]);
}
