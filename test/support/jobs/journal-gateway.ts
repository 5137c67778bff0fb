/**
 * A gateway from its journal on: `node journal-gateway.ts CONFIG_FILE CALLS FIRST`. The spool, the bridge
 * and the child processes are the gateway's own; the calls are told to the journal as the doors and the
 * agent would, and what an agent does for its caller (a contact, a text message, an appointment) is done by
 * the gateway's own books. Each fact is printed once it counts as kept, so that whoever kills this process
 * knows what must not be lost. Each line on its standard input lets one more call go on.
 */
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import type { ActOrigin } from '../../../src/agent/tools/act-records.ts';
import { ending } from '../../../src/base/ending.ts';
import { loadSettings, readEnvironment } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { keptActs } from '../../../src/gateway/kept-acts.ts';
import { startJobs } from '../../../src/gateway/start-jobs.ts';
import { Journal, type TimelineFact } from '../../../src/room/journal.ts';

const [, , configFile = '', calls = '1', first = '0'] = process.argv;
const settings = loadSettings({ ...readEnvironment(), configFile });
const log = pino({ level: 'info', base: null }, pino.destination(2));
const journal = new Journal();
const order = new ClosingOrder(log);
const jobs = await startJobs({ settings, journal, log, order });
if (jobs === undefined) throw new Error('jobs.keep is false');
const acts = keptActs(jobs);
/** Tries at a booking while the database is away; then the caller is told that there is none. */
const booking_tries_max = 40;

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function factsOf(n: number): TimelineFact[] {
  const said = { type: 'said', heardMs: 900, interrupted: n % 5 === 0, responseMs: 300 } as const;
  return [
    { type: 'ringing' },
    { type: 'answered' },
    { ...said, text: `Hello, this is call ${n}.` },
    { type: 'heard', text: `I am caller ${n}.` },
    {
      type: 'tool',
      name: 'book_appointment',
      arguments: { n },
      result: { ok: true, n },
      code: null,
      tookMs: 7,
    },
    { ...said, text: `Goodbye, caller ${n}.` },
  ];
}

/** Contact and text count once the caller is told so; a booking is tried as an agent is asked again. */
async function act(n: number, callId: string, tenant: string): Promise<void> {
  const origin = (key: string): ActOrigin => ({ key: `${callId}/${key}`, callId, tenant, profile: 'desk' });
  const phone = numberOf(n);
  await acts.contacts.save({ name: `Caller ${n}`, phone, email: '', note: '' }, origin('contact'));
  print({ kept: callId, act: 'contact' });
  await acts.sms.send({ to: phone, text: `The text of call ${n}` }, origin('sms'));
  print({ kept: callId, act: 'sms' });
  const book = acts.bookOf({ tenant, timeZone: 'UTC' });
  const day = `2027-01-${String(1 + Math.floor(n / 20)).padStart(2, '0')}`;
  const slot = { name: `Caller ${n}`, day, time: `${String(n % 20).padStart(2, '0')}:00` };
  for (let tries = 1; ; tries += 1) {
    try {
      const booking = await book.book(slot, callId);
      print({ kept: callId, act: booking === null ? 'taken' : `booked ${booking.confirmation}` });
      return;
    } catch {
      if (tries < booking_tries_max) await permits.next();
      else {
        print({ kept: callId, act: 'refused' });
        return;
      }
    }
  }
}

function numberOf(n: number): string {
  return `+1555${String(n).padStart(6, '0')}`;
}

process.on('SIGTERM', () => void order.close().then(() => process.exit(0)));
setInterval(() => print({ waiting: jobs.spool.waiting, children: jobs.children() }), 100);

const permits = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let n = Number(first); n < Number(first) + Number(calls); n += 1) {
  await permits.next();
  const callId = `call_${n}`;
  const tenant = n % 3 === 0 ? 'acme' : 'default';
  journal.open({
    ...{ callId, sipCallId: `sip-${n}`, tenant, trunk: 'local' },
    ...{ from: numberOf(n), to: '+15550100', profile: 'desk' },
  });
  for (const [index, fact] of factsOf(n).entries()) {
    journal.add(callId, fact);
    await jobs.spool.settled();
    print({ kept: callId, index });
  }
  await act(n, callId, tenant);
  journal.close(callId, ending('caller-hung-up'));
  await jobs.spool.settled();
  print({ kept: callId, closed: true });
}
print({ told: Number(calls) });
