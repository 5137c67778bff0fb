/** The composition root: builds the parts, introduces them to each other, owns the closing order. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { startSipServer, type SipServer } from '../sip/server/server.ts';
import type { AgentOptions } from './agent/open-voice.ts';
import { createOpenAgent } from './agent/participant.ts';
import { FileAppointmentBook } from './agent/tools/appointment-book.ts';
import { bookAppointment } from './agent/tools/book-appointment.ts';
import { ToolRegistry } from './agent/tools/tool-registry.ts';
import { systemClock } from './base/clock.ts';
import { newId } from './base/ids.ts';
import type { Log } from './base/log.ts';
import { packageRoot, type Settings } from './config.ts';
import { Sfu } from './media/sfu.ts';
import { MediaThreads } from './media/threads.ts';
import { findWorkerBinary } from './media/worker-binary.ts';
import { PhoneDoor } from './phone/door.ts';
import { Journal } from './room/journal.ts';
import { Rooms } from './room/rooms.ts';
import { OperatorApi } from './web/operator-api.ts';
import { WebDoor, type WebCensus } from './web/web-door.ts';

export interface Gateway {
  /** Where calls arrive: `udp/127.0.0.1:5060`, ports known. */
  readonly sipAddresses: readonly string[];
  readonly operatorUrl: string;
  /** Where visitors come in: the demo page, the widget and its signalling. */
  readonly webUrl: string;
  readonly journal: Journal;
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

/** Closes parts in the reverse order of their making, each once, whatever the others do. */
class ClosingOrder {
  readonly #closers: { name: string; close: () => Promise<void> }[] = [];
  readonly #log: Log;
  #closing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  add<T extends { close(): Promise<void> }>(name: string, part: T): T {
    this.#closers.unshift({ name, close: () => part.close() });
    return part;
  }

  close(): Promise<void> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<void> {
    for (const { name, close } of this.#closers) {
      try {
        await close();
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'a part did not close well');
      }
    }
  }
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
  const { config, profiles, dataDir } = settings;
  const journal = new Journal();
  const book = await FileAppointmentBook.create({ path: join(dataDir, 'appointments.jsonl') });
  order.add('appointment book', book);
  const tools = new ToolRegistry({ tools: [bookAppointment(book)] });
  const [threads, sfu] = await startMedia(settings, tools, log, order);
  const rooms = order.add('rooms', new Rooms({ sfu, log }));
  const sip = await startSip(settings, log, order);
  const openAgent = createOpenAgent({ profiles, tools, journal, log });
  const phone = await PhoneDoor.start({
    server: sip?.admin ?? config.sip.drachtio,
    trunks: config.trunks,
    numbers: config.numbers,
    calls: config.calls,
    sessionExpiresS: config.sip.session_expires_s,
    mediaAddress: config.media.external_address || config.media.address,
    ...{ threads, rooms, openAgent, journal, log },
  });
  order.add('phone door', phone);
  const web = await WebDoor.start({
    settings: config.web,
    profiles: new Set(profiles.keys()),
    durationMaxMs: config.calls.duration_max_ms,
    folder: join(packageRoot, 'widget', 'dist'),
    ...{ threads, rooms, openAgent, journal, log },
  });
  order.add('web door', web);
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
  const operator = await OperatorApi.start(
    { journal, troubles, census, appointments: () => book.appointments },
    { host: config.operator.host, port: config.operator.port, log },
  );
  order.add('operator API', operator);
  log.info({ sip: phone.addresses, web: web.url, operator: operator.url }, 'ready');
  return {
    sipAddresses: phone.addresses,
    operatorUrl: operator.url,
    webUrl: web.url,
    journal,
    census,
    close: () => order.close(),
    drain: async () => {
      draining = true;
      phone.drain();
      web.drain();
      await within(config.calls.drain_ms, Promise.all([phone.idle(), web.idle()]));
      await order.close();
    },
  };
}

async function startMedia(
  settings: Settings,
  tools: ToolRegistry,
  log: Log,
  order: ClosingOrder,
): Promise<[MediaThreads, Sfu]> {
  const { media, sfu, log: logging } = settings.config;
  const { workerBinary } = settings.environment;
  const [threads, workers] = await Promise.allSettled([
    MediaThreads.start({
      count: media.threads || availableParallelism(),
      rtpAddress: media.address,
      rtpPortMin: media.rtp_port_min,
      rtpPortMax: media.rtp_port_max,
      quarantineMs: media.quarantine_ms,
      logLevel: logging.level,
      agent: agentOptions(settings, tools),
    }),
    Sfu.start({
      workers: sfu.workers || availableParallelism(),
      workerBinary: findWorkerBinary({ env: workerBinary, packageRoot }),
      listenAddress: sfu.listen_address,
      announcedAddress: sfu.announced_address,
      webRtcPort: sfu.web_rtc_port,
      log,
    }),
  ]);
  if (threads.status === 'fulfilled') order.add('media threads', threads.value);
  if (workers.status === 'fulfilled') order.add('mediasoup workers', workers.value);
  if (threads.status === 'rejected') throw threads.reason;
  if (workers.status === 'rejected') throw workers.reason;
  threads.value.events.on('error', (error) => log.error(error, 'media thread'));
  threads.value.events.on('died', ({ thread, reason }) =>
    log.error(
      { thread: thread.name, reason },
      'a media thread died: its calls end, a new one takes its place',
    ),
  );
  return [threads.value, workers.value];
}

/**
 * What the agent's code in each media thread is told; secrets come
 * from the environment when the file is silent.
 */
function agentOptions(settings: Settings, tools: ToolRegistry): AgentOptions {
  const { config, profiles, dataDir, environment } = settings;
  const { realtime } = config;
  const { variables } = environment;
  const answering = new Set([
    ...config.numbers.map((route) => route.profile),
    ...config.web.widget_keys.flatMap((one) => one.profiles),
  ]);
  return {
    offline: {
      cacheFolder: join(dataDir, 'speech'),
      warm: [...profiles.values()].filter((profile) => answering.has(profile.name)),
    },
    realtime: {
      baseUrl: realtime.base_url || (variables['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1'),
      apiKey: realtime.api_key || (variables['OPENAI_API_KEY'] ?? ''),
      model: realtime.model,
      voice: realtime.voice,
      transcriptionModel: realtime.transcription_model,
      connectTimeoutMs: realtime.connect_timeout_ms,
      appendMs: realtime.append_ms,
      tools: tools.declarations(),
    },
  };
}

/** The embedded SIP server, or none when a drachtio-server is configured. */
async function startSip(settings: Settings, log: Log, order: ClosingOrder): Promise<SipServer | undefined> {
  const { sip } = settings.config;
  if (sip.drachtio.host !== '') return undefined;
  const keys = sip.tls && {
    key: await readFile(sip.tls.key_file, 'utf8'),
    cert: await readFile(sip.tls.cert_file, 'utf8'),
  };
  const server = await startSipServer({
    contacts: sip.listen.map((listener) => ({
      ...listener,
      ...(sip.external_address === '' ? {} : { externalAddress: sip.external_address }),
      ...(listener.transport === 'tls' && keys ? { tls: keys } : {}),
    })),
    admin: { host: '127.0.0.1', port: 0, secret: newId('admin') },
    log,
  });
  return order.add('SIP server', server);
}

/** Waits for `work`, but no longer than `limitMs`. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const cancel = systemClock.after(limitMs, () => resolve(undefined));
  await Promise.race([work, promise]);
  cancel();
}
