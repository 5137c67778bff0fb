/**
 * What a visitor's conversation survives: a network that fails for a while, a page that is loaded anew, a
 * mediasoup worker that dies. Chromium lives in a network of its own, whose cable the test pulls.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { childrenOf } from '../../bench/process-usage.ts';
import { freeTcpPort } from '../support/baresip.ts';
import { TestGateway } from '../support/gateway.ts';
import { NetworkNamespace } from '../support/network-namespace.ts';
import { TONE_PROFILE, ToneAgents } from '../support/tone-agent.ts';
import { clearTones, settled, toneLevelsIn } from '../support/tones.ts';
import { until } from '../support/until.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { Browser, chromium_path } from '../support/widget/browser.ts';
import { ToneVisitor } from '../support/widget/tone-visitor.ts';

const agent_hz = 700;
const visitor_hz = 1000;
const tones = [agent_hz, visitor_hz];
const credentials = { widgetKey: 'demo', profile: TONE_PROFILE.name };
/** How long the cable is out. */
const cut_ms = 8000;

let network: NetworkNamespace;
let agents: ToneAgents;
let gateway: TestGateway;
let browser: Browser;

beforeAll(async () => {
  await buildForBrowsers('widget');
  network = await NetworkNamespace.open();
  agents = await ToneAgents.start(agent_hz);
  const [host, port] = [network.address, await freeTcpPort()];
  const secureOrigin = `http://${host}:${port}`;
  const profiles = [TONE_PROFILE.name];
  gateway = await TestGateway.start({
    trunks: [{ name: 'phones', allow: ['127.0.0.1/32'] }],
    numbers: [{ number: '+15550100', profile: TONE_PROFILE.name }],
    profiles: [TONE_PROFILE],
    realtime: { base_url: agents.baseUrl, api_key: 'test' },
    sfuAddress: host,
    web: {
      ...{ host, port },
      widget_keys: [{ key: 'demo', origins: [secureOrigin], profiles }],
    },
  });
  browser = await Browser.start({ program: await network.wrap(chromium_path), secureOrigin });
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await agents.close();
  await network.close();
});

/** A visitor who talks, and the agent that was made for the visit: the number that it has for life. */
async function talk(): Promise<{ visitor: ToneVisitor; agentNumber: number }> {
  const call = { credentials, frequencyHz: visitor_hz };
  const visitor = await ToneVisitor.join(browser, gateway.gateway.webUrl, call);
  onTestFinished(() => visitor.close());
  await hearEachOther(visitor);
  return { visitor, agentNumber: agents.count };
}

/** One after the other: an agent holds its voice back while a visitor begins to speak. */
async function hearEachOther(visitor: ToneVisitor): Promise<void> {
  const heard = (listen: () => Promise<Int16Array[]>, wanted: number): Promise<number[]> =>
    settled(
      async () => (await listen()).flatMap((voice) => clearTones(toneLevelsIn(voice, tones), tones)),
      (found) => found.includes(wanted),
    );
  await visitor.mute(true);
  expect(await heard(() => visitor.listen(), agent_hz)).toEqual([agent_hz]);
  await visitor.mute(false);
  expect(await heard(async () => [await agents.listen()], visitor_hz)).toEqual([visitor_hz]);
}

/** The one call that is open is the one that there was, with the agent that it had. */
async function goesOn(callId: string | undefined, agentNumber: number): Promise<void> {
  const open = (await gateway.calls()).filter(({ ending }) => ending === undefined);
  expect(open.map((call) => call.callId)).toEqual([callId]);
  expect(agents.count).toBe(agentNumber);
  expect((await gateway.gateway.census()).web).toMatchObject({ visits: 1, guests: 1 });
}

async function openCallId(): Promise<string | undefined> {
  return (await gateway.calls()).find(({ ending }) => ending === undefined)?.callId;
}

describe('a conversation survives', () => {
  it('a network that is away for 8 s, by an ICE restart', { timeout: 90_000 }, async () => {
    const { visitor, agentNumber } = await talk();
    const callId = await openCallId();
    const [names, alertsBefore] = [await visitor.iceNames(), await alerts()];
    await network.cut();
    const cutAtMs = performance.now();
    await visitor.state('reconnecting');
    await until('the cable has been out for 8 s', () => performance.now() - cutAtMs >= cut_ms, 2 * cut_ms);
    await network.restore();
    await visitor.state('talking', 30_000);
    expect(await alerts()).toBeGreaterThan(alertsBefore);
    await hearEachOther(visitor);
    await goesOn(callId, agentNumber);
    for (const name of await visitor.iceNames()) expect(names).not.toContain(name);
    expect(gateway.complaints.map(({ msg }) => msg)).toContain('a browser has lost its media path');
    await visitor.hangUp();
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('the death of its mediasoup worker', { timeout: 60_000 }, async () => {
    const { visitor, agentNumber } = await talk();
    const callId = await openCallId();
    for (const pid of childrenOf(process.pid, 'mediasoup')) process.kill(pid, 'SIGKILL');
    await until('the gateway has noticed', () =>
      gateway.complaints.some(({ msg }) => msg === 'mediasoup worker died'),
    );
    await visitor.state('talking', 30_000);
    await hearEachOther(visitor);
    await goesOn(callId, agentNumber);
    await visitor.hangUp();
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('a page that is loaded anew', { timeout: 60_000 }, async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const state = (wanted: string): Promise<void> =>
      page.locator(`trunkline-call[state=${wanted}]`).waitFor({ timeout: 20_000 });
    const hears = `document.querySelector('trunkline-call').client.levels().others > 0.3`;
    await page.goto(gateway.gateway.webUrl);
    await page.evaluate(
      `document.querySelector('trunkline-call').setAttribute('profile', '${TONE_PROFILE.name}')`,
    );
    await page.getByRole('button', { name: 'Call now' }).click();
    await state('talking');
    await page.waitForFunction(hears, undefined, { polling: 100 });
    const [callId, agentNumber] = [await openCallId(), agents.count];
    await page.reload();
    await state('talking');
    await page.waitForFunction(hears, undefined, { polling: 100 });
    await goesOn(callId, agentNumber);
    await page.getByRole('button', { name: 'Hang up' }).click();
    expect(await gateway.leftOpen()).toEqual([]);
  });
});

/** As Prometheus is told. */
async function alerts(): Promise<number> {
  const text = await (await fetch(new URL('/metrics', gateway.operatorUrl))).text();
  return Number(/^trunkline_ice_alerts_total (\d+)$/m.exec(text)?.[1] ?? 0);
}
