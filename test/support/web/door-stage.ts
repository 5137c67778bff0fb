/** The browser door with real workers and a media thread; its agents are a tone that a test commands. */
import { Events } from '../../../src/base/events.ts';
import { newId } from '../../../src/base/ids.ts';
import type { Clock } from '../../../src/base/clock.ts';
import type { Codec } from '../../../src/media/frame.ts';
import type {
  AgentParticipant,
  AgentParticipantEvents,
  OpenAgentOptions,
} from '../../../src/room/agent-door.ts';
import { Journal } from '../../../src/room/journal.ts';
import type { Room } from '../../../src/room/room.ts';
import { configSchema } from '../../../src/config-schema.ts';
import type { WebSettings } from '../../../src/web/settings.ts';
import { WebDoor, type DeskServices, type WebDoorOptions } from '../../../src/web/web-door.ts';
import { RoomStage } from '../room-stage.ts';
import { silentLog } from '../sfu.ts';
import { Browser, SITE } from './browser.ts';
import { deskServices } from './desk.ts';

export const WIDGET_KEY = 'public-widget-key';
export const TENANT_KEY = 'secret-key-of-the-clinic';
export const OTHER_TENANT_KEY = 'secret-key-of-somebody-else';
const agent_tone_hz = 700;

type WebInput = Partial<Record<'limits' | 'watch' | 'ice', object>> & { token_secret?: string };

export function webSettings(changes: WebInput = {}): WebSettings {
  return configSchema.parse({
    trunks: [{ name: 'any', allow: ['127.0.0.1'] }],
    numbers: [{ number: '+15550100', profile: 'clinic' }],
    web: {
      port: 0,
      widget_keys: [{ key: WIDGET_KEY, tenant: 'clinic', origins: [SITE], profiles: ['clinic'] }],
      tenant_keys: [
        { key: TENANT_KEY, tenant: 'clinic' },
        { key: OTHER_TENANT_KEY, tenant: 'other' },
      ],
      ...changes,
    },
  }).web;
}

/** An agent whose voice is a tone; it does what the test tells it. */
export class ToneAgent implements AgentParticipant {
  readonly portId = newId('voice');
  readonly events = new Events<AgentParticipantEvents>();
  greeted = 0;
  closed = false;
  readonly #options: OpenAgentOptions;
  readonly #ready: Promise<void>;

  constructor(options: OpenAgentOptions) {
    this.#options = options;
    const { codec, thread } = options;
    const spec = { frequencyHz: agent_tone_hz };
    this.#ready = thread
      .request({ type: 'voice.open', voiceId: this.portId, codec, spec })
      .then(() => undefined);
  }

  get codec(): Codec {
    return this.#options.codec;
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  greet(): void {
    this.greeted += 1;
  }

  digit(): boolean {
    return false;
  }

  say(): void {
    // A tone has no words.
  }

  hold(): void {
    // A tone does not stop.
  }

  resume(): void {
    // It never stopped.
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.#options.thread.request({ type: 'voice.close', voiceId: this.portId }).catch(() => undefined);
  }
}

export class DoorStage {
  readonly rooms: RoomStage;
  readonly door: WebDoor;
  readonly journal: Journal;
  readonly agents: ToneAgent[];
  readonly desk: DeskServices;
  readonly #browsers: Browser[] = [];

  private constructor(parts: Pick<DoorStage, 'rooms' | 'door' | 'journal' | 'agents' | 'desk'>) {
    this.rooms = parts.rooms;
    this.door = parts.door;
    this.journal = parts.journal;
    this.agents = parts.agents;
    this.desk = parts.desk;
  }

  static async open(
    options: {
      web?: WebInput;
      clock?: Clock;
      workers?: number;
      folder?: string;
      consoleFolder?: string;
      durationMaxMs?: number;
      tenantGate?: WebDoorOptions['tenantGate'];
    } = {},
  ): Promise<DoorStage> {
    const rooms = await RoomStage.open({ workers: options.workers ?? 1 });
    const journal = new Journal();
    const agents: ToneAgent[] = [];
    const desk = deskServices(journal, options.clock === undefined ? {} : { clock: options.clock });
    const door = await WebDoor.start({
      settings: webSettings(options.web),
      profiles: new Set(['clinic']),
      threads: rooms.threads,
      rooms: rooms.rooms,
      openAgent: (opening) => {
        const agent = new ToneAgent(opening);
        agents.push(agent);
        return agent;
      },
      desk,
      journal,
      durationMaxMs: options.durationMaxMs ?? 600_000,
      folder: options.folder ?? '/nonexistent',
      consoleFolder: options.consoleFolder ?? '/nonexistent',
      tenantGate: options.tenantGate,
      log: silentLog,
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    });
    return new DoorStage({ rooms, door, journal, agents, desk });
  }

  /** A call from the phone of a tenant, with its room and its leg. */
  async phoneCall(tenant = 'clinic'): Promise<{ room: Room; callerId: string; roomId: string }> {
    const roomId = newId('call');
    const origin = {
      sipCallId: 'abc',
      trunk: 'local',
      from: '+15550001',
      to: '+15550100',
      profile: 'clinic',
    };
    this.journal.open({ callId: roomId, tenant, ...origin });
    const room = await this.rooms.rooms.open({ roomId, thread: this.rooms.thread });
    const caller = await this.rooms.admitCaller(room, { codec: 'pcmu', frequencyHz: 500 });
    return { room, roomId, callerId: caller.participantId };
  }

  async browser(
    options: { origin?: string | null; transport?: 'websocket' | 'polling' } = {},
  ): Promise<Browser> {
    const browser = await Browser.connect(this.door.url, options);
    this.#browsers.push(browser);
    return browser;
  }

  /** A token of the tenant's server. */
  async token(question: object, key = TENANT_KEY): Promise<string> {
    const response = await this.askToken(question, key);
    const { token } = (await response.json()) as { token?: string };
    if (token === undefined) throw new Error(`no token: ${response.status}`);
    return token;
  }

  askToken(question: object, key = TENANT_KEY): Promise<Response> {
    return fetch(new URL('/v1/tokens', this.door.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
    });
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.close();
    await this.door.close();
    await this.rooms.close();
  }
}
