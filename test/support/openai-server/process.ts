/** The live server in a process of its own, so that its work does not delay a phone in this one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { packageRoot } from '../../../src/config.ts';

const readySchema = z.object({ baseUrl: z.string() });

export interface LiveProcess {
  readonly baseUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startLiveProcess(): Promise<LiveProcess> {
  const child = spawn(process.execPath, ['test/support/openai-server/main.ts', '0'], {
    cwd: packageRoot,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error('the local OpenAI server did not start');
    }),
  ])) as [Buffer];
  const { baseUrl } = readySchema.parse(JSON.parse(String(line)));
  return {
    baseUrl,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
