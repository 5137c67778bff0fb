/** One level of the section `offline-calls`: so many callers at a time on a fresh gateway. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { sayDay } from '../src/agent/models/offline/day.ts';
import { wordsOf } from '../src/agent/models/offline/words.ts';
import { wishOf } from './booking-caller.ts';
import { startNode } from './children.ts';
import { cpuOver } from './cpu-over.ts';
import { benchNumber, startGateway, type GatewayChild } from './gateway-child.ts';
import { talkedSchema, type Dialogue, type OfflineCallers, type Talked } from './offline-messages.ts';
import { childrenOf, childrenRunning, usageOfAll } from './process-usage.ts';
import { mistakes } from './test-set.ts';

export interface LevelPlan {
  readonly calls: number;
  readonly rounds: number;
  readonly measureMs: number;
  readonly speechFile: string;
}

const groups = ['gateway', 'recognisers', 'synthesisers', 'mediasoup', 'afterCalls', 'callers'] as const;
export type Group = (typeof groups)[number];

export interface OfflineLevel extends Talked {
  readonly calls: number;
  /** Share of one core, in percent, while all callers talk. */
  readonly cpu: Readonly<Record<Group | 'others', number>>;
  readonly rssBytes: Readonly<Record<Group, number>>;
}

/** New calls per second at the start. */
const ramp_per_second = 5;
/** The last of them has begun to talk. */
const settle_ms = 3000;
const settle_ms_max = 60_000;
const look_every_ms = 500;
/** CPU of one core that counts as nothing. */
const idle_share_max = 0.06;

/** The shipped agent; its holidays are left out, so that any day will do. */
function shippedProfile(): Record<string, unknown> & { name: string } {
  const path = new URL('../config/agents/clinic-receptionist.yaml', import.meta.url);
  const profile = parse(readFileSync(path, 'utf8')) as {
    name: string;
    appointments: Record<string, unknown>;
  };
  return { ...profile, appointments: { ...profile.appointments, holidays: [] } };
}

/** @throws Error when the gateway or the callers do not start */
export async function runOfflineLevel(plan: LevelPlan): Promise<OfflineLevel> {
  const gateway = await startGateway({
    // Nobody asks for a model: the offline voice is all there is.
    ...{ modelUrl: 'ws://127.0.0.1:9/v1', appendMs: 20 },
    callsMax: plan.calls + 10,
    profile: shippedProfile(),
  });
  try {
    await settled(Object.values(processesOf(gateway)).flat());
    return await measure(gateway, plan);
  } finally {
    await gateway.stop();
  }
}

const processesOf = ({
  pid,
  afterCalls,
}: GatewayChild): Record<Exclude<Group, 'callers'>, readonly number[]> => ({
  gateway: [pid],
  recognisers: childrenRunning(pid, 'recogniser-process'),
  synthesisers: childrenRunning(pid, 'synthesiser-process'),
  mediasoup: childrenOf(pid, 'mediasoup'),
  afterCalls,
});

/** Language models are made, phrases are spoken: the processes have nothing to do any more. */
async function settled(pids: readonly number[]): Promise<void> {
  const endMs = performance.now() + settle_ms_max;
  for (let before = usageOfAll(pids).cpuMs; performance.now() < endMs;) {
    await pause(look_every_ms);
    const { cpuMs } = usageOfAll(pids);
    if (cpuMs - before < look_every_ms * idle_share_max) return;
    before = cpuMs;
  }
  throw new Error('the gateway never came to rest');
}

async function measure(gateway: GatewayChild, plan: LevelPlan): Promise<OfflineLevel> {
  const { calls, rounds, speechFile, measureMs } = plan;
  const rampMs = (1000 * calls) / ramp_per_second;
  const { sipPort, operatorUrl } = gateway;
  const options: OfflineCallers = {
    ...{ sipPort, operatorUrl, number: benchNumber },
    ...{ calls, rounds, rampMs, speechFile },
  };
  const callers = await startNode({
    args: ['bench/offline-callers.ts', JSON.stringify(options)],
    ready: /ready to call/,
    answers: true,
  });
  try {
    const pids = { ...processesOf(gateway), callers: [callers.pid] };
    const talking = callers.ask({ type: 'talk' });
    talking.catch(() => undefined);
    await pause(rampMs + settle_ms);
    const cpu = await cpuOver(pids, measureMs);
    const rss = groups.map((group) => [group, usageOfAll(pids[group]).rssBytes] as const);
    const rssBytes = Object.fromEntries(rss) as Record<Group, number>;
    return { ...talkedSchema.parse(await talking), calls, cpu, rssBytes };
  } finally {
    await callers.stop();
  }
}

export interface DialogueFigures {
  readonly dialogues: number;
  readonly booked: number;
  /** Of these, with the very name, day and time that the caller wanted. */
  readonly asWanted: number;
  readonly corrections: number;
  readonly words: number;
  readonly wrong: number;
  readonly responseMs: readonly number[];
  readonly troubles: readonly string[];
}

/** What became of the dialogues, and how well their callers were understood. */
export function dialogueFigures(dialogues: readonly Dialogue[]): DialogueFigures {
  const sum = (of: (one: Dialogue) => number): number => dialogues.reduce((total, one) => total + of(one), 0);
  const wordsIn = (texts: readonly string[]): string[] => texts.flatMap(wordsOf);
  return {
    dialogues: dialogues.length,
    booked: sum(({ booked }) => Number(booked !== null)),
    asWanted: sum((one) => Number(isAsWanted(one))),
    corrections: sum((one) => one.corrections),
    words: sum(({ said }) => wordsIn(said).length),
    wrong: sum(({ said, heard }) => mistakes(wordsIn(said), wordsIn(heard))),
    responseMs: dialogues.flatMap((one) => one.responseMs),
    troubles: dialogues.flatMap(({ wish, trouble }) =>
      trouble === null ? [] : `dialogue ${wish}: ${trouble}`,
    ),
  };
}

function isAsWanted({ wish, booked }: Dialogue): boolean {
  const { name, clock, weekday } = wishOf(wish);
  return booked?.name === name && booked.time === clock && sayDay(booked.day).startsWith(`${weekday} `);
}
