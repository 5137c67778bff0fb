/** One level of the bench: so many calls at a time through a fresh gateway, measured for a while. */
import { startCallers, startNode } from './children.ts';
import { cpuOver } from './cpu-over.ts';
import { benchNumber, startGateway, type GatewayChild } from './gateway-child.ts';
import { spreadOf, type Spread } from './percentiles.ts';
import { childrenOf, usageOf } from './process-usage.ts';

export interface LevelOptions {
  readonly calls: number;
  readonly measureMs: number;
  readonly appendMs: number;
  readonly profileFolder?: string;
}

/** CPU as a share of one core, in percent. */
interface Cpu {
  readonly gateway: number;
  readonly mediasoup: number;
  readonly model: number;
  readonly callers: number;
  /** What follows from calls: the private Redis, the database, the worker. */
  readonly afterCalls: number;
  /** Everything else on the machine. Where this is much, the other figures are worth little. */
  readonly others: number;
}

export interface LevelResult {
  readonly calls: number;
  readonly failed: readonly string[];
  readonly cpu: Cpu;
  /** Of the gateway without a call, before the level. */
  readonly idle: Pick<Cpu, 'gateway' | 'mediasoup'>;
  readonly gatewayRssBytes: number;
  readonly gatewayRssPerCallBytes: number;
  readonly setupMs: Spread;
  readonly jitterMs: Spread;
  readonly delayMs: Spread;
  readonly ownLateMs: Spread;
  readonly probesLost: number;
  readonly packetsReceived: number;
  readonly packetsMissing: number;
  readonly packetsRepeated: number;
  /** Packets that 50 per second and call would make. */
  readonly packetsExpected: number;
}

/**
 * Calls made and ended first, so that code that runs for the first time is not counted as memory of calls.
 */
const warm_up_calls = 10;
const calls_per_second = 25;
const probe_every_ms = 1000;
const settle_ms = 2000;
const idle_ms = 1500;

export async function runLevel(options: LevelOptions): Promise<LevelResult> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const model = await startNode({
      args: ['test/support/realtime-server/main.ts', 'draining-echo'],
      ready: /"port":(\d+)/,
    });
    stops.push(() => model.stop());
    const modelPort = /"port":(\d+)/.exec(model.words)?.[1] ?? '';
    const gateway = await startGateway({
      modelUrl: `ws://127.0.0.1:${modelPort}/v1`,
      callsMax: options.calls + warm_up_calls,
      appendMs: options.appendMs,
      ...(options.profileFolder === undefined ? {} : { profileFolder: options.profileFolder }),
    });
    stops.push(() => gateway.stop());
    const callers = startCallers({
      sipPort: gateway.sipPort,
      number: benchNumber,
      callsPerSecond: calls_per_second,
      probeEveryMs: probe_every_ms,
    });
    stops.push(() => callers.stop());
    return await measure(options, { gateway, model: model.pid, callers });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

interface Parts {
  readonly gateway: GatewayChild;
  readonly model: number;
  readonly callers: ReturnType<typeof startCallers>;
}

async function measure(options: LevelOptions, parts: Parts): Promise<LevelResult> {
  const { callers } = parts;
  await callers.ask({ type: 'call', calls: warm_up_calls }, 'up');
  await pause(settle_ms);
  await callers.ask({ type: 'hang_up' }, 'down');
  await pause(settle_ms);
  const workers = childrenOf(parts.gateway.pid, 'mediasoup');
  const pids = {
    gateway: [parts.gateway.pid],
    mediasoup: workers,
    model: [parts.model],
    callers: [callers.pid],
    afterCalls: parts.gateway.afterCalls,
  };
  const { gateway: idleGateway, mediasoup: idleMediasoup } = await cpuOver(pids, idle_ms);
  const rssBefore = usageOf(parts.gateway.pid).rssBytes;
  const { calls, failed } = await callers.ask({ type: 'call', calls: options.calls }, 'up');
  await pause(settle_ms);
  callers.tell({ type: 'reset' });
  const cpu = await cpuOver(pids, options.measureMs);
  const { measurements } = await callers.ask({ type: 'report' }, 'measured');
  const { rssBytes } = usageOf(parts.gateway.pid);
  await callers.ask({ type: 'hang_up' }, 'down');
  return {
    calls,
    failed,
    cpu,
    idle: { gateway: idleGateway, mediasoup: idleMediasoup },
    gatewayRssBytes: rssBytes,
    gatewayRssPerCallBytes: (rssBytes - rssBefore) / Math.max(1, calls),
    setupMs: spreadOf(measurements.setupMs),
    jitterMs: spreadOf(measurements.jitterMs),
    delayMs: spreadOf(measurements.delayMs),
    ownLateMs: spreadOf(measurements.ownLateMs),
    probesLost: measurements.probesLost,
    packetsReceived: measurements.packetsReceived,
    packetsMissing: measurements.packetsMissing,
    packetsRepeated: measurements.packetsRepeated,
    packetsExpected: Math.round((calls * options.measureMs) / 20),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
