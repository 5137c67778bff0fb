/**
 * A gateway from its journal on: `node journal-gateway.ts CONFIG_FILE CALLS FIRST`. The spool, the bridge
 * and the child processes are the gateway's own; the calls are told to the journal as the doors and the
 * agent would. Each fact is printed once it counts as kept, so that whoever kills this process knows what
 * must not be lost. Each line on its standard input lets one more call go on.
 */
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { ending } from '../../../src/base/ending.ts';
import { loadSettings, readEnvironment } from '../../../src/config.ts';
import { ClosingOrder } from '../../../src/gateway/closing-order.ts';
import { startJobs } from '../../../src/gateway/start-jobs.ts';
import { Journal, type TimelineFact } from '../../../src/room/journal.ts';

const [, , configFile = '', calls = '1', first = '0'] = process.argv;
const settings = loadSettings({ ...readEnvironment(), configFile });
const log = pino({ level: 'info', base: null }, pino.destination(2));
const journal = new Journal();
const order = new ClosingOrder(log);
const jobs = await startJobs({ settings, journal, log, order });
if (jobs === undefined) throw new Error('jobs.keep is false');

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

process.on('SIGTERM', () => void order.close().then(() => process.exit(0)));
setInterval(() => print({ waiting: jobs.spool.waiting, children: jobs.children() }), 100);

const permits = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let n = Number(first); n < Number(first) + Number(calls); n += 1) {
  await permits.next();
  const callId = `call_${n}`;
  journal.open({
    ...{ callId, sipCallId: `sip-${n}`, tenant: n % 3 === 0 ? 'acme' : 'default', trunk: 'local' },
    ...{ from: `+1555${String(n).padStart(6, '0')}`, to: '+15550100', profile: 'desk' },
  });
  for (const [index, fact] of factsOf(n).entries()) {
    journal.add(callId, fact);
    await jobs.spool.settled();
    print({ kept: callId, index });
  }
  journal.close(callId, ending('caller-hung-up'));
  await jobs.spool.settled();
  print({ kept: callId, closed: true });
}
print({ told: Number(calls) });
