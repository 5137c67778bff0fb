/** The sound's side of the gateway: media threads with the agents' code in them, and mediasoup workers. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { AgentOptions } from '../agent/open-voice.ts';
import type { AgentSources } from '../agent/participant.ts';
import type { ToolRegistry } from '../agent/tools/tool-registry.ts';
import type { Log } from '../base/log.ts';
import { pipelineSettings } from '../config/pipeline.ts';
import { packageRoot, type Config, type Settings } from '../config.ts';
import { Sfu } from '../media/sfu.ts';
import { MediaThreads } from '../media/threads.ts';
import { findWorkerBinary } from '../media/worker-binary.ts';
import type { ClosingOrder } from './closing-order.ts';
import { logSpares } from './spare-sessions.ts';

/** Media threads and mediasoup workers, side by side. @throws TrunklineError of either */
export async function startMedia(
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
      precedence: media.precedence,
      logLevel: logging.level,
      agent: agentOptions(settings, tools),
    }),
    Sfu.start({
      workers: sfu.workers || availableParallelism(),
      workerBinary: findWorkerBinary({ env: workerBinary, packageRoot }),
      listenAddress: sfu.listen_address,
      announcedAddress: sfu.announced_address,
      webRtcPort: sfu.web_rtc_port,
      precedence: media.precedence,
      log,
    }),
  ]);
  if (threads.status === 'fulfilled') order.add('media threads', threads.value);
  if (workers.status === 'fulfilled') order.add('mediasoup workers', workers.value);
  if (threads.status === 'rejected') throw threads.reason;
  if (workers.status === 'rejected') throw workers.reason;
  logSpares(threads.value, log);
  threads.value.events.on('error', (error) => log.error(error, 'media thread'));
  threads.value.events.on('died', ({ thread, reason }) =>
    log.error(
      { thread: thread.name, reason },
      'a media thread died: its calls end, a new one takes its place',
    ),
  );
  tellPlace(threads.value, log);
  return [threads.value, workers.value];
}

/** All threads of a process have the same rights: one tells for all, mediasoup's workers included. */
function tellPlace({ handles: [first] }: Pick<MediaThreads, 'handles'>, log: Log): void {
  const { precedence, refusal: detail } = first?.placed ?? { precedence: 'usual', refusal: null };
  if (detail === null) log.info({ precedence }, 'where sound stands on a busy machine');
  else log.warn({ code: 'SOUND_NOT_FIRST', precedence, detail }, 'sound does not stand where it should');
}

/** What agents are to know of prices, and of the longest call. */
export function agentLimits({ prices, calls }: Config): Pick<AgentSources, 'prices' | 'warnAfterMs'> {
  const warnAfterMs = calls.duration_max_ms - calls.duration_warning_ms;
  const warns = calls.duration_warning_ms > 0 && warnAfterMs > 0;
  return { prices: prices.models, ...(warns ? { warnAfterMs } : {}) };
}

/**
 * What the agent's code in each media thread is told; secrets come
 * from the environment when the file is silent.
 */
function agentOptions(
  { config, profiles, dataDir, environment }: Settings,
  tools: ToolRegistry,
): AgentOptions {
  const { variables } = environment;
  const openai = {
    baseUrl: variables['OPENAI_BASE_URL'] ?? 'https://api.openai.com/v1',
    apiKey: variables['OPENAI_API_KEY'] ?? '',
  };
  const answering = new Set([
    ...config.numbers.map((route) => route.profile),
    ...config.web.widget_keys.flatMap((one) => one.profiles),
  ]);
  return {
    voicemailFolder: join(dataDir, 'voicemail'),
    offline: {
      cacheFolder: join(dataDir, 'speech'),
      warm: [...profiles.values()].filter((profile) => answering.has(profile.name)),
    },
    spares: {
      ageMaxMs: config.spares.age_max_ms,
      opensPerHourMax: config.spares.opens_per_hour_max,
    },
    realtime: protocolOptions(config.realtime, openai, tools),
    live: protocolOptions(config.live, openai, tools),
    pipeline: { ...pipelineSettings(config.pipeline, openai), tools: tools.declarations() },
  };
}

/** A section of one of OpenAI's protocols: what both have, and the settings that only it has. */
interface ProtocolSection {
  readonly base_url: string;
  readonly api_key: string;
  readonly model: string;
  readonly voice: string;
  readonly connect_timeout_ms: number;
  readonly append_ms: number;
}

/** `openai`: where and with which key, when the section is silent. */
function protocolOptions<S extends ProtocolSection>(
  section: S,
  openai: { baseUrl: string; apiKey: string },
  tools: ToolRegistry,
) {
  const { base_url, api_key, model, voice, connect_timeout_ms, append_ms, ...settings } = section;
  return {
    baseUrl: base_url || openai.baseUrl,
    apiKey: api_key || openai.apiKey,
    model,
    voice,
    connectTimeoutMs: connect_timeout_ms,
    appendMs: append_ms,
    settings,
    tools: tools.declarations(),
  };
}
