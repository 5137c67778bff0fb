/**
 * `npm run bench`: measures, prints tables, and writes them into bench/RESULTS.md.
 *
 *   npm run bench                        every section
 *   npm run bench -- calls               one section
 *   npm run bench -- calls --profile     with its own options
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describeMachine } from './machine.ts';
import { machineTable } from './report.ts';
import { withSection, type Section } from './section.ts';

/** In the order of the page. */
const SECTIONS: Readonly<Record<string, () => Promise<Section>>> = {
  calls: async () => ({ title: 'Calls with the Realtime adapter', ...(await import('./calls.ts')) }),
  browsers: async () => ({ title: 'Browsers', ...(await import('./browsers.ts')) }),
  'barge-in': async () => ({ title: 'Speaking into the agent', ...(await import('./barge-in.ts')) }),
  'first-word': async () => ({ title: 'The first word', ...(await import('./first-word.ts')) }),
  'offline-calls': async () => ({
    title: 'Bookings with the offline voice',
    ...(await import('./offline-calls.ts')),
  }),
  recognition: async () => ({ title: 'The offline recogniser', ...(await import('./recognition.ts')) }),
  jobs: async () => ({ title: 'Jobs beside calls', ...(await import('./jobs.ts')) }),
  failover: async () => ({ title: 'When the model fails', ...(await import('./failover.ts')) }),
};

const page = new URL('RESULTS.md', import.meta.url);
const [asked, ...args] = process.argv.slice(2);
const names = Object.keys(SECTIONS);
if (asked !== undefined && !names.includes(asked)) {
  console.error(`no section "${asked}"; there are: ${names.join(', ')}`);
  process.exit(2);
}

for (const name of asked === undefined ? names : [asked]) {
  const section = await SECTIONS[name]?.();
  if (section === undefined) continue;
  const machine = machineTable(describeMachine());
  console.log(`${section.title}\n\n${machine}\n`);
  const { markdown, notWritten } = await section.run(args);
  if (notWritten !== null) {
    console.error(`not written: ${notWritten}`);
    process.exitCode = 1;
    continue;
  }
  const before = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const text = `${machine}\n\n${markdown}`;
  writeFileSync(page, withSection(before, names, { name, title: section.title, markdown: text }));
  console.log(`written: section ${name} of bench/RESULTS.md`);
}
