/**
 * Sound through a relay, for networks that let nothing else out: a real coturn with the configuration that
 * ships, a real gateway, and Chromium, which is told to use nothing but the relay.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { iceServersFor } from '../../src/web/ice-servers.ts';
import { freeTcpPort } from '../support/baresip.ts';
import { Coturn } from '../support/coturn.ts';
import { TestGateway } from '../support/gateway.ts';
import { startSfu } from '../support/sfu.ts';
import { TONE_PROFILE, ToneAgents } from '../support/tone-agent.ts';
import { clearTones, settled, toneLevelsIn } from '../support/tones.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { Browser } from '../support/widget/browser.ts';
import { GatewayStand } from '../support/widget/gateway-stand.ts';
import { ToneVisitor } from '../support/widget/tone-visitor.ts';

const agent_hz = 700;
const visitor_hz = 1000;
const tones = [agent_hz, visitor_hz];

let agents: ToneAgents;
let coturn: Coturn;
let gateway: TestGateway;
let browser: Browser;

beforeAll(async () => {
  await buildForBrowsers('widget');
  [agents, coturn] = await Promise.all([ToneAgents.start(agent_hz), Coturn.start()]);
  const port = await freeTcpPort();
  const origins = [`http://127.0.0.1:${port}`];
  const ice = { turn_urls: [...coturn.urls], turn_secret: coturn.secret, turn_ttl_s: 60, relay_only: true };
  [gateway, browser] = await Promise.all([
    TestGateway.start({
      trunks: [{ name: 'phones', allow: ['127.0.0.1/32'] }],
      numbers: [{ number: '+15550100', profile: TONE_PROFILE.name }],
      profiles: [TONE_PROFILE],
      realtime: { base_url: agents.baseUrl, api_key: 'test' },
      web: { port, ice, widget_keys: [{ key: 'demo', origins, profiles: [TONE_PROFILE.name] }] },
    }),
    Browser.start({ trustedKeyDigest: coturn.keyDigest }),
  ]);
});

afterAll(async () => {
  await browser.close();
  await gateway.close();
  await Promise.all([agents.close(), coturn.close()]);
});

/** The tones of a second of these voices. */
function heard(listen: () => Promise<Int16Array[]>, wanted: number): Promise<number[]> {
  return settled(
    async () => (await listen()).flatMap((voice) => clearTones(toneLevelsIn(voice, tones), tones)),
    (found) => found.includes(wanted),
  );
}

describe('relay-only', () => {
  it.each(['udp', 'tcp', 'tls'] as const)(
    'by %s: sound flows both ways, and the path is the relay',
    { timeout: 60_000 },
    async (relayProtocol) => {
      const credentials = { widgetKey: 'demo', profile: TONE_PROFILE.name };
      const call = { credentials, frequencyHz: visitor_hz, relayProtocol };
      const visitor = await ToneVisitor.join(browser, gateway.gateway.webUrl, call);
      onTestFinished(() => visitor.close());
      // One after the other: an agent holds its voice back while a visitor begins to speak.
      await visitor.mute(true);
      expect(await heard(() => visitor.listen(), agent_hz)).toEqual([agent_hz]);
      await visitor.mute(false);
      expect(await heard(async () => [await agents.listen()], visitor_hz)).toEqual([visitor_hz]);
      const path = { local: 'relay', relayProtocol };
      expect(await visitor.paths()).toEqual([path, path]);
      await visitor.hangUp();
      expect(await gateway.leftOpen()).toEqual([]);
    },
  );
});

describe('credentials that have expired', () => {
  it('let nobody in, and the visitor is told what to do', { timeout: 60_000 }, async () => {
    const sfu = await startSfu();
    onTestFinished(() => sfu.close());
    const stand = await GatewayStand.start({ sfu });
    onTestFinished(() => stand.close());
    const ice = {
      ...{ stun_urls: [], turn_urls: coturn.urls, turn_secret: coturn.secret, relay_only: true },
      turn_ttl_s: 60,
    };
    stand.joined = iceServersFor('visitor-1', ice, Date.now() - 61_000);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(stand.url);
    await page.getByRole('button', { name: 'Call now' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('We could not get through').waitFor({ timeout: 25_000 });
    expect(await alert.innerText()).toContain('Reload the page and call again');
    expect(coturn.log).toMatch(/401|Unauthorized|Cannot find credentials/);
  });
});
