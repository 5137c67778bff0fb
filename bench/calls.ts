/**
 * Section `calls`: 50, 100 and 200 calls through the gateway: CPU, sound, set-up, memory.
 *
 *   npm run bench -- calls --calls 20,40 --seconds 5   other levels, shorter; prints only
 *   npm run bench -- calls --profile                   also where the time goes, at 100 calls
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileOf, functionOf, readProfiles, selfTimes, type CpuProfile } from './cpu-profile.ts';
import { profileInWords } from './cpu-words.ts';
import { runLevel, type LevelResult } from './level.ts';
import { callTable, cpuTable, figure, report, soundTable, table } from './report.ts';
import type { SectionResult } from './section.ts';

/** What all else may take of a core: beyond it the figures are about something else, and are not written. */
const others_percent_max = 20;

export async function run(args: readonly string[]): Promise<SectionResult> {
  const { values } = parseArgs({
    args: [...args],
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
  if (![...levels, measureMs, appendMs].every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error('--calls, --seconds and --append-ms want whole numbers above zero');
  const whole = args.length === 0 || (values.profile && args.length === 1);

  const results: LevelResult[] = [];
  for (const calls of levels) {
    console.log(`${calls} calls …`);
    results.push(await runLevel({ calls, measureMs, appendMs }));
  }
  console.log(`\n${cpuTable(results)}\n\n${soundTable(results)}\n\n${callTable(results)}\n`);
  const notes = values.profile ? await profile({ measureMs, appendMs }) : '';
  const busiest = Math.max(...results.map((result) => result.cpu.others));
  const reason =
    busiest > others_percent_max
      ? `all else took up to ${figure(busiest)} % of a core; run it on a quiet machine`
      : whole
        ? null
        : 'not the whole section';
  return { markdown: report(results, notes), notWritten: reason };
}

async function profile(options: { measureMs: number; appendMs: number }): Promise<string> {
  const profileFolder = mkdtempSync(join(tmpdir(), 'trunkline-profile-'));
  console.log('100 calls with a CPU profile …');
  await runLevel({ calls: 100, ...options, profileFolder });
  const notes = profileNotes(readProfiles(profileFolder));
  rmSync(profileFolder, { recursive: true });
  console.log(notes);
  return notes;
}

function profileNotes(profiles: readonly CpuProfile[]): string {
  const rows = (key: typeof functionOf): string[][] => {
    const costs = selfTimes(profiles, key);
    const total = costs.reduce((sum, cost) => sum + cost.selfMs, 0);
    return costs.slice(0, 30).map(({ name, selfMs }) => [name, figure((100 * selfMs) / total)]);
  };
  return [
    '### Where the time goes at 100 calls',
    'Self time of all threads of the gateway from start to end, waiting left out (V8 CPU profile).',
    profileInWords(profiles),
    table(['file', 'share, %'], rows(fileOf)),
    table(['function', 'share, %'], rows(functionOf)),
  ].join('\n\n');
}
