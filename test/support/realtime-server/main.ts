/**
 * The local Realtime server as a process of its own: `node test/support/realtime-server/main.ts
 * [echo|draining-echo|talker] [port]`. Prints one line of JSON, `{ "port": 12345 }`, and runs until
 * SIGTERM, or until its standard input ends.
 */
import { echo, echoing } from './echo.ts';
import { startRealtimeServer } from './server.ts';
import { talker } from './talker.ts';
import { cannedSound } from './canned-sound.ts';

// The bench's echo lets 40 ms of a playout queue drain per second.
const BEHAVIOURS = {
  echo,
  'draining-echo': echoing({ swallowEvery: 25 }),
  talker: talker({ sound: cannedSound(2000), words: 'Hello.' }),
};

const [name = 'echo', port = '0'] = process.argv.slice(2);
if (!(name in BEHAVIOURS)) {
  process.stderr.write(`no behaviour "${name}": use ${Object.keys(BEHAVIOURS).join(' or ')}\n`);
  process.exit(2);
}
const server = await startRealtimeServer({
  behave: BEHAVIOURS[name as keyof typeof BEHAVIOURS],
  port: Number(port),
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);

const stop = (): void => {
  void server.close().then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
process.stdin.on('end', stop).resume();
