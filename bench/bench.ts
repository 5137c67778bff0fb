/**
 * `npm run bench`: 50, 100 and 200 calls through the gateway; prints tables and writes bench/RESULTS.md.
 *
 *   npm run bench -- --calls 20,40 --seconds 5   other levels, shorter; prints only
 *   npm run bench -- --profile                   also where the time goes, at 100 calls
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileOf, functionOf, readProfiles, selfTimes, type CpuProfile } from './cpu-profile.ts';
import { runLevel, type LevelResult } from './level.ts';
import { describeMachine } from './machine.ts';
import { callTable, cpuTable, figure, machineTable, report, soundTable, table } from './report.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '50,100,200' },
    seconds: { type: 'string', default: '15' },
    'append-ms': { type: 'string', default: '20' },
    profile: { type: 'boolean', default: false },
  },
});
const levels = values.calls.split(',').map(Number);
const measureMs = Number(values.seconds) * 1000;
const appendMs = Number(values['append-ms']);
const whole = process.argv.length === 2 || (values.profile && process.argv.length === 3);
if (![...levels, measureMs, appendMs].every((value) => Number.isSafeInteger(value) && value > 0)) {
  console.error('--calls, --seconds and --append-ms want whole numbers above zero');
  process.exit(2);
}

/** What all else may take of a core: beyond it the figures are about something else, and are not written. */
const others_percent_max = 20;

const machine = describeMachine();
console.log(`${machineTable(machine)}\n`);
const results: LevelResult[] = [];
for (const calls of levels) {
  console.log(`${calls} calls …`);
  results.push(await runLevel({ calls, measureMs, appendMs }));
}
console.log(`\n${cpuTable(results)}\n\n${soundTable(results)}\n\n${callTable(results)}\n`);

let notes = '';
if (values.profile) {
  const profileFolder = mkdtempSync(join(tmpdir(), 'trunkline-profile-'));
  console.log('100 calls with a CPU profile …');
  await runLevel({ calls: 100, measureMs, appendMs, profileFolder });
  notes = profileNotes(readProfiles(profileFolder));
  rmSync(profileFolder, { recursive: true });
  console.log(notes);
}
const busiest = Math.max(...results.map((result) => result.cpu.others));
if (busiest > others_percent_max) {
  console.error(`not written: all else took up to ${figure(busiest)} % of a core; run it on a quiet machine`);
  process.exitCode = 1;
} else if (whole) {
  writeFileSync(new URL('RESULTS.md', import.meta.url), report(machine, results, notes));
  console.log('written: bench/RESULTS.md');
}

function profileNotes(profiles: readonly CpuProfile[]): string {
  const rows = (key: typeof functionOf): string[][] => {
    const costs = selfTimes(profiles, key);
    const total = costs.reduce((sum, cost) => sum + cost.selfMs, 0);
    return costs.slice(0, 30).map(({ name, selfMs }) => [name, figure((100 * selfMs) / total)]);
  };
  return [
    '## Where the time goes at 100 calls',
    'Self time of all threads of the gateway from start to end, waiting left out (V8 CPU profile).',
    table(['file', 'share, %'], rows(fileOf)),
    table(['function', 'share, %'], rows(functionOf)),
  ].join('\n\n');
}
