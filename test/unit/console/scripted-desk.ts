/** A desk session with a scripted gateway: what it asks is kept, what it is told is the test's. */
import type { DeskState, WireHandoff, WireLiveCall } from '../../../src/web/desk-wire.ts';
import { DeskSession, type DeskParts } from '../../../console/desk/desk-session.ts';
import type { ClientEvents } from '../../../widget/client/client-events.ts';
import type { DeskLinkEvents } from '../../../widget/client/desk-link.ts';
import { Emitter } from '../../../widget/client/emitter.ts';

export function deskState(changes: Partial<DeskState> = {}): DeskState {
  return {
    available: false,
    handoffs: [],
    calls: [],
    colleagues: { available: 0, busy: 0, away: 1 },
    ...changes,
  };
}

export function handoff(changes: Partial<WireHandoff> = {}): WireHandoff {
  return {
    handoffId: 'handoff-1',
    callId: 'call-1',
    from: '+15550199',
    source: 'phone',
    profile: 'clinic',
    reason: 'asks for a nurse',
    briefing: 'Emily Wilson has a fever.',
    state: 'ringing',
    waitedMs: 65_000,
    ringsHere: true,
    mine: false,
    by: '',
    turns: [
      { who: 'agent', text: 'How can I help you?' },
      { who: 'visitor', text: 'A nurse, please.' },
    ],
    ...changes,
  };
}

export function liveCall(changes: Partial<WireLiveCall> = {}): WireLiveCall {
  return {
    callId: 'call-1',
    from: '+15550199',
    source: 'phone',
    profile: 'clinic',
    startedAt: '2026-11-24T10:00:00.000Z',
    with: 'agent',
    by: '',
    ...changes,
  };
}

export class ScriptedLink {
  readonly events = new Emitter<DeskLinkEvents>();
  readonly asked: [name: string, ask: unknown][] = [];
  readonly answers: Record<string, object> = {};
  refusal: Error | undefined;
  closed = false;
  readonly token: () => Promise<string>;

  constructor(token: () => Promise<string>) {
    this.token = token;
  }

  ask = (name: string, ask: unknown): Promise<never> => {
    this.asked.push([name, ask]);
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    return Promise.resolve((this.answers[name] ?? {}) as never);
  };

  close(): void {
    this.closed = true;
  }
}

export class ScriptedClient {
  readonly events = new Emitter<ClientEvents>();
  readonly done: string[] = [];
  readonly token: string;

  constructor(token: string) {
    this.token = token;
  }

  call(): Promise<void> {
    this.done.push('call');
    return Promise.resolve();
  }

  hangUp(): void {
    this.done.push('hangUp');
    this.events.emit('state', { state: 'ended', ending: { slug: 'caller-hung-up', text: '' } });
  }

  mute(muted: boolean): void {
    this.done.push(`mute ${muted}`);
    this.events.emit('muted', muted);
  }

  control(name: string, ask: unknown): Promise<void> {
    this.done.push(`${name} ${JSON.stringify(ask)}`);
    return Promise.resolve();
  }

  unblockPlayback(): Promise<void> {
    this.done.push('unblock');
    return Promise.resolve();
  }
}

export class ScriptedDesk {
  readonly session: DeskSession;
  readonly links: ScriptedLink[] = [];
  readonly clients: ScriptedClient[] = [];
  readonly bodies: object[] = [];

  constructor() {
    const parts: DeskParts = {
      link: (token) => {
        const link = new ScriptedLink(token);
        this.links.push(link);
        return link;
      },
      client: (token) => {
        const client = new ScriptedClient(token);
        this.clients.push(client);
        return client;
      },
      askToken: (body) => {
        this.bodies.push(body);
        return Promise.resolve('a-token');
      },
    };
    this.session = new DeskSession(parts);
  }

  get link(): ScriptedLink {
    const last = this.links.at(-1);
    if (last === undefined) throw new Error('nobody signs in');
    return last;
  }

  get client(): ScriptedClient {
    const last = this.clients.at(-1);
    if (last === undefined) throw new Error('no call was begun');
    return last;
  }

  signIn(role: 'human' | 'supervisor' = 'human', state = deskState()): void {
    this.session.signIn({ key: 'desk-key', name: 'Nora', role });
    this.link.events.emit('signedIn', { deskId: 'desk-1', name: 'Nora', role, tenant: 'clinic', state });
  }

  /** In a call that it has accepted. */
  async talk(): Promise<void> {
    this.signIn('human', deskState({ handoffs: [handoff()] }));
    this.link.answers['accept'] = { token: 'room-token' };
    await this.session.accept('handoff-1', 'call-1');
    this.client.events.emit('state', { state: 'talking' });
    const own = handoff({ state: 'talking', ringsHere: false, mine: true, by: 'Nora' });
    this.link.events.emit('state', deskState({ handoffs: [own] }));
  }
}
