/** A visitor books an appointment by voice: Chromium on the demo page of a whole gateway. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RELOAD_WITHIN_MS } from '../../src/web/wire.ts';
import { freeTcpPort } from '../support/baresip.ts';
import { shippedProfile, TestGateway } from '../support/gateway.ts';
import { joined, silence } from '../support/sound/level.ts';
import { speak, TELEPHONE_HZ } from '../support/sound/speak.ts';
import { until } from '../support/until.ts';
import { buildForBrowsers } from '../support/web-builds.ts';
import { Browser } from '../support/widget/browser.ts';

/** When each sentence begins, from when the page opens the microphone: the agent has its time between. */
const sentences = [
  { atMs: 7000, words: 'I would like an appointment tomorrow at ten in the morning' },
  { atMs: 18_000, words: 'My name is Emily Wilson' },
  { atMs: 29_000, words: 'yes that is right' },
  { atMs: 41_000, words: 'no thank you' },
];
/** The microphone's file begins again at its end, so it is longer than the call. */
const microphone_ms = 120_000;

async function microphone(): Promise<Int16Array> {
  let sound: Int16Array = new Int16Array(0);
  for (const { atMs, words } of sentences) {
    const waitMs = atMs - (sound.length / TELEPHONE_HZ) * 1000;
    const speech = await speak(words);
    sound = joined(sound, silence(waitMs), speech);
  }
  return joined(sound, silence(microphone_ms - (sound.length / TELEPHONE_HZ) * 1000));
}

describe('a visitor of the demo page', () => {
  let gateway: TestGateway;
  let browser: Browser;

  beforeAll(async () => {
    await buildForBrowsers('widget');
    const port = await freeTcpPort();
    const key = { key: 'demo', tenant: 'default', profiles: ['clinic-receptionist'] };
    gateway = await TestGateway.start({
      profiles: [shippedProfile('clinic-receptionist')],
      numbers: [{ number: '+15550100', profile: 'clinic-receptionist' }],
      trunks: [{ name: 'softphones', allow: ['127.0.0.1/32'] }],
      web: { port, widget_keys: [{ ...key, origins: [`http://127.0.0.1:${port}`] }] },
    });
  });

  afterAll(() => gateway.close());

  afterEach(() => browser.close());

  const state = (wanted: string, patienceMs = 15_000): Promise<void> =>
    browser.page.locator(`trunkline-call[state=${wanted}]`).waitFor({ timeout: patienceMs });

  it('books an appointment by voice, and reads both sides', { timeout: 150_000 }, async () => {
    browser = await Browser.start({ microphone: await microphone() });
    const { page } = browser;
    await page.goto(gateway.gateway.webUrl);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Call now' }).click();
    await state('talking');
    await state('ended', 90_000).catch(async (error: unknown) => {
      throw new Error(await page.getByRole('log').innerText(), { cause: error });
    });
    await page.getByText('Thank you for calling.', { exact: true }).waitFor();

    const log = await page.getByRole('log').innerText();
    expect(log).toMatch(/Agent\s+Thank you for calling Harbour Clinic/);
    expect(log).toMatch(/You\s+.*appointment tomorrow at ten/i);
    // Which name is heard depends on the recogniser; booked must be the one that was read back and agreed to.
    const [, name] = /for (\w+ \w+)\. Is that right/.exec(log) ?? [];
    expect(log).toMatch(/You\s+my name is/i);
    expect(log).toMatch(/book appointment: done/);
    const answer = await fetch(new URL('/v1/appointments', gateway.operatorUrl));
    const { appointments } = (await answer.json()) as { appointments: unknown[] };
    expect(appointments).toMatchObject([{ name, time: '10:00' }]);
    expect(browser.complaints).toEqual([]);
    expect(await gateway.leftOpen()).toEqual([]);
  });

  it('hears and reads the greeting, and hangs up', { timeout: 60_000 }, async () => {
    browser = await Browser.start({ microphone: silence(microphone_ms) });
    const { page } = browser;
    await page.goto(gateway.gateway.webUrl);
    await page.getByRole('button', { name: 'Call now' }).click();
    let loudest = 0;
    let asking = false;
    await until(
      'the voice is heard',
      () => {
        if (!asking) {
          asking = true;
          void page
            .evaluate<number>("document.querySelector('trunkline-call').client.levels().others")
            .then((level) => {
              loudest = Math.max(loudest, level);
              asking = false;
            });
        }
        return loudest > 0.3;
      },
      15_000,
    );
    await page.getByRole('log').getByText('Thank you for calling Harbour Clinic').waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByText('You hung up.').waitFor();
    expect(await gateway.leftOpen()).toEqual([]);
    expect((await gateway.calls())[0]?.ending).toMatchObject({ slug: 'visitor-left' });
  });

  it('leaves nothing behind by closing the page', { timeout: 60_000 }, async () => {
    browser = await Browser.start({ microphone: silence(microphone_ms) });
    const { page } = browser;
    await page.goto(gateway.gateway.webUrl);
    await page.getByRole('button', { name: 'Call now' }).click();
    await state('talking');
    await page.goto('about:blank');
    // It might be back within RELOAD_WITHIN_MS.
    expect(await gateway.leftOpen(RELOAD_WITHIN_MS + 10_000)).toEqual([]);
    expect((await gateway.calls())[0]?.ending).toMatchObject({ slug: 'visitor-left' });
  });
});
