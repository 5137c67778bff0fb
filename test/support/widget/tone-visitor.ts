/** A visitor in a real browser who sounds one tone, and what it hears: a page each, many in one browser. */
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import type { Page } from 'playwright-core';
import type { Browser } from './browser.ts';
import type { Path, ToneCall } from './tone-call.ts';

const script = stripTypeScriptTypes(await readFile(new URL('./page/tone-page.ts', import.meta.url), 'utf8'));

export class ToneVisitor {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the gateway's page and calls; resolves when sound flows. @throws Error with the ending */
  static async join(browser: Browser, site: string, call: ToneCall): Promise<ToneVisitor> {
    const visitor = new ToneVisitor(await browser.newPage());
    await visitor.page.addInitScript(script);
    await visitor.page.goto(site);
    // Browsers let a page sound once somebody has touched it.
    await visitor.page.mouse.click(1, 1);
    await visitor.page.evaluate(`tonePage.call(${JSON.stringify(call)})`);
    await visitor.state('talking');
    return visitor;
  }

  /** Waits for a state of the call. */
  async state(wanted: string, patienceMs = 15_000): Promise<void> {
    const reached = `tonePage.client.state === '${wanted}' || tonePage.client.state === 'ended'`;
    await this.page.waitForFunction(reached, undefined, { timeout: patienceMs, polling: 50 });
    const state = await this.page.evaluate('tonePage.client.state');
    if (state !== wanted) throw new Error(`ended: ${String(await this.page.evaluate('tonePage.ending'))}`);
  }

  /** The next second of every far voice, 8 kHz. */
  async listen(): Promise<Int16Array[]> {
    const voices = await this.page.evaluate<string[]>('tonePage.listen()');
    return voices.map((voice) => {
      const bytes = Buffer.from(voice, 'base64');
      return Int16Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(2 * index));
    });
  }

  /** Resolves when it was told of so many participants, itself included, that they speak. */
  async seesSpeaking(participants: number): Promise<void> {
    const told = `tonePage.spoke.length === ${participants}`;
    await this.page.waitForFunction(told, undefined, { timeout: 10_000, polling: 50 });
  }

  /** What it sends and receives, each codec once. */
  codecs(): Promise<string[]> {
    return this.page.evaluate('tonePage.codecs()');
  }

  /** Of each connection; others after an ICE restart. */
  iceNames(): Promise<string[]> {
    return this.page.evaluate('tonePage.iceNames()');
  }

  /** How sound goes: our own end of the selected candidate pair of each connection. */
  paths(): Promise<Path[]> {
    return this.page.evaluate('tonePage.paths()');
  }

  async mute(muted: boolean): Promise<void> {
    await this.page.evaluate(`tonePage.client.mute(${muted})`);
  }

  async hangUp(): Promise<void> {
    await this.page.evaluate('tonePage.client.hangUp()');
  }

  /** Hangs up, if there is a call. */
  async close(): Promise<void> {
    await this.hangUp();
    await this.page.close();
  }
}
