/** Human agents for a browser door that a test opens, and a desk without its page. */
import { io, type Socket } from 'socket.io-client';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { HandoffQueue, type HandoffSettings } from '../../../src/room/handoff-queue.ts';
import type { Journal } from '../../../src/room/journal.ts';
import { LiveCalls } from '../../../src/room/live-calls.ts';
import {
  DESK_EVENTS,
  DESK_NAMESPACE,
  DESK_REQUESTS,
  type DeskAsk,
  type DeskRequestName,
  type DeskResult,
  type DeskState,
} from '../../../src/web/desk-wire.ts';
import type { DeskServices } from '../../../src/web/web-door.ts';
import { SOCKET_PATH } from '../../../src/web/wire.ts';
import { HOLD_MUSIC_FILE } from '../../../scripts/hold-music.ts';
import { silentLog } from '../sfu.ts';
import { until } from '../until.ts';

export const DESK_SITE = 'http://desk.test';
export const DESK_KEY = 'key-of-the-desk';

export function deskServices(
  journal: Journal,
  options: { clock?: Clock; settings?: Partial<HandoffSettings> } = {},
): DeskServices {
  const calls = new LiveCalls();
  const settings = {
    ring: 'all',
    ring_ms: 20_000,
    wait_ms: 60_000,
    join_ms: 10_000,
    ...options.settings,
  } as const;
  const { clock = systemClock } = options;
  return {
    access: {
      origins: [DESK_SITE],
      keys: [{ key: DESK_KEY, tenant: 'clinic', roles: ['human'] }],
      away_ms: 8000,
    },
    calls,
    queue: new HandoffQueue({ calls, journal, settings, musicPath: HOLD_MUSIC_FILE, clock, log: silentLog }),
    speak: (text) => Promise.resolve(new TextEncoder().encode(`spoken: ${text}`)),
  };
}

const answer_timeout_ms = 5000;

/** Asks as the page does, and keeps what it is shown. */
export class DeskSocket {
  readonly socket: Socket;
  #states: DeskState[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('state', (payload: unknown) => this.#states.push(DESK_EVENTS.state.parse(payload)));
  }

  static async connect(url: string, origin: string | null = DESK_SITE): Promise<DeskSocket> {
    const socket = io(new URL(DESK_NAMESPACE, url).href, {
      path: SOCKET_PATH,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      ...(origin === null ? {} : { extraHeaders: { origin } }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return new DeskSocket(socket);
  }

  static async signIn(url: string, token: string): Promise<DeskSocket> {
    const desk = await DeskSocket.connect(url);
    desk.#states.push((await desk.ask('signIn', { token })).state);
    return desk;
  }

  /** @throws Error with the code of a refusal */
  async ask<N extends DeskRequestName>(name: N, ask: DeskAsk<N>): Promise<DeskResult<N>> {
    const { ok, ...result } = await this.send(name, ask);
    if (ok !== true) throw new Error(`${name}: ${JSON.stringify(result)}`);
    return DESK_REQUESTS[name].result.parse(result) as DeskResult<N>;
  }

  async send(name: string, ...payload: unknown[]): Promise<Record<string, unknown>> {
    const answer: unknown = await this.socket.timeout(answer_timeout_ms).emitWithAck(name, ...payload);
    return answer as Record<string, unknown>;
  }

  /** What the page shows now. */
  get state(): DeskState {
    const last = this.#states.at(-1);
    if (last === undefined) throw new Error('not signed in');
    return last;
  }

  /** Waits until the page shows what fits. */
  async shows(what: string, fits: (state: DeskState) => boolean): Promise<DeskState> {
    await until(`the desk shows ${what}`, () => this.#states.length > 0 && fits(this.state));
    return this.state;
  }

  close(): void {
    this.socket.disconnect();
  }
}
