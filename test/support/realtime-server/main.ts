/**
 * The local server as a process of its own: `npm run realtime-server`, or `node
 * test/support/realtime-server/main.ts [receptionist|echo|draining-echo|talker] [port]`. Prints one line of
 * JSON, `{ "port": 12345, "OPENAI_BASE_URL": "…" }`, and runs until SIGTERM, or until its standard input
 * ends.
 */
import { join } from 'node:path';
import { loadSettings, packageRoot, readEnvironment } from '../../../src/config.ts';
import { cannedSound } from './canned-sound.ts';
import { echo, echoing } from './echo.ts';
import { liveReceptionist } from './live/receptionist.ts';
import { receptionist } from './receptionist.ts';
import { startRealtimeServer, type RealtimeServerOptions } from './server.ts';
import { SpeechMachine } from './speech/machine.ts';
import { talker } from './talker.ts';

type Behaviours = Pick<RealtimeServerOptions, 'behave' | 'behaveLive'>;

const PROFILE = 'clinic-receptionist';

/** Hears and speaks, as the shipped profile says. Its first start makes a language model: seconds. */
async function liveMode(): Promise<Behaviours & { close: () => Promise<void> }> {
  const { profiles } = loadSettings(readEnvironment({}));
  const profile = profiles.get(PROFILE);
  if (profile === undefined) throw new Error(`config/agents has no ${PROFILE}`);
  const cacheFolder = join(packageRoot, 'data', 'realtime-server');
  const machine = await SpeechMachine.create({ profile, cacheFolder });
  return {
    behave: receptionist({ machine }),
    behaveLive: liveReceptionist({ machine }),
    close: () => machine.close(),
  };
}

// The bench's echo lets 40 ms of a playout queue drain per second.
const BEHAVIOURS: Readonly<Record<string, () => Promise<Behaviours & { close?: () => Promise<void> }>>> = {
  receptionist: liveMode,
  echo: () => Promise.resolve({ behave: echo }),
  'draining-echo': () => Promise.resolve({ behave: echoing({ swallowEvery: 25 }) }),
  talker: () => Promise.resolve({ behave: talker({ sound: cannedSound(2000), words: 'Hello.' }) }),
};

const [name = 'echo', port = '0'] = process.argv.slice(2);
const begin = BEHAVIOURS[name];
if (begin === undefined) {
  process.stderr.write(`no behaviour "${name}": use ${Object.keys(BEHAVIOURS).join(' or ')}\n`);
  process.exit(2);
}
const { close, ...behaviours } = await begin();
const server = await startRealtimeServer({ ...behaviours, port: Number(port) });
const address = server.baseUrl.replace('ws:', 'http:');
process.stdout.write(`${JSON.stringify({ port: server.port, OPENAI_BASE_URL: address })}\n`);

const stop = (): void => {
  void Promise.all([server.close(), close?.()]).then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.stdin.on('end', stop).resume();
