/** One desk: a human agent's, or a supervisor's page that is signed in, and what it may ask. */
import type { Socket } from 'socket.io';
import { TrunklineError } from '../base/errors.ts';
import type { HandoffQueue } from '../room/handoff-queue.ts';
import type { Journal } from '../room/journal.ts';
import type { LiveCalls } from '../room/live-calls.ts';
import { AskedSocket, type SocketParts } from './asked-socket.ts';
import { deskStateOf, type DeskSeat } from './desk-state.ts';
import {
  DESK_REQUESTS,
  type DeskAsk,
  type DeskRequestName,
  type DeskResult,
  type DeskRole,
} from './desk-wire.ts';
import type { Grant, Tokens } from './tokens.ts';
import { permissionsOf } from '../room/permissions.ts';

/** How long a page may take from accepting a call to entering its room, in seconds. */
const join_token_ttl_s = 60;

export interface DeskParts {
  readonly queue: HandoffQueue;
  readonly calls: LiveCalls;
  readonly journal: Journal;
  readonly tokens: Tokens;
  /** Speaks a text: a WAV file. */
  readonly speak: (text: string) => Promise<Uint8Array>;
}

type Handlers = {
  [N in Exclude<DeskRequestName, 'signIn'>]: (ask: DeskAsk<N>, seat: DeskSeat) => Promise<DeskResult<N>>;
};

export class DeskConnection {
  readonly #socket: AskedSocket;
  readonly #parts: DeskParts;
  readonly #gone: () => void;
  readonly #stopWatching: (() => void)[] = [];
  #seat: DeskSeat | undefined;
  #tellWaits = false;

  constructor(socket: Socket, parts: DeskParts & SocketParts, gone: () => void) {
    this.#parts = parts;
    this.#gone = gone;
    this.#socket = new AskedSocket(socket, parts, {
      questions: DESK_REQUESTS,
      answer: (name, payload) => this.#answer(name as DeskRequestName, payload),
      dismissed: () => this.#left(),
      gone: () => this.#left(),
    });
  }

  /** The gateway is stopping. */
  close(): void {
    this.#left();
    this.#socket.hangUp();
  }

  async #answer(name: DeskRequestName, payload: unknown): Promise<object> {
    if (name === 'signIn') return this.#signIn(payload as DeskAsk<'signIn'>);
    if (this.#seat === undefined) throw new TrunklineError('WEB_NOT_JOINED', name);
    const handle = this.#handlers[name] as (ask: unknown, seat: DeskSeat) => Promise<object>;
    return handle(payload, this.#seat);
  }

  async #signIn({ token }: DeskAsk<'signIn'>): Promise<DeskResult<'signIn'>> {
    const { tokens, queue } = this.#parts;
    const grant = await tokens.read(token);
    const role = deskRoleOf(grant);
    if (this.#seat !== undefined) throw new TrunklineError('WEB_NOT_JOINED', 'signed in already');
    if (!this.#socket.connected) throw new TrunklineError('WEB_NOT_JOINED', 'the page is gone');
    const { tenant, name = 'Desk' } = grant;
    // A supervisor is rung for nothing: it has no place among the desks.
    const deskId = role === 'human' ? queue.signIn(tenant, name).deskId : '';
    const seat = (this.#seat = { deskId, tenant, name, role });
    this.#socket.stays();
    this.#watch();
    return { ...seat, deskId: deskId || 'supervisor', state: deskStateOf(seat, this.#parts) };
  }

  #watch(): void {
    const { queue, calls } = this.#parts;
    const mine = ({ tenant }: { tenant: string }): void => {
      if (tenant === this.#seat?.tenant) this.#tellSoon();
    };
    this.#stopWatching.push(
      queue.events.on('changed', mine),
      calls.events.on('opened', mine),
      calls.events.on('closed', mine),
    );
  }

  /** Many changes of one moment are told once. */
  #tellSoon(): void {
    if (this.#tellWaits) return;
    this.#tellWaits = true;
    setImmediate(() => {
      this.#tellWaits = false;
      if (this.#seat !== undefined) this.#socket.send('state', deskStateOf(this.#seat, this.#parts));
    });
  }

  #left(): void {
    for (const stop of this.#stopWatching.splice(0)) stop();
    const seat = this.#seat;
    this.#seat = undefined;
    if (seat?.role === 'human') this.#parts.queue.signOut(seat.deskId);
    this.#gone();
  }

  /** A token for the room of a call, for this seat alone and for a moment. */
  #tokenFor(seat: DeskSeat, callId: string, handoffId?: string): Promise<string> {
    const { tenant, role, name } = seat;
    const grant: Grant = {
      ...{ tenant, role, name, permissions: permissionsOf(role), roomId: callId },
      ...(handoffId === undefined ? {} : { handoffId }),
    };
    return this.#parts.tokens.mint(grant, join_token_ttl_s);
  }

  readonly #handlers: Handlers = {
    presence: ({ available }, { deskId, role }) => {
      if (role === 'human') this.#parts.queue.setPresence(deskId, available ? 'available' : 'away');
      return Promise.resolve({});
    },
    accept: async ({ handoffId }, seat) => {
      const { call } = this.#parts.queue.accept(seat.deskId, handoffId);
      return { token: await this.#tokenFor(seat, call.callId, handoffId) };
    },
    decline: ({ handoffId }, { deskId }) => {
      this.#parts.queue.decline(deskId, handoffId);
      return Promise.resolve({});
    },
    briefing: async ({ handoffId }, { tenant }) => {
      const view = this.#parts.queue.views(tenant).find(({ handoff }) => handoff.handoffId === handoffId);
      if (view === undefined) throw new TrunklineError('DESK_CALL_TAKEN', handoffId);
      const sound = await this.#parts.speak(view.handoff.wish.briefing);
      return { sound: Buffer.from(sound).toString('base64') };
    },
    supervise: async ({ callId }, seat) => {
      if (seat.role !== 'supervisor') throw new TrunklineError('WEB_FORBIDDEN', 'supervise');
      if (this.#parts.calls.get(callId)?.tenant !== seat.tenant)
        throw new TrunklineError('WEB_NOT_FOUND', `call ${callId}`);
      return { token: await this.#tokenFor(seat, callId) };
    },
  };
}

function deskRoleOf({ desk, role }: Grant): DeskRole {
  if (desk !== true || (role !== 'human' && role !== 'supervisor'))
    throw new TrunklineError('WEB_TOKEN_INVALID', 'it opens no desk');
  return role;
}
