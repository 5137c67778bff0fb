/**
 * Damaged conversations for the adapters of both protocols: recorded events, changed, cut, doubled and out of
 * order, with a caller who speaks, interrupts, presses keys and hangs up at any moment. Seeded, without a
 * network and without a clock.
 */
import type { BackendHands, LiveBackend } from '../../../src/agent/models/live/backend.ts';
import type { ClientEvent as LiveClientEvent } from '../../../src/agent/models/live/client-events.ts';
import { sessionStart } from '../../../src/agent/models/live/client-events.ts';
import { ResponsesBackend } from '../../../src/agent/models/live/responses-backend.ts';
import { LiveSession } from '../../../src/agent/models/live/session.ts';
import { TaskBackend } from '../../../src/agent/models/live/task-backend.ts';
import { sessionUpdate } from '../../../src/agent/models/realtime/client-events.ts';
import { RealtimeSession } from '../../../src/agent/models/realtime/session.ts';
import { realtimeSettingsSchema } from '../../../src/agent/models/realtime/settings.ts';
import type { ConnectOptions, SessionEvents, VoiceSession } from '../../../src/agent/voice-model.ts';
import { ManualClock } from '../manual-clock.ts';
import { SeededRandom } from '../random.ts';
import { receptionist } from '../recorded-session.ts';
import { FakeSocket } from './fake-socket.ts';

export interface FuzzCounts {
  events: number;
  sessions: number;
  /** What the sessions told, by name. */
  readonly told: Partial<Record<keyof SessionEvents, number>>;
  /** Sessions that gave up by themselves. */
  failed: number;
}

/** Events of one session, after which another is opened. */
const session_events_max = 400;

export type Protocol = 'realtime' | 'live';

const frame = new Uint8Array(160).fill(0x55);

interface Open {
  readonly socket: FakeSocket;
  readonly session: VoiceSession;
  readonly started: Promise<void>;
  readonly clock: ManualClock;
  readonly replies: string[];
  readonly calls: string[];
  left: number;
}

/** Throws what an adapter throws; that is the failure that is looked for. */
export async function fuzzModel(options: {
  protocol: Protocol;
  /** Messages of a server, as recorded. */
  recorded: readonly string[];
  events: number;
  seed: number;
}): Promise<FuzzCounts> {
  const { recorded, protocol } = options;
  const random = new SeededRandom(options.seed);
  const counts: FuzzCounts = { events: 0, sessions: 0, told: {}, failed: 0 };
  let open: Open | null = null;
  let at = 0;
  for (; counts.events < options.events; counts.events += 1) {
    if (open === null || open.left <= 0 || open.socket.readyState !== 1) {
      if (open !== null) end(open);
      open = begin(protocol, random, counts);
      // Lets `start` see that the session is ready, and take its timer back.
      await open.started;
      at = 0;
    }
    open.left -= 1;
    // Mostly in the recorded order, so that conversations come about; sometimes from anywhere.
    at = random.chance(0.9) ? (at + 1) % recorded.length : random.below(recorded.length);
    const message = recorded[at] ?? '';
    open.socket.say(random.chance(0.3) ? damaged(message, random) : message);
    if (random.chance(0.1)) act(open, random);
  }
  if (open !== null) end(open);
  return counts;
}

function begin(protocol: Protocol, random: SeededRandom, counts: FuzzCounts): Open {
  counts.sessions += 1;
  const socket = new FakeSocket();
  const clock = new ManualClock();
  const replies: string[] = [];
  const calls: string[] = [];
  const call: ConnectOptions = {
    profile: receptionist,
    codec: random.chance(0.5) ? 'pcmu' : 'pcma',
    callId: 'call_fuzz',
    now: () => new Date('2026-11-23T09:00:00Z'),
    on: (name, payload) => {
      counts.told[name] = (counts.told[name] ?? 0) + 1;
      if (name === 'failed') counts.failed += 1;
      if (name === 'replyStarted') replies.push((payload as SessionEvents['replyStarted']).itemId);
      if (name === 'toolCall') calls.push((payload as SessionEvents['toolCall']).callId);
    },
  };
  const begun = (protocol === 'realtime' ? beginRealtime : beginLive)(socket, clock, call, random);
  return { socket, ...begun, clock, replies, calls, left: 1 + random.below(session_events_max) };
}

type Begun = Pick<Open, 'session' | 'started'>;

function beginRealtime(socket: FakeSocket, clock: ManualClock, call: ConnectOptions): Begun {
  const session = new RealtimeSession({
    socket: socket.asWebSocket,
    clock,
    counts: { unknownEvents: 0, notEvents: 0, errors: 0, droppedAppends: 0, lateDeltas: 0 },
    appendMs: 20,
    call,
    models: { response: 'm', transcription: 't' },
    provider: 'models.test',
    onClosed: () => undefined,
  });
  const settings = sessionUpdate({
    instructions: '',
    codec: call.codec,
    voice: 'marin',
    settings: realtimeSettingsSchema.parse({}),
    endOfSpeechMs: 500,
    language: 'en',
    tools: [],
  });
  const started = session.start(settings, 1000);
  socket.say('{"type":"session.created","session":{}}');
  socket.say('{"type":"session.updated"}');
  return { session, started };
}

function beginLive(
  socket: FakeSocket,
  clock: ManualClock,
  call: ConnectOptions,
  random: SeededRandom,
): Begun {
  const { profile, now, codec } = call;
  const inProcess = random.chance(0.5);
  const backend = (hands: BackendHands, send: (event: LiveClientEvent) => void): LiveBackend =>
    inProcess
      ? new TaskBackend({ profile, now, clock, hands })
      : new ResponsesBackend({ clock, hands, send });
  const session = new LiveSession({
    socket: socket.asWebSocket,
    clock,
    counts: { unknownEvents: 0, notEvents: 0, errors: 0, droppedAppends: 0, mutedReplies: 0 },
    appendMs: 20,
    call,
    models: { voice: 'm', backend: 'b' },
    provider: 'models.test',
    backend,
    onClosed: () => undefined,
  });
  const start = sessionStart({
    model: 'm',
    voice: 'marin',
    codec,
    instructions: '',
    backend: { type: 'client' },
    history: [],
  });
  const started = session.start(start, 1000);
  socket.say('{"type":"session.started","session":{}}');
  return { session, started };
}

function end({ session, socket, clock }: Open): void {
  session.close();
  socket.terminate();
  // Whatever waits for the far end gives up by then; what comes round again and again does not.
  clock.advance(20_000);
  if (clock.pending !== 0) throw new Error(`${clock.pending} timers are left behind by a session`);
}

/** Something that a caller, or the voice, does. */
function act({ session, clock, replies, calls }: Open, random: SeededRandom): void {
  const some = (from: readonly string[]): string => from[random.below(Math.max(1, from.length))] ?? 'none';
  switch (random.below(8)) {
    case 0:
      for (let n = 0; n < 5; n += 1) session.hear(frame, random.chance(0.1) ? random.below(5000) : 0);
      return;
    case 1:
      session.interrupt(some(replies), random.below(10_000));
      return;
    case 2:
      session.toolResult(some(calls), random.chance(0.5) ? { ok: true } : null);
      return;
    case 3:
      session.digit('0123456789*#'.charAt(random.below(12)));
      return;
    case 4:
      session.callerSpeaking(random.chance(0.5));
      return;
    case 5:
      session.say('One moment, please.');
      return;
    case 6:
      session.greet();
      return;
    case 7:
      clock.advance(random.below(2000));
      return;
  }
}

const junk = [
  'null',
  '-1',
  '1e309',
  '""',
  '[]',
  '{}',
  'true',
  '"\\u0000"',
  '"__proto__"',
  '9007199254740993',
];

function damaged(message: string, random: SeededRandom): string {
  switch (random.below(4)) {
    case 0:
      // One value becomes another thing altogether: still JSON.
      return message.replace(/"(\w+)":("[^"]*"|[\d.]+|null|true|false)/g, (whole, key: string) =>
        random.chance(0.15) ? `"${key}":${junk[random.below(junk.length)] ?? 'null'}` : whole,
      );
    case 1: {
      const from = random.below(message.length);
      return message.slice(0, from) + message.slice(from + random.below(8));
    }
    case 2:
      return random.mutate(Buffer.from(message)).toString('latin1');
    default:
      return message.slice(0, random.below(message.length + 1));
  }
}
