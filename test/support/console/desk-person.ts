/** Somebody at /desk in Chromium: speaks one tone for ever, and can tell which tones it hears. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { Page } from 'playwright-core';
import { Browser } from '../widget/browser.ts';

/** Louder than this in the spectrum is heard, in dB of an analyser that hears a full sine at about -8. */
const heard_db = -50;

/** page/instrument.ts as a plain script. */
function instrument(speaksHz: number): string {
  const source = readFileSync(new URL('./page/instrument.ts', import.meta.url), 'utf8');
  const script = stripTypeScriptTypes(source).replace('export {};', '');
  return `{ const frequencyHz = ${speaksHz};\n${script}\n}`;
}

export class DeskPerson {
  readonly page: Page;
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
    this.page = browser.page;
  }

  static async start(options: { speaksHz: number; prefersDark?: boolean }): Promise<DeskPerson> {
    const { speaksHz, prefersDark = false } = options;
    const browser = await Browser.start({ prefersDark });
    await browser.page.addInitScript({ content: instrument(speaksHz) });
    return new DeskPerson(browser);
  }

  get complaints(): readonly string[] {
    return this.#browser.complaints;
  }

  /** Signs in with the key of the configuration, by keyboard alone. */
  async signIn(
    url: string,
    who: { name: string; key: string; role?: 'human agent' | 'supervisor' },
  ): Promise<void> {
    const { page } = this;
    await page.goto(new URL('/desk', url).href);
    await page.getByLabel('Your name').fill(who.name);
    await page.getByLabel('Desk key or token').fill(who.key);
    await page.getByLabel(who.role ?? 'human agent').check();
    await page.keyboard.press('Enter');
    await page.getByText(who.name, { exact: false }).first().waitFor();
  }

  press(name: string | RegExp): Promise<void> {
    return this.page.getByRole('button', { name }).click();
  }

  /** Which of these tones it hears at this moment. */
  async hears(frequenciesHz: readonly number[]): Promise<number[]> {
    const levels: number[] = await this.page.evaluate(`measure(${JSON.stringify(frequenciesHz)})`);
    return frequenciesHz.filter((_, at) => (levels[at] ?? -Infinity) > heard_db);
  }

  /** For looking at, when SCREENSHOTS names a folder. */
  async look(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await this.page.screenshot({ path: `${folder}/${name}.png` });
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
