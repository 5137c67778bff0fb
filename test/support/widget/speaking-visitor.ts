/** A visitor of the demo page in Chromium who speaks when it is their turn. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { Browser } from './browser.ts';

const script = stripTypeScriptTypes(
  readFileSync(new URL('./page/speaking-page.ts', import.meta.url), 'utf8'),
).replace(/^export /m, '');

export class SpeakingVisitor {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<SpeakingVisitor> {
    const browser = await Browser.start();
    await browser.page.addInitScript({ content: script });
    return new SpeakingVisitor(browser);
  }

  /** Opens the demo page and presses its button; resolves when sound flows. */
  async call(site: string, { profile }: { profile: string }): Promise<void> {
    const { page } = this.#browser;
    await page.goto(site);
    await page.evaluate(`document.querySelector('trunkline-call').setAttribute('profile', '${profile}')`);
    await page.getByRole('button', { name: 'Call now' }).click();
    await page.locator('trunkline-call[state=talking]').waitFor({ timeout: 20_000 });
  }

  /** Everything that the page's console complains of. */
  get complaints(): readonly string[] {
    return this.#browser.complaints;
  }

  async say(samples: Int16Array): Promise<void> {
    const sound = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64');
    await this.#browser.page.evaluate(`speakingPage.say('${sound}')`);
  }

  /** The captions of both sides, once the page says that the call is over. */
  async captions(): Promise<string> {
    const { page } = this.#browser;
    await page.locator('trunkline-call[state=ended]').waitFor({ timeout: 20_000 });
    return page.getByRole('log').innerText();
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
