/** The call that this desk is in: as the human who talks, or as a supervisor who listens. */
import type { ReactElement } from 'react';
import type { WireHandoff } from '../../src/web/desk-wire.ts';
import type { DeskSession, Mode, OwnCall } from './desk-session.ts';
import { Transcript } from './queue.tsx';
import { CALL_WORDS, callerName } from './words.ts';

export interface OwnCallProps {
  readonly call: OwnCall;
  readonly handoff: WireHandoff | undefined;
  readonly title: string;
  readonly session: DeskSession;
}

export function OwnCallCard({ call, handoff, title, session }: OwnCallProps): ReactElement {
  const { state, captions, playbackBlocked } = call;
  const held = handoff?.state === 'held';
  return (
    <section className="card own-call" aria-labelledby="call-title" data-testid="own-call" data-state={state}>
      <h2 id="call-title">{handoff === undefined ? title : callerName(handoff)}</h2>
      <p className="status" role="status">
        {held ? 'On hold: the caller hears music' : CALL_WORDS[state]}
      </p>
      {playbackBlocked && (
        <button className="button primary" onClick={() => session.unblockPlayback()}>
          Turn the sound on
        </button>
      )}
      {call.handoffId === '' ? (
        <Supervision call={call} session={session} />
      ) : (
        <Conversation call={call} held={held} session={session} />
      )}
      {handoff !== undefined && <p className="briefing">{handoff.briefing}</p>}
      <div className="captions" role="log" aria-label="What is being said" tabIndex={0}>
        <ol>
          {captions
            .filter((one) => one.text !== '')
            .map((one) => (
              <li key={one.utteranceId} className={one.who}>
                <span className="unseen">{one.who === 'agent' ? 'Agent: ' : 'Caller: '}</span>
                {one.text}
              </li>
            ))}
        </ol>
      </div>
      {handoff !== undefined && <Transcript turns={handoff.turns} />}
    </section>
  );
}

function Conversation(props: {
  readonly call: OwnCall;
  readonly held: boolean;
  readonly session: DeskSession;
}): ReactElement {
  const { call, held, session } = props;
  return (
    <div className="buttons">
      <button className="button" aria-pressed={call.muted} onClick={() => session.mute(!call.muted)}>
        Mute
      </button>
      <button className="button" aria-pressed={held} onClick={() => void session.hold(!held)}>
        Hold
      </button>
      <button className="button primary" onClick={() => void session.handBack()}>
        Hand back to the agent
      </button>
      <button className="button danger" onClick={() => void session.endCall()}>
        End the call
      </button>
    </div>
  );
}

const MODES: readonly { mode: Mode; label: string; meaning: string }[] = [
  { mode: 'listen', label: 'Listen', meaning: 'You hear everybody; nobody hears you.' },
  { mode: 'whisper', label: 'Whisper', meaning: 'Only the human agent hears you.' },
  { mode: 'barge', label: 'Barge in', meaning: 'Everybody hears you, the caller, too.' },
];

function Supervision(props: { readonly call: OwnCall; readonly session: DeskSession }): ReactElement {
  const { call, session } = props;
  return (
    <>
      <div className="buttons" role="group" aria-label="Who hears you">
        {MODES.map(({ mode, label }) => (
          <button
            key={mode}
            className="button"
            aria-pressed={call.mode === mode}
            onClick={() => void session.setMode(mode)}
          >
            {label}
          </button>
        ))}
        <button className="button" onClick={() => session.leave()}>
          Leave
        </button>
        <button className="button danger" onClick={() => void session.endCall()}>
          End the call
        </button>
      </div>
      <p className="muted">{MODES.find(({ mode }) => mode === call.mode)?.meaning}</p>
    </>
  );
}
