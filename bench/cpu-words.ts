/** A CPU profile in words: which share of the time goes into what, rather than into which function. */
import { fileOf, selfTimes, type CpuProfile } from './cpu-profile.ts';
import { figure } from './report.ts';

const STARTING = 'starting: modules read and compiled';
const SOCKETS = 'sockets: UDP to callers, TCP to the model';

/** The first that fits a file (`fileOf`) names what its time goes into. */
const AREAS: readonly (readonly [RegExp, string])[] = [
  [/^\(garbage collector\)$/, 'the garbage collector'],
  [/^\(program\)$/, "V8 and Node's own machine code, which no function is charged with"],
  [/^(?:postMessage|receiveMessageOnPort|node:internal\/worker.*)$/, 'messages between threads'],
  [/^(?:ws\/|@discordjs\/ws)/, 'frames of WebSockets'],
  [/^zod\/|event-parser\.ts$|^(?:parse|stringify)$/, "reading the model's events"],
  [/^wasm:/, 'finding speech (WebAssembly)'],
  [/^src\/media\//, 'the sound path: RTP, jitter buffers, mixing, codecs, pacing'],
  [/^src\/agent\//, 'the agent: voice, turns, playout, adapters'],
  [/^(?:sip\/|src\/phone\/|drachtio-srf\/|sdp-transform\/)/, 'SIP and SDP'],
  [/^src\/(?:jobs|store)\/|^(?:bullmq|ioredis|pg[a-z-]*|kysely)\//, 'the journal on its way to queues'],
  [/^node:internal\/(?:modules|bootstrap|vm|esm|fs)\b|^node:fs$/, STARTING],
  [/^(?:wrapSafe|compile\w*|internalBinding)$/, STARTING],
  [/^node:(?:dgram|net|internal\/dgram|internal\/stream_base_commons)$/, SOCKETS],
  [/^(?:writeBuffer|write\w+String|writev|send|recv\w*)$/, SOCKETS],
  [/^node:/, "Node's plumbing: events, timers, streams, buffers"],
];
const OTHER = 'all else';
const share_min = 0.5;

export function areaOf(file: string): string {
  return AREAS.find(([pattern]) => pattern.test(file))?.[1] ?? OTHER;
}

/** One sentence, the greatest share first; shares under half a percent are left out. */
export function profileInWords(profiles: readonly CpuProfile[]): string {
  const costs = selfTimes(profiles, (frame) => areaOf(fileOf(frame)));
  const total = costs.reduce((sum, { selfMs }) => sum + selfMs, 0);
  if (total === 0) return 'Nothing was profiled.';
  const shares = costs.map(({ name, selfMs }) => ({ name, share: (100 * selfMs) / total }));
  const told = shares.filter(({ share }) => share >= share_min);
  return `In words: ${told.map(({ name, share }) => `${figure(share, 0)} % ${name}`).join('; ')}.`;
}
