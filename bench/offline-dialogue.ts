/** One call to the offline voice from its greeting to its goodbye, spoken and listened to in real time. */
import { FRAME_MS } from '../src/media/frame.ts';
import { askCalls, type CallRecord, type TimelineEntry } from '../test/support/operator.ts';
import { wantsAnswer } from '../test/support/phone/scripts.ts';
import { BookingCaller, wishOf, type Wish } from './booking-caller.ts';
import type { Heard } from './heard.ts';
import { Listening } from './listening.ts';
import type { Dialogue } from './offline-messages.ts';
import type { SipClient } from './sip-client.ts';
import { pause, SoundCall } from './sound-call.ts';
import type { SpeechBook } from './speech-book.ts';

/** The agent has finished: no pause between two of its sentences is as long. */
const agent_silent_ms = 400;
/** The agent asks itself after 9 s whether anybody is there: after that long nothing will come. */
const patience_ms = 25_000;
const look_every_ms = 150;
const turns_max = 25;

export interface Stage {
  readonly sip: SipClient;
  readonly number: string;
  readonly operatorUrl: string;
  readonly speech: SpeechBook;
}

interface Talk {
  readonly call: SoundCall;
  readonly wish: Wish;
  readonly stage: Stage;
  readonly listening: Listening;
  readonly said: string[];
  readonly responseMs: number[];
}

/** Calls, books, and hangs up after the goodbye; the packets that came stand beside the dialogue. */
export async function talk(index: number, stage: Stage): Promise<{ dialogue: Dialogue; call: SoundCall }> {
  const beganMs = performance.now();
  const listening = new Listening();
  const call = await SoundCall.place(stage.sip, stage.number);
  call.onHeard = (one: Heard) => listening.take(one);
  const wish = wishOf(index);
  const caller = new BookingCaller(wish);
  const one: Talk = { call, wish, stage, listening, said: [], responseMs: [] };
  const trouble = await converse(one, caller).catch((error: unknown) => String(error));
  await call.hangUp();
  const record = await recordOf(one);
  const heard = entriesOf(record, 'heard').map((entry) => entry.text);
  const { said, responseMs } = one;
  const dialogue = { wish: index, said, heard, corrections: caller.corrections, responseMs };
  return {
    dialogue: { ...dialogue, booked: bookedIn(record), trouble, lastedMs: performance.now() - beganMs },
    call,
  };
}

/** Until the goodbye; null: it came, otherwise why it did not. */
async function converse(one: Talk, caller: BookingCaller): Promise<string | null> {
  let replies = 0;
  for (let turn = 0; turn < turns_max; turn += 1) {
    const words = await agentsWords(one, replies);
    if (words === null) return 'the agent said nothing more';
    replies = words.replies;
    const answer = caller.answer(words.text);
    if (answer === null) return null;
    await say(one, answer);
  }
  return 'the dialogue had no end';
}

/** What the agent has said since its reply number `known`, once it wants an answer or says goodbye. */
async function agentsWords(one: Talk, known: number): Promise<{ text: string; replies: number } | null> {
  const endMs = performance.now() + patience_ms;
  for (;;) {
    if (!(await one.listening.spoken(agent_silent_ms, endMs - performance.now()))) return null;
    const said = entriesOf(await recordOf(one), 'said').map((entry) => entry.text.trim());
    const text = said.slice(known).join(' ');
    if (wantsAnswer(text) || text.endsWith('Goodbye.')) return { text, replies: said.length };
    if (performance.now() > endMs) return null;
    await pause(look_every_ms);
  }
}

/** Says it, and waits for the first sound of the answer. */
async function say({ call, wish, stage, listening, said, responseMs }: Talk, text: string): Promise<void> {
  const sound = stage.speech.sound(text, wish.voice);
  const beganMs = await call.say(sound);
  const spokenMs = sound.length / 8;
  await pause(beganMs + spokenMs - performance.now());
  listening.anew();
  said.push(text);
  const endedMs = beganMs + spokenMs;
  while (listening.firstMs === null) {
    if (performance.now() - endedMs > patience_ms) throw new Error('the agent did not answer');
    await pause(FRAME_MS);
  }
  responseMs.push(listening.firstMs - endedMs);
}

async function recordOf({ call, stage }: Talk): Promise<CallRecord> {
  const [record] = await askCalls(stage.operatorUrl, call.callId);
  if (record === undefined) throw new Error('the gateway knows nothing of the call');
  return record;
}

function entriesOf<T extends TimelineEntry['type']>(
  record: CallRecord,
  type: T,
): Extract<TimelineEntry, { type: T }>[] {
  return record.timeline.filter((entry): entry is Extract<TimelineEntry, { type: T }> => entry.type === type);
}

function bookedIn(record: CallRecord): Dialogue['booked'] {
  const made = entriesOf(record, 'tool').find(
    ({ name, result }) => name === 'book_appointment' && (result as { ok?: unknown } | null)?.ok === true,
  );
  if (made === undefined) return null;
  const { name, day, time } = made.arguments as { name: string; day: string; time: string };
  return { name, day, time };
}
