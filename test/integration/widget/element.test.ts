/** `<trunkline-call>` in a real browser: what a visitor sees, hears, presses and is told, in every state. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Sfu } from '../../../src/media/sfu.ts';
import { startSfu } from '../../support/sfu.ts';
import { until } from '../../support/until.ts';
import { buildForBrowsers } from '../../support/web-builds.ts';
import { Browser, type BrowserOptions } from '../../support/widget/browser.ts';
import { GatewayStand } from '../../support/widget/gateway-stand.ts';

let sfu: Sfu;
let browser: Browser;
let stand: GatewayStand;

beforeAll(async () => {
  await buildForBrowsers('widget');
  [sfu, browser] = await Promise.all([startSfu(), Browser.start()]);
});

afterAll(() => Promise.all([sfu.close(), browser.close()]));

beforeEach(async () => {
  stand = await GatewayStand.start({ sfu });
  browser.complaints.length = 0;
  await browser.page.goto(stand.url);
});

afterEach(() => stand.close());

const button = (name: string, on = browser): Locator => on.page.getByRole('button', { name });
const state = (wanted: string, on = browser): Promise<void> =>
  on.page.locator(`trunkline-call[state=${wanted}]`).waitFor({ timeout: 15_000 });
const text = (words: string, on = browser): Promise<void> => on.page.getByText(words).first().waitFor();
/** The text of the element that has the focus, through shadow roots. */
const focused = (on = browser): Promise<string> =>
  on.page.evaluate("document.activeElement?.shadowRoot?.activeElement?.textContent?.trim() ?? ''");
const levels = (): Promise<{ microphone: number; others: number }> =>
  browser.page.evaluate("document.querySelector('trunkline-call').client.levels()");

/** Another visitor, who is gone after the test. */
async function visitor(options: BrowserOptions): Promise<Browser> {
  const other = await Browser.start(options);
  onTestFinished(() => other.close());
  await other.page.goto(stand.url);
  return other;
}

async function talk(): Promise<void> {
  await button('Call now').click();
  await state('talking');
}

describe('a call', () => {
  it('goes from the button to sound both ways, and back', async () => {
    await text('Ready when you are');
    await talk();
    await text('You are talking');
    let [mine, theirs] = [0, 0];
    let asking = false;
    // The fake microphone beeps once a second, and the stand echoes it.
    await until('sound both ways', () => {
      if (!asking) {
        asking = true;
        void levels().then(({ microphone, others }) => {
          [mine, theirs] = [Math.max(mine, microphone), Math.max(theirs, others)];
          asking = false;
        });
      }
      return mine > 0.2 && theirs > 0.2;
    });
    await button('Hang up').click();
    await text('You hung up. Thank you for calling.');
    await until('the gateway knows', () => stand.sockets === 0);
    expect(stand.names()).toContain('leave');
    expect(browser.complaints).toEqual([]);
  });

  it('sends mono Opus with forward error correction and without pauses', async () => {
    await talk();
    expect(stand.sendingParameters()[0]?.codecs).toMatchObject([
      { mimeType: 'audio/opus', parameters: { useinbandfec: 1, usedtx: 1, 'sprop-stereo': 0 } },
    ]);
  });

  it('sends PCMU into a room that holds a phone', async () => {
    stand.joined = { codec: 'pcmu' };
    await talk();
    expect(stand.sendingParameters()[0]?.codecs).toMatchObject([
      { mimeType: 'audio/PCMU', payloadType: 0, clockRate: 8000 },
    ]);
  });

  it('shows where it stands while it is built', async () => {
    stand.unanswered.add('produce');
    await button('Call now').click();
    await text('Connecting…');
  });

  it('ends when the agent hangs up, and can be made again', async () => {
    await talk();
    stand.tell('ending', { slug: 'agent-hung-up', text: 'The agent finished the call' });
    await text('Call ended');
    await text('Thank you for calling.');
    await button('Call again').click();
    await state('talking');
  });

  it('is left when the page is', async () => {
    await talk();
    await browser.page.goto('about:blank');
    await until('the gateway knows', () => stand.sockets === 0);
    expect(stand.names()).toContain('page.gone');
  });

  it('goes on, with its captions, when the page is loaded anew', async () => {
    await talk();
    const said = { who: 'agent', text: 'May I have your name?', final: true, utteranceId: 'u' } as const;
    stand.tell('caption', said);
    await text(said.text);
    await browser.page.reload();
    await state('talking');
    await text(said.text);
    expect(stand.asked.filter(({ name }) => name === 'join').map(({ ask }) => ask)).toEqual([
      { widgetKey: 'demo', profile: 'clinic-receptionist' },
      { resumeToken: 'resume-1' },
    ]);
    expect(stand.names()).not.toContain('leave');
    await button('Hang up').click();
    await text('You hung up.');
    await browser.page.reload();
    await text('Ready when you are');
  });

  it('does not go on when the gateway waits no longer', async () => {
    await talk();
    stand.refusals.set('join', 'WEB_RESUME_TOO_LATE');
    await browser.page.reload();
    await text('The connection was lost');
  });

  it('is left when the element is taken out of the page', async () => {
    await talk();
    await browser.page.evaluate("document.querySelector('trunkline-call').remove()");
    await until('the gateway knows', () => stand.sockets === 0);
    expect(stand.names()).toContain('leave');
  });
});

describe('captions', () => {
  const say = (who: 'agent' | 'visitor', words: string, final = true): void =>
    stand.tell('caption', { who, text: words, final, utteranceId: words });

  it('show both sides, read out when they are finished', async () => {
    await talk();
    const log = browser.page.getByRole('log');
    say('visitor', 'I would like', false);
    await text('I would like');
    expect(await log.getByRole('listitem').count()).toBe(0);
    say('visitor', 'I would like an appointment');
    say('agent', 'May I have your name?');
    await text('May I have your name?');
    expect(await log.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(/^You\s+I would like an appointment$/),
      expect.stringMatching(/^Agent\s+May I have your name\?$/),
    ]);
    expect(await log.getAttribute('aria-live')).toBe('polite');
    expect(await browser.page.getByText('I would like', { exact: true }).count()).toBe(0);
  });

  it('show what the agent does', async () => {
    await talk();
    stand.tell('tool', { name: 'book_appointment', state: 'started' });
    await text('book appointment…');
    stand.tell('tool', { name: 'book_appointment', state: 'done' });
    await text('book appointment: done');
    expect(await browser.page.getByRole('log').getByRole('listitem').count()).toBe(1);
  });

  it('are text, whatever is said', async () => {
    await talk();
    say('agent', '<img src=x onerror=alert(1)>');
    await text('<img src=x onerror=alert(1)>');
    expect(await browser.page.locator('trunkline-call img').count()).toBe(0);
  });

  it('stay after the call, and go with the next one', async () => {
    await talk();
    say('agent', 'Goodbye.');
    await text('Goodbye.');
    await button('Hang up').click();
    await text('Goodbye.');
    await button('Call again').click();
    await state('talking');
    expect(await browser.page.getByText('Goodbye.').count()).toBe(0);
  });

  it('keep no more lines than fit in a page', async () => {
    await talk();
    for (let line = 1; line <= 230; line += 1) say('agent', `line ${line}.`);
    await text('line 230.');
    expect(await browser.page.getByRole('log').getByRole('listitem').count()).toBe(200);
  });
});

describe('what is in the way', () => {
  it('is explained when the microphone is denied', async () => {
    const other = await visitor({ allowsMicrophone: false });
    await button('Call now', other).click();
    const alert = other.page.getByRole('alert');
    await alert.getByText('The microphone is blocked').waitFor();
    expect(await alert.innerText()).toContain('allow the microphone, and call again');
    await text('The call could not start', other);
    expect(stand.names()).toEqual([]);
  });

  it('is explained when there is no microphone', async () => {
    const other = await visitor({ microphone: null });
    await button('Call now', other).click();
    await text('No microphone found', other);
  });

  it('is explained when the gateway refuses', async () => {
    stand.refusals.set('join', 'WEB_KEY_INVALID');
    await button('Call now').click();
    await text('The call was not taken');
    await text('Refused: WEB_KEY_INVALID.');
  });

  it('is explained when all lines are busy', async () => {
    stand.refusals.set('join', 'WEB_FULL');
    await button('Call now').click();
    await text('All lines are busy');
  });

  it('is explained when the gateway is away', async () => {
    await stand.close();
    await button('Call now').click();
    await text('We cannot be reached');
  });

  it('is overcome when the network breaks: the same participant, the same sound', async () => {
    await talk();
    stand.unanswered.add('join');
    stand.breakConnections();
    await text('Connection lost. Reconnecting…');
    stand.unanswered.clear();
    stand.breakConnections();
    await state('talking');
    expect(stand.asked.findLast(({ name }) => name === 'join')?.ask).toEqual({ resumeToken: 'resume-1' });
    expect(stand.names().filter((name) => name === 'transport.restartIce')).toHaveLength(2);
    expect(stand.names().filter((name) => name === 'produce')).toHaveLength(1);
  });

  it('is overcome when a worker dies: everything is built again', async () => {
    await talk();
    await until('heard', () => stand.names().includes('consumer.resume'));
    await stand.moveRoom();
    await state('talking');
    await until('sound again', () => stand.names().filter((name) => name === 'produce').length === 2);
    await until('heard again', () => stand.names().filter((name) => name === 'consumer.resume').length === 2);
    expect(browser.complaints).toEqual([]);
  });
});

describe('the controls', () => {
  it('can be used by keyboard alone, and the focus follows', async () => {
    const { keyboard } = browser.page;
    await button('Call now').focus();
    await keyboard.press('Enter');
    await state('talking');
    expect(await focused()).toBe('Hang up');
    await keyboard.press('Shift+Tab');
    expect(await focused()).toBe('Mute');
    await keyboard.press('Space');
    await until('muted', () => stand.producersPaused()[0] === true);
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await text('Call ended');
    expect(await focused()).toBe('Call again');
  });

  it('say whether the microphone is muted', async () => {
    await talk();
    const mute = button('Mute');
    expect(await mute.getAttribute('aria-pressed')).toBe('false');
    await mute.click();
    await until('muted', () => stand.producersPaused()[0] === true);
    expect(await mute.getAttribute('aria-pressed')).toBe('true');
    await text('Your microphone is off. Nobody hears you.');
    expect((await levels()).microphone).toBe(0);
    await mute.click();
    await until('open', () => stand.producersPaused()[0] === false);
    expect(await browser.page.getByText('Your microphone is off.').count()).toBe(0);
  });

  it('begin the next call with an open microphone', async () => {
    await talk();
    await button('Mute').click();
    await button('Hang up').click();
    await button('Call again').click();
    await state('talking');
    expect(await button('Mute').getAttribute('aria-pressed')).toBe('false');
  });

  it('offer the microphones there are, by name', async () => {
    await talk();
    const choice = browser.page.getByRole('combobox');
    await choice.waitFor();
    const options = choice.locator('option');
    await expect.poll(() => options.count()).toBeGreaterThan(1);
    const last = (await options.last().getAttribute('value')) ?? '';
    await choice.selectOption(last);
    await expect.poll(() => choice.inputValue()).toBe(last);
    await state('talking');
    expect(stand.names().filter((name) => name === 'produce')).toHaveLength(1);
  });

  it('are named for screen readers, and the state is a status', async () => {
    expect(await browser.page.getByRole('status').innerText()).toBe('Ready when you are');
    expect(await browser.page.getByRole('region', { name: 'Harbour Clinic reception' }).count()).toBe(1);
    await talk();
    expect(await browser.page.getByRole('status').innerText()).toBe('You are talking');
    expect(await browser.page.getByRole('meter').getAttribute('aria-label')).toBe('Your microphone’s level');
  });
});

describe('the element', () => {
  const style = (property: string, on: Browser): Promise<string> => {
    const button = 'document.querySelector("trunkline-call").shadowRoot.getElementById("call")';
    return on.page.evaluate(`getComputedStyle(${button}).${property}`);
  };

  it('works on another site by one script tag', async () => {
    const page = `<!doctype html><script src="${stand.url}/widget.js" type="module"></script>
      <trunkline-call widget-key="demo" profile="clinic-receptionist"></trunkline-call>`;
    const site = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page));
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    onTestFinished(() => void site.close());
    await browser.page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    await talk();
    expect(stand.asked[0]?.ask).toEqual({ widgetKey: 'demo', profile: 'clinic-receptionist' });
  });

  it('takes a token instead of a key, and a heading', async () => {
    await browser.page.evaluate(`(() => {
      const element = document.querySelector('trunkline-call');
      element.setAttribute('token', 'signed');
      element.setAttribute('heading', 'Ask us anything');
    })()`);
    await text('Ask us anything');
    await talk();
    expect(stand.asked[0]?.ask).toEqual({ token: 'signed' });
  });

  it('takes its colours from variables of the page', async () => {
    await browser.page.addStyleTag({ content: 'trunkline-call { --trunkline-accent: rgb(1, 2, 3) }' });
    expect(await style('backgroundColor', browser)).toBe('rgb(1, 2, 3)');
  });

  it('is dark where the visitor prefers that', async () => {
    const other = await visitor({ prefersDark: true });
    expect(await style('color', other)).not.toBe(await style('color', browser));
  });

  it('does not move where the visitor wants no motion', async () => {
    await browser.page.emulateMedia({ reducedMotion: 'reduce' });
    stand.unanswered.add('produce');
    await button('Call now').click();
    await text('Connecting…');
    const animations = 'document.querySelector("trunkline-call").shadowRoot.getAnimations().length';
    expect(await browser.page.evaluate(animations)).toBe(0);
    await browser.page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(await browser.page.evaluate(animations)).toBeGreaterThan(0);
  });

  it('tells the page around it what happens', async () => {
    await browser.page.evaluate(`(() => {
      window.told = [];
      const element = document.querySelector('trunkline-call');
      element.addEventListener('trunkline-state', ({ detail }) => told.push(detail.state));
      element.addEventListener('trunkline-caption', ({ detail }) => told.push(detail.text));
    })()`);
    await talk();
    stand.tell('caption', { who: 'agent', text: 'Hello.', final: true, utteranceId: 'u' });
    await text('Hello.');
    expect(await browser.page.evaluate('told')).toEqual([
      'asking-microphone',
      'connecting',
      'talking',
      'Hello.',
    ]);
  });
});
