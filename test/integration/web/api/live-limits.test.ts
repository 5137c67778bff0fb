import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../support/until.ts';
import { ApiStage } from '../../../support/web/api-stage.ts';

/** As src/web/api/live.ts has it. */
const STREAMS_MAX = 50;

let stage: ApiStage;
beforeAll(async () => {
  stage = await ApiStage.start();
});
afterAll(() => stage.close());

/** A reader that asks for the stream, and reads only when it is told to. */
async function reader(key: string): Promise<Socket> {
  const { hostname, port } = new URL(stage.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(`GET /v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`);
  return socket;
}

async function statusOf(socket: Socket): Promise<number> {
  const [first] = (await once(socket, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d+)/.exec(first.toString('latin1'))?.[1]);
}

const origin = { tenant: 'acme', sipCallId: 's', trunk: 't', from: '+1555', to: '+1556', profile: 'p' };

describe('streams of live calls', () => {
  it(`are at most ${STREAMS_MAX} for a tenant, and another tenant is not concerned`, async () => {
    const [ours, theirs] = [await stage.key('acme'), await stage.key('other')];
    const readers = await Promise.all(Array.from({ length: STREAMS_MAX }, () => reader(ours)));
    expect(new Set(await Promise.all(readers.map(statusOf)))).toEqual(new Set([200]));
    const refused = await fetch(`${stage.url}/v1/live`, { headers: { authorization: `Bearer ${ours}` } });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'API_TOO_FAST' });
    expect(await statusOf(await reader(theirs))).toBe(200);
    const before = stage.clock.pending;
    readers[0]?.destroy();
    await until('a place to be free', () => stage.clock.pending < before);
    expect(await statusOf(await reader(ours))).toBe(200);
  });

  it('that are not read are cut off, and do not hold what was meant for them', async () => {
    const key = await stage.key('acme');
    const socket = await reader(key);
    expect(await statusOf(socket)).toBe(200);
    socket.pause();
    const listening = stage.clock.pending;
    stage.journal.open({ ...origin, callId: 'loud' });
    const text = 'x'.repeat(3000);
    for (let sent = 0; sent < 4000; sent += 1)
      stage.journal.caption('loud', { who: 'visitor', text, final: false, utteranceId: 'u' });
    await until('the reader to be let go', () => stage.clock.pending < listening);
  });
});
