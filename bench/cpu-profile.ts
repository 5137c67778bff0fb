/** Where the time goes: V8's CPU profiles (`--cpu-prof`), summed by function and by file. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.int() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});
export type CpuProfile = z.infer<typeof profileSchema>;

export interface Cost {
  readonly name: string;
  /** Time in the function itself, in ms. */
  readonly selfMs: number;
}

export function readProfiles(folder: string): CpuProfile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => profileSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

/** Self time by `key` of each frame, the most costly first. Waiting (`(idle)`) is left out. */
export function selfTimes(
  profiles: readonly CpuProfile[],
  key: (frame: CpuProfile['nodes'][number]['callFrame']) => string,
): Cost[] {
  const totals = new Map<string, number>();
  for (const profile of profiles) {
    const names = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
    profile.samples.forEach((id, at) => {
      const frame = names.get(id);
      if (frame === undefined || frame.functionName === '(idle)') return;
      const name = key(frame);
      totals.set(name, (totals.get(name) ?? 0) + (profile.timeDeltas[at] ?? 0) / 1000);
    });
  }
  return [...totals]
    .map(([name, selfMs]) => ({ name, selfMs }))
    .sort((one, other) => other.selfMs - one.selfMs);
}

/** `src/media/anchor.ts`, `ws/lib/sender.js`, `node:dgram`, `(garbage collector)`. */
export function fileOf(frame: { functionName: string; url: string }): string {
  if (frame.url === '') return frame.functionName;
  const outside = /node_modules\/(.+)$/.exec(frame.url)?.[1];
  if (outside !== undefined) return outside;
  return /\/((?:src|sip|test|bench)\/.+)$/.exec(frame.url)?.[1] ?? frame.url;
}

const name_characters_max = 60;

/** A regular expression is a function too, named after its whole text: names are cut. */
export function functionOf(frame: { functionName: string; url: string; lineNumber: number }): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName.slice(0, name_characters_max);
  return frame.url === '' ? name : `${name} ${fileOf(frame)}:${frame.lineNumber + 1}`;
}
