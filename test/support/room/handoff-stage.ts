/** Calls and desks around a real queue: the room remembers who was put where, and time is the test's own. */
import { Events } from '../../../src/base/events.ts';
import type { Ending } from '../../../src/base/ending.ts';
import type { Handoff } from '../../../src/room/handoff.ts';
import { HandoffQueue, type HandoffSettings } from '../../../src/room/handoff-queue.ts';
import type { Manner, Standing, StandingRole } from '../../../src/room/hears.ts';
import { Journal } from '../../../src/room/journal.ts';
import { LiveCalls, type LiveCall } from '../../../src/room/live-calls.ts';
import type { Room, RoomEvents } from '../../../src/room/room.ts';
import { ManualClock } from '../manual-clock.ts';
import { silentLog } from '../sfu.ts';

export const PHRASES = {
  'handed-back': 'I am back.',
  'human-left': 'We were cut off.',
  unanswered: 'Nobody is free.',
} as const;

/** As much of a room as a handoff touches. */
export class StagedRoom {
  readonly events = new Events<RoomEvents>();
  readonly #standings = new Map<string, Standing>();

  seat(participantId: string, role: StandingRole): void {
    this.#standings.set(participantId, { participantId, role, manner: 'open' });
    this.events.emit('hearingChanged', null);
  }

  get standings(): Standing[] {
    return [...this.#standings.values()];
  }

  manner(participantId: string): Manner | undefined {
    return this.#standings.get(participantId)?.manner;
  }

  setManners(changes: Iterable<readonly [string, Manner]>): Promise<void> {
    for (const [participantId, manner] of changes) {
      const known = this.#standings.get(participantId);
      if (known !== undefined) this.#standings.set(participantId, { ...known, manner });
    }
    return Promise.resolve();
  }

  admitMusic({ participantId }: { participantId: string }): Promise<void> {
    this.seat(participantId, 'music');
    return Promise.resolve();
  }

  remove(participantId: string): Promise<void> {
    this.#standings.delete(participantId);
    return Promise.resolve();
  }

  get hasMusic(): boolean {
    return this.standings.some(({ role }) => role === 'music');
  }
}

export class StagedCall {
  readonly room = new StagedRoom();
  readonly said: string[] = [];
  readonly endings: Ending[] = [];
  agentIsOut = false;
  hangUp: () => void = () => undefined;
  readonly live: LiveCall;

  constructor(callId: string, tenant: string, commands: string[]) {
    this.room.seat('caller', 'phone');
    this.room.seat('agent', 'agent');
    this.live = {
      ...{ callId, tenant, codec: 'pcmu' },
      room: this.room as unknown as Room,
      thread: {
        request: (command: { type: string }) => {
          commands.push(command.type);
          return Promise.resolve(null);
        },
      } as unknown as LiveCall['thread'],
      agent: {
        portId: 'agent',
        say: (text) => this.said.push(text),
        hold: () => (this.agentIsOut = true),
        resume: () => (this.agentIsOut = false),
      },
      end: (end) => this.endings.push(end),
    };
  }
}

export class HandoffStage {
  readonly clock = new ManualClock();
  readonly journal = new Journal();
  readonly calls = new LiveCalls();
  readonly queue: HandoffQueue;
  readonly commands: string[] = [];
  readonly changed: string[] = [];

  constructor(settings: Partial<HandoffSettings> = {}) {
    this.queue = new HandoffQueue({
      ...{ calls: this.calls, journal: this.journal, clock: this.clock, log: silentLog },
      musicPath: 'music.wav',
      settings: {
        ...{ ring: 'all', ring_ms: 20_000, wait_ms: 60_000, join_ms: 10_000 },
        ...settings,
      },
    });
    this.queue.events.on('changed', ({ tenant }) => this.changed.push(tenant));
  }

  call(callId = 'call-1', tenant = 'clinic'): StagedCall {
    const call = new StagedCall(callId, tenant, this.commands);
    const origin = { callId, tenant, sipCallId: '', trunk: '', from: '+15550199', to: '', profile: 'clinic' };
    this.journal.open(origin);
    call.hangUp = this.calls.add(call.live);
    return call;
  }

  /** A desk that takes calls. */
  desk(name: string, tenant = 'clinic'): string {
    const { deskId } = this.queue.signIn(tenant, name);
    this.queue.setPresence(deskId, 'available');
    return deskId;
  }

  /** Asks for a human, with the announcement said. */
  ask(callId = 'call-1'): Handoff {
    const answer = this.queue.request({ callId, reason: 'asks for a person', announced: true, say: PHRASES });
    if (!answer.taken) throw new Error(answer.why);
    return this.handoff(answer.handoffId);
  }

  handoff(handoffId: string): Handoff {
    const tenants = ['clinic', 'other'];
    const all = tenants.flatMap((tenant) => this.queue.views(tenant));
    const found = all.find(({ handoff }) => handoff.handoffId === handoffId);
    if (found === undefined) throw new Error(`no handoff ${handoffId}`);
    return found.handoff;
  }

  rings(deskId: string): boolean {
    return this.queue.desk(deskId)?.ringing !== undefined;
  }

  /** Steps of the call's way, as its record has them. */
  steps(callId = 'call-1'): string[] {
    const timeline = this.journal.get(callId)?.timeline ?? [];
    return timeline.flatMap((entry) =>
      entry.type === 'handoff' ? [entry.by === undefined ? entry.step : `${entry.step} by ${entry.by}`] : [],
    );
  }
}
