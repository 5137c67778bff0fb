/** The gateway as operators meet it: a process that starts or says why not, and stops when it is asked to. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../../../src/config.ts';
import { startGatewayProcess } from '../../support/gateway-process.ts';
import { TestPhone } from '../../support/phone/phone.ts';
import { until } from '../../support/until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-process-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Outcome {
  code: number;
  words: string;
}

/** Starts `src/main.ts` with the shipped configuration, changed; resolves when it has ended by itself. */
function startAndEnd(change: (config: Record<string, unknown>) => void): Promise<Outcome> {
  const shipped = readFileSync(join(packageRoot, 'config', 'trunkline.yaml'), 'utf8');
  const config = parse(shipped) as Record<string, unknown>;
  config['data_dir'] = folder;
  change(config);
  const configFile = join(folder, 'trunkline.yaml');
  writeFileSync(configFile, stringify(config));
  const env = { ...process.env, TRUNKLINE_CONFIG: configFile };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['src/main.ts'],
      { cwd: packageRoot, env, timeout: 60_000 },
      (error, _, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, words: stderr }),
    );
  });
}

describe('a gateway that cannot start', { timeout: 60_000 }, () => {
  it('names file, line, key and remedy of a typo', async () => {
    const { code, words } = await startAndEnd((config) => (config['rtp'] = {}));
    expect(code).toBe(78);
    expect(words).toMatch(/CONFIG_INVALID: .*trunkline\.yaml:\d+: unknown key "rtp"/);
  });

  it('names the port that is taken, and leaves nothing running', async () => {
    const other = createSocket('udp4');
    other.bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    const { code, words } = await startAndEnd((config) => {
      config['sip'] = { listen: [{ transport: 'udp', host: '127.0.0.1', port }] };
      config['operator'] = { port: 0 };
    });
    other.close();
    expect(code).toBe(1);
    expect(words).toContain(`SIP_PORT_IN_USE: udp/127.0.0.1:${port}`);
  });

  it('says that drachtio-server cannot be reached', async () => {
    const { code, words } = await startAndEnd((config) => {
      config['sip'] = { drachtio: { host: '127.0.0.1', port: 9, secret: 'none' } };
      config['operator'] = { port: 0 };
    });
    expect(code).toBe(1);
    expect(words).toContain('SIP_SERVER_UNREACHABLE');
  });
});

describe('a gateway that runs', { timeout: 60_000 }, () => {
  it('says that it is ready, and ends with 0 when it is asked to stop', async () => {
    const gateway = await startGatewayProcess();
    const ready = await fetch(`${gateway.operatorUrl}/readyz`);
    expect(ready.status).toBe(200);
    expect(gateway.log()).toContain('"msg":"ready"');
    expect(await gateway.stop()).toBe(0);
    await expect(fetch(`${gateway.operatorUrl}/healthz`)).rejects.toThrow();
  });

  it('lets calls finish when it is asked once, and hangs them up when it is asked again', async () => {
    const gateway = await startGatewayProcess();
    const phone = await TestPhone.start();
    const call = await phone.dial({ to: '+15550100', target: gateway.target });
    const stopped = gateway.stop();
    await until('it drains', () => gateway.log().includes('open calls may finish'));
    expect(call.over).toBe(false);
    const stoppedAtOnce = gateway.stop();
    const { by, reason } = await call.ended;
    expect(by).toBe('gateway');
    expect(reason).toContain('is stopping');
    expect(await Promise.all([stopped, stoppedAtOnce])).toEqual([0, 0]);
    await phone.close();
  });
});
