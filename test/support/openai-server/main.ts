/**
 * `npm run openai-server -- [port] [profile.yaml]`: OpenAI's endpoints of transcription, chat and speech on
 * this machine, with real speech in and out and a mind that follows the profile's tasks; no account, no key.
 * Prints one line of JSON, `{ "baseUrl": "http://127.0.0.1:8900/v1" }`, and runs until SIGTERM or Ctrl-C.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentProfileSchema } from '../../../src/agent/profile.ts';
import { packageRoot, parseYaml } from '../../../src/config.ts';
import { startLiveServer } from './live.ts';

const shipped = join(packageRoot, 'config', 'agents', 'clinic-receptionist.yaml');
const [port = '8900', profileFile = shipped] = process.argv.slice(2);
const cacheFolder = await mkdtemp(join(tmpdir(), 'trunkline-openai-'));
const profile = parseYaml(profileFile, agentProfileSchema, {});
const server = await startLiveServer({ profile, cacheFolder, port: Number(port) });
process.stdout.write(`${JSON.stringify({ baseUrl: server.baseUrl })}\n`);

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  void server
    .close()
    .then(() => rm(cacheFolder, { recursive: true, force: true }))
    .then(() => process.exit(0));
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
// A server whose parent is gone serves nobody.
if (!process.stdin.isTTY) process.stdin.on('end', stop).resume();
