/**
 * A booking by a caller without an ear of its own (baresip, a browser): it goes by the gateway's word for
 * what was said, which comes when the caller has heard it, and answers each question.
 */
import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';
import type { CallRecord, TimelineEntry } from './operator.ts';
import { BookingScript, nextOpenDay, wantsAnswer } from './phone/scripts.ts';
import { speak } from './sound/speak.ts';
import { until } from './until.ts';

const look_every_ms = 100;
/** How long the agent may be busy with one reply: as long as it takes to be thought of and spoken. */
const turn_patience_ms = 30_000;

export interface SpokenBooking {
  readonly gateway: TestGateway;
  /** Nobody else calls this profile meanwhile. */
  readonly profile: string;
  /** The first wish, as one says it; absent: ten in the morning. */
  readonly time?: string | undefined;
  /** Speaks to the agent; resolves at once or when it was said. */
  readonly say: (samples: Int16Array) => Promise<void>;
}

function entriesOf<T extends TimelineEntry['type']>(
  record: CallRecord | undefined,
  type: T,
): Extract<TimelineEntry, { type: T }>[] {
  const entries = record?.timeline ?? [];
  return entries.filter((entry): entry is Extract<TimelineEntry, { type: T }> => entry.type === type);
}

/** Talks until the agent hangs up; what the gateway wrote down. */
export async function bookBySpeech(booking: SpokenBooking): Promise<CallRecord> {
  const { gateway, profile, time, say } = booking;
  const script = new BookingScript(nextOpenDay(), { time });
  const latest = watch(gateway, profile);
  try {
    for (let heard = 0; ;) {
      const heardMore = (): boolean => entriesOf(latest.record, 'said').length > heard;
      const what = `words of ${profile} after ${heard} of its replies`;
      await until(what, () => latest.record?.ending !== undefined || heardMore(), turn_patience_ms);
      if (latest.record?.ending !== undefined) return latest.record;
      const said = entriesOf(latest.record, 'said').map((entry) => entry.text);
      const words = said.slice(heard).join(' ');
      heard = said.length;
      const answer = wantsAnswer(words) ? script.answer(words) : '';
      if (answer !== '') await say(await speak(answer));
    }
  } catch (error) {
    throw new Error(`the booking did not end: ${JSON.stringify(latest.record?.timeline)}`, { cause: error });
  } finally {
    latest.stop();
  }
}

interface Watched {
  readonly record: CallRecord | undefined;
  stop(): void;
}

/** The newest call of a profile, as the gateway tells it. */
function watch(gateway: TestGateway, profile: string): Watched {
  let record: CallRecord | undefined;
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void gateway
      .calls()
      .then((calls) => (record = calls.find((call) => call.profile === profile) ?? record))
      .finally(() => (asking = false));
  }, look_every_ms);
  return {
    get record() {
      return record;
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * The agent hung up after a booking of what was read back: names that sound alike may be confused, but the
 * caller agrees to what is read back, and that is booked. A time that was taken is asked for anew, so the
 * last booking counts.
 */
export function expectBooked(record: CallRecord): void {
  const said = entriesOf(record, 'said').map((entry) => entry.text.trim());
  const name = [...said.join(' ').matchAll(/, for (\w+(?: \w+)?)\. Is that right/g)].at(-1)?.[1];
  expect(name, JSON.stringify(record.timeline)).toBeDefined();
  expect(entriesOf(record, 'tool').at(-1)).toMatchObject({
    name: 'book_appointment',
    arguments: { name },
    result: { ok: true, name },
  });
  expect(said.at(-1)).toContain('Goodbye');
  expect(record.ending?.slug).toBe('agent-hung-up');
  expect(entriesOf(record, 'trouble')).toEqual([]);
}
