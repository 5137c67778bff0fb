/** The composition root: builds the parts, introduces them to each other, owns the closing order. */
import type { SipServer } from '../sip/server/server.ts';
import { createOpenAgent } from './agent/participant.ts';
import { transferToHuman } from './agent/tools/transfer-to-human.ts';
import { systemClock } from './base/clock.ts';
import type { Log } from './base/log.ts';
import type { Settings } from './config.ts';
import { ClosingOrder } from './gateway/closing-order.ts';
import { gatewayDesk } from './gateway/gateways.ts';
import { measureJobs, measureParts } from './gateway/measure.ts';
import { observe } from './gateway/observe.ts';
import { startApi } from './gateway/start-api.ts';
import { startBoard } from './gateway/start-board.ts';
import { startDesk } from './gateway/start-desk.ts';
import { startJobs } from './gateway/start-jobs.ts';
import { startLimits } from './gateway/start-limits.ts';
import { startDoors } from './gateway/start-doors.ts';
import { measureSpares } from './gateway/spare-sessions.ts';
import { agentLimits, startMedia } from './gateway/start-media.ts';
import { startSip } from './gateway/start-sip.ts';
import { startTools } from './gateway/start-tools.ts';
import type { Enqueue } from './jobs/enqueue.ts';
import type { Sfu } from './media/sfu.ts';
import type { MediaThreads } from './media/threads.ts';
import { Journal } from './room/journal.ts';
import { Rooms } from './room/rooms.ts';
import { OperatorApi } from './web/operator-api.ts';
import type { WebCensus } from './web/web-door.ts';

export interface Gateway {
  /** Where calls arrive: `udp/127.0.0.1:5060`, ports known. */
  readonly sipAddresses: readonly string[];
  readonly operatorUrl: string;
  /** Where visitors come in: the demo page, the widget and its signalling. */
  readonly webUrl: string;
  readonly journal: Journal;
  /** How jobs are asked for; undefined when `jobs.keep` is false. */
  readonly enqueue: Enqueue | undefined;
  /** Everything that is open in every part; all zero between calls. */
  census(): Promise<GatewayCensus>;
  /** Refuses new calls, lets open ones finish for `calls.drain_ms`, then closes. */
  drain(): Promise<void>;
  /** Ends all calls and closes every part, in the order of docs/CLOSING.md. Idempotent. */
  close(): Promise<void>;
}

export interface GatewayCensus {
  readonly calls: number;
  readonly rooms: number;
  readonly web: WebCensus;
  readonly threads: Awaited<ReturnType<MediaThreads['census']>>;
  readonly sfu: ReturnType<Sfu['census']>;
  /** null when drachtio-server does the SIP. */
  readonly sip: ReturnType<SipServer['census']> | null;
}

/**
 * Starts everything. When one part does not start, the others are closed again.
 * @throws TrunklineError of the part, such as SIP_PORT_IN_USE or WORKER_BINARY_MISSING
 */
export async function startGateway(settings: Settings, log: Log): Promise<Gateway> {
  const order = new ClosingOrder(log);
  try {
    return await build(settings, log, order);
  } catch (error) {
    await order.close();
    throw error;
  }
}

async function build(settings: Settings, log: Log, order: ClosingOrder): Promise<Gateway> {
  const { config, profiles } = settings;
  const journal = new Journal();
  const { metrics, traces, version } = observe({ journal, settings, order });
  const traceparentOf = traces.traceparentOf.bind(traces);
  const jobs = await startJobs({ settings, journal, log, order, traceparentOf });
  const tenantGate = await startLimits({ settings, metrics, log, order });
  const desk = await startDesk({ settings, journal, log }, order);
  const { registry: tools, records, mcp } = await startTools({ settings, jobs, log, order });
  tools.add(transferToHuman(desk.queue));
  const [threads, sfu] = await startMedia(settings, tools, log, order);
  const rooms = order.add('rooms', new Rooms({ sfu, log }));
  const sip = await startSip(settings, log, order);
  const humans = desk.queue;
  const openAgent = createOpenAgent({ profiles, tools, journal, humans, log, ...agentLimits(config) });
  const api = jobs && startApi({ settings, jobs, journal, version, metrics, log, order });
  const board = jobs && (await startBoard({ settings, jobs, metrics, log }));
  const address = sip?.admin ?? config.sip.drachtio;
  const shared = { threads, rooms, openAgent, tenantGate, journal, log };
  const { phone, web } = await startDoors({ settings, address, desk, api, board, order, ...shared });
  const census = async (): Promise<GatewayCensus> => ({
    calls: phone.calls,
    rooms: rooms.size,
    web: web.census(),
    threads: await threads.census(),
    sfu: sfu.census(),
    sip: sip?.census() ?? null,
  });
  let draining = false;
  const troubles = (): string[] => [
    ...(draining ? ['the gateway is stopping'] : []),
    ...(threads.handles.length === 0 ? ['no media thread is alive'] : []),
    ...(sfu.census().workers === 0 ? ['no mediasoup worker is alive'] : []),
  ];
  const warnings = (): string[] => jobs?.warnings() ?? [];
  measureParts({ threads, sfu, rooms, phone, web }, metrics);
  measureSpares(threads, metrics);
  if (jobs !== undefined) measureJobs(jobs, metrics);
  const gateways = jobs &&
    board && { desk: gatewayDesk({ ...jobs, gateway: jobs.spool.gateway }), keys: board.keys };
  const shown = { ...records, mcp_servers: () => mcp.states };
  const operator = await OperatorApi.start(
    { journal, metrics, troubles, warnings, census, records: shown, gateways },
    { host: config.operator.host, port: config.operator.port, log },
  );
  order.add('operator API', operator);
  log.info({ sip: phone.addresses, web: web.url, operator: operator.url }, 'ready');
  return {
    sipAddresses: phone.addresses,
    operatorUrl: operator.url,
    webUrl: web.url,
    journal,
    enqueue: jobs?.enqueue,
    census,
    close: () => order.close(),
    drain: async () => {
      draining = true;
      phone.drain();
      web.drain();
      void threads.drain();
      await within(config.calls.drain_ms, Promise.all([phone.idle(), web.idle()]));
      await order.close();
    },
  };
}

/** Waits for `work`, but no longer than `limitMs`. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const cancel = systemClock.after(limitMs, () => resolve(undefined));
  await Promise.race([work, promise]);
  cancel();
}
