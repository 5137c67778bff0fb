import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/config.ts';
import { startGatewayProcess, type GatewayProcess } from '../support/gateway-process.ts';
import { freeUdpPort } from '../support/sipp.ts';
import { levelDbfs } from '../support/sound/level.ts';
import { readWav } from '../support/sound/wav.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly complaint: string;
}

async function npmRunCall(args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, ['scripts/call.ts', ...args], { cwd: packageRoot });
  const exited = once(child, 'close') as Promise<[number | null]>;
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, output, complaint };
}

describe('npm run call', () => {
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess();
  });

  afterAll(() => gateway.stop());

  function toGateway(...args: string[]): string[] {
    return ['--target', gateway.target, '--operator', gateway.operatorUrl, ...args];
  }

  it.each(['pcmu', 'pcma'])(
    'books an appointment by voice, tells it, and records both voices (%s)',
    { timeout: 120_000 },
    async (codec) => {
      const wav = join(temporaryFolder(), 'call.wav');
      const { code, output, complaint } = await npmRunCall(toGateway('--codec', codec, '--wav', wav));
      expect({ code, complaint, output }).toMatchObject({ code: 0, complaint: '' });
      expect(output).toMatch(/tool\s+book_appointment/);
      expect(output).toMatch(/appointment .*"ok":true/);
      expect(output).toMatch(/ending\s+agent-hung-up/);
      expect(output).toMatch(/phone {2}heard/);
      expect(output).toMatch(/agent {2}heard/);
      const { channels, sampleRateHz } = await readWav(wav);
      expect(sampleRateHz).toBe(8000);
      expect(channels).toHaveLength(2);
      for (const voice of channels) expect(levelDbfs(voice)).toBeGreaterThan(-40);
    },
  );

  it('exits 1 and says so when nothing was booked', { timeout: 60_000 }, async () => {
    const wav = join(temporaryFolder(), 'call.wav');
    const { code, output } = await npmRunCall(toGateway('--say', 'goodbye', '--wav', wav));
    expect(code).toBe(1);
    expect(output).toMatch(/appointment\s+none was recorded/);
  });

  it('hangs up on Ctrl-C', { timeout: 60_000 }, async () => {
    const wav = join(temporaryFolder(), 'call.wav');
    const child = spawn(process.execPath, ['scripts/call.ts', ...toGateway('--wav', wav)], {
      cwd: packageRoot,
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => (output += String(bytes)));
    const exited = once(child, 'close') as Promise<[number | null]>;
    await until('it is answered', () => output.includes('answered'), 20_000);
    child.kill('SIGINT');
    expect(await exited).toEqual([1, null]);
    expect(output).toMatch(/phone {2}hangs up/);
    expect(output).toMatch(/ending\s+caller-hung-up/);
  });

  it('says what to do when the number is unknown', async () => {
    const { code, complaint } = await npmRunCall(toGateway('--to', '+15550999'));
    expect(code).toBe(1);
    expect(complaint).toMatch(/refused with 404.*no route for this number/s);
  });

  it('says what to do when no gateway runs', async () => {
    const { code, complaint } = await npmRunCall(['--target', `127.0.0.1:${await freeUdpPort('127.0.0.1')}`]);
    expect(code).toBe(1);
    expect(complaint).toMatch(/Nothing listens at .*npm start/);
  });

  it('explains itself', async () => {
    const { code, output } = await npmRunCall(['--help']);
    expect(code).toBe(0);
    expect(output).toContain('--say');
  });

  it.each([
    [['--codec', 'opus'], /pcmu or pcma/],
    [['--target', 'nowhere'], /host:port/],
    [['--timeout', 'soon'], /1 to 3600/],
    [['--shout', 'x'], /Unknown option/],
  ])('refuses %j with a sentence', async (args, sentence) => {
    const { code, complaint } = await npmRunCall(args);
    expect(code).toBe(1);
    expect(complaint).toMatch(sentence);
  });
});
