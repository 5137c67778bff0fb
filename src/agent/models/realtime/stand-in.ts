/** In a call's place while nobody calls: whatever ends the session is told to whoever keeps it. */
import type { ConnectOptions, SessionEvents, WarmOptions } from '../../voice-model.ts';
import { ConnectError } from '../connect-error.ts';

export class StandIn implements ConnectOptions {
  readonly profile: ConnectOptions['profile'];
  readonly now: ConnectOptions['now'];
  /** The call's own is set when it comes. */
  readonly codec = 'pcmu';
  readonly callId = '';
  readonly #spent: (reason: string) => void;
  #usable = true;

  constructor({ profile, now, spent }: WarmOptions) {
    this.profile = profile;
    this.now = now;
    this.#spent = spent;
  }

  /** false once the session is spent, or a call has it. */
  get usable(): boolean {
    return this.#usable;
  }

  /** A call comes for the session. @throws ConnectError when another was first, or it is spent */
  giveWay(): void {
    if (!this.#usable) throw new ConnectError('the session is spent, or another call has it', true);
    this.#usable = false;
  }

  readonly on = <K extends keyof SessionEvents>(name: K, payload: SessionEvents[K]): void => {
    if (!this.#usable) return;
    const reason = reasonOf(name, payload as SessionEvents['failed'] & SessionEvents['expiring']);
    if (reason === null) return;
    this.#usable = false;
    this.#spent(reason);
  };
}

function reasonOf(
  name: keyof SessionEvents,
  { detail, leftMs }: SessionEvents['failed'] & SessionEvents['expiring'],
): string | null {
  switch (name) {
    case 'failed':
      return detail;
    case 'expiring':
      return `the vendor ends it in ${leftMs} ms`;
    case 'closed':
      return 'it was closed';
    default:
      return null;
  }
}
