/** The way in: a key of the configuration with one's name, or a token that the tenant's own server made. */
import { useState, type SubmitEvent, type ReactElement } from 'react';
import type { DeskRole } from '../../src/web/desk-wire.ts';
import type { Credentials } from './desk-session.ts';

export function SignIn(props: {
  readonly busy: boolean;
  readonly trouble: string;
  readonly onSignIn: (credentials: Credentials) => void;
}): ReactElement {
  const { busy, trouble, onSignIn } = props;
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [role, setRole] = useState<DeskRole>('human');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    // Tokens are JWTs: three parts. They name the role and the person themselves.
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(secret.trim())) onSignIn({ token: secret.trim() });
    else onSignIn({ key: secret.trim(), name: name.trim() || 'Desk', role });
  };
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1>Desk</h1>
        <p className="muted">Callers who want to speak to a person are put through to you here.</p>
        <label>
          Your name
          <input
            value={name}
            autoComplete="name"
            maxLength={64}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <label>
          Desk key or token
          <input
            value={secret}
            type="password"
            autoComplete="off"
            required
            onChange={(event) => setSecret(event.target.value)}
          />
        </label>
        <fieldset>
          <legend>I am a</legend>
          {(['human', 'supervisor'] as const).map((one) => (
            <label key={one} className="choice">
              <input type="radio" name="role" checked={role === one} onChange={() => setRole(one)} />
              {one === 'human' ? 'human agent' : 'supervisor'}
            </label>
          ))}
        </fieldset>
        <button className="button primary" type="submit" disabled={busy}>
          {busy ? 'Signing in …' : 'Sign in'}
        </button>
        <p role="alert" className="trouble">
          {trouble}
        </p>
      </form>
    </main>
  );
}
