/** Everything that the desk's page knows and does; the components only show it. */
import type { DeskRole, DeskState } from '../../src/web/desk-wire.ts';
import type { EventPayload, WireParticipant } from '../../src/web/wire.ts';
import { CALL_STATE, type CallState } from '../../widget/client/call-state.ts';
import { DeskLink } from '../../widget/client/desk-link.ts';
import { TrunklineClient } from '../../widget/client/trunkline-client.ts';

export type Mode = 'listen' | 'whisper' | 'barge';

export interface OwnCall {
  readonly callId: string;
  /** Empty: as a supervisor. */
  readonly handoffId: string;
  readonly state: CallState;
  readonly muted: boolean;
  readonly mode: Mode;
  readonly captions: readonly EventPayload<'caption'>[];
  readonly participants: readonly WireParticipant[];
  readonly playbackBlocked: boolean;
}

export interface DeskView {
  readonly phase: 'signed-out' | 'signing-in' | 'signed-in' | 'reconnecting';
  readonly name: string;
  readonly role: DeskRole;
  readonly state: DeskState;
  readonly call: OwnCall | undefined;
  /** A sentence about what went wrong last; empty: nothing. */
  readonly trouble: string;
}

/** How somebody shows who it is. */
export type Credentials =
  { readonly token: string } | { readonly key: string; readonly name: string; readonly role: DeskRole };

/** The browser's parts, so that tests can bring their own. */
export interface DeskParts {
  readonly link: (token: () => Promise<string>) => Pick<DeskLink, 'events' | 'ask' | 'close'>;
  readonly client: (
    token: string,
  ) => Pick<TrunklineClient, 'events' | 'call' | 'hangUp' | 'mute' | 'control' | 'unblockPlayback'>;
  readonly askToken: (body: object) => Promise<string>;
}

const NOTHING: DeskState = {
  available: false,
  handoffs: [],
  calls: [],
  colleagues: { available: 0, busy: 0, away: 0 },
};
const captions_max = 200;

export class DeskSession {
  readonly #parts: DeskParts;
  readonly #listeners = new Set<() => void>();
  #view: DeskView = {
    ...{ phase: 'signed-out', name: '', role: 'human', state: NOTHING, call: undefined, trouble: '' },
  };
  #link: ReturnType<DeskParts['link']> | undefined;
  #client: ReturnType<DeskParts['client']> | undefined;
  /** As the human wants it; asked for again after a reconnection. */
  #available = false;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): DeskView => this.#view;

  signIn(credentials: Credentials): void {
    this.#change({ phase: 'signing-in', trouble: '' });
    const token = (): Promise<string> =>
      'token' in credentials ? Promise.resolve(credentials.token) : this.#parts.askToken(credentials);
    const link = (this.#link = this.#parts.link(token));
    link.events.on('signedIn', ({ name, role, state }) => {
      this.#change({ phase: 'signed-in', name, role, state });
      if (this.#available) void this.setAvailable(true);
    });
    link.events.on('state', (state) => this.#change({ state }));
    link.events.on('lost', () => this.#change({ phase: 'reconnecting' }));
    link.events.on('refused', (error) => {
      this.#link = undefined;
      this.#change({ phase: 'signed-out', trouble: error.message });
    });
  }

  signOut(): void {
    this.leave();
    this.#link?.close();
    this.#link = undefined;
    this.#available = false;
    this.#change({ phase: 'signed-out', state: NOTHING, trouble: '' });
  }

  setAvailable(available: boolean): Promise<void> {
    this.#available = available;
    return this.#try((link) => link.ask('presence', { available }));
  }

  accept(handoffId: string, callId: string): Promise<void> {
    return this.#try(async (link) => {
      const { token } = await link.ask('accept', { handoffId });
      await this.#enter({ callId, handoffId }, token);
    });
  }

  decline(handoffId: string): Promise<void> {
    return this.#try((link) => link.ask('decline', { handoffId }));
  }

  supervise(callId: string): Promise<void> {
    return this.#try(async (link) => {
      const { token } = await link.ask('supervise', { callId });
      await this.#enter({ callId, handoffId: '' }, token);
    });
  }

  /** The briefing, spoken: a WAV file; undefined when there is none to be had. */
  async briefing(handoffId: string): Promise<Blob | undefined> {
    try {
      const answer = await this.#link?.ask('briefing', { handoffId });
      if (answer === undefined) return undefined;
      const bytes = Uint8Array.from(atob(answer.sound), (one) => one.charCodeAt(0));
      return new Blob([bytes], { type: 'audio/wav' });
    } catch {
      // It is on the page in writing.
      return undefined;
    }
  }

  mute(muted: boolean): void {
    this.#client?.mute(muted);
  }

  setMode(mode: Mode): Promise<void> {
    return this.#try(async () => {
      await this.#client?.control('mode', { mode });
      this.#changeCall({ mode });
    });
  }

  hold(held: boolean): Promise<void> {
    return this.#try(async () => this.#client?.control('hold', { held }));
  }

  handBack(): Promise<void> {
    return this.#try(async () => this.#client?.control('handBack', {}));
  }

  endCall(): Promise<void> {
    return this.#try(async () => this.#client?.control('end', {}));
  }

  unblockPlayback(): void {
    void this.#client?.unblockPlayback();
    this.#changeCall({ playbackBlocked: false });
  }

  /** Hangs up for oneself: the agent takes a caller over again. */
  leave(): void {
    this.#client?.hangUp();
  }

  async #enter(which: Pick<OwnCall, 'callId' | 'handoffId'>, token: string): Promise<void> {
    this.leave();
    const client = (this.#client = this.#parts.client(token));
    const fresh = { state: CALL_STATE.idle, muted: false, mode: 'listen', playbackBlocked: false } as const;
    this.#change({ call: { ...which, ...fresh, captions: [], participants: [] } });
    client.events.on('state', ({ state, ending }) => {
      if (client !== this.#client) return;
      if (state !== CALL_STATE.ended) {
        this.#changeCall({ state });
        return;
      }
      this.#client = undefined;
      this.#change({
        call: undefined,
        trouble: ending?.slug.startsWith('microphone') === true ? ending.slug : (ending?.text ?? ''),
      });
    });
    client.events.on('muted', (muted) => this.#changeCall({ muted }));
    client.events.on('participants', (participants) => this.#changeCall({ participants }));
    client.events.on('playbackBlocked', () => this.#changeCall({ playbackBlocked: true }));
    client.events.on('caption', (caption) => this.#caption(caption));
    await client.call();
  }

  /** Texts of one utterance replace each other. */
  #caption(caption: EventPayload<'caption'>): void {
    const before = this.#view.call?.captions ?? [];
    const others = before.filter((one) => one.utteranceId !== caption.utteranceId);
    this.#changeCall({ captions: [...others, caption].slice(-captions_max) });
  }

  async #try(work: (link: ReturnType<DeskParts['link']>) => Promise<unknown>): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    try {
      await work(link);
      this.#change({ trouble: '' });
    } catch (error) {
      this.#change({ trouble: error instanceof Error ? error.message : String(error) });
    }
  }

  #changeCall(changes: Partial<OwnCall>): void {
    if (this.#view.call !== undefined) this.#change({ call: { ...this.#view.call, ...changes } });
  }

  #change(changes: Partial<DeskView>): void {
    this.#view = { ...this.#view, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

/** The parts of the browser that the page runs in. */
export const browserParts: DeskParts = {
  link: (token) => new DeskLink(location.origin, token),
  client: (token) => new TrunklineClient({ server: location.origin, credentials: () => ({ token }) }),
  askToken: async (body) => {
    const response = await fetch('/v1/desk/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { token?: string; title?: string };
    if (answer.token === undefined) throw new Error(answer.title ?? `refused (${response.status})`);
    return answer.token;
  },
};
