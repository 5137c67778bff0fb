/** Debian's Chromium, headless, with a microphone that plays a file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { resample } from '../sound/resample.ts';
import { TELEPHONE_HZ } from '../sound/speak.ts';
import { writeWav } from '../sound/wav.ts';

export const chromium_path = '/usr/bin/chromium';
const microphone_hz = 48_000;
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserOptions {
  /** What the microphone hears, 8 kHz, over and over; null: there is no microphone; absent: beeps. */
  readonly microphone?: Int16Array | null;
  /** What the visitor answers when asked for the microphone. */
  readonly allowsMicrophone?: boolean;
  readonly prefersDark?: boolean;
  readonly viewport?: { width: number; height: number };
  /** SHA-256 of a public key, base64: a certificate with it is good, whoever signed it. */
  readonly trustedKeyDigest?: string;
  /** An origin that counts as secure without https: browsers give the microphone to such pages only. */
  readonly secureOrigin?: string;
  /** What to run in place of Chromium itself: it must end in Chromium with the same arguments. */
  readonly program?: string;
}

/** One visitor with a browser and a profile folder of their own. */
export class Browser {
  readonly page: Page;
  /** Everything that the page's console complains of. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;
  readonly #folder: string;

  private constructor(context: BrowserContext, page: Page, folder: string) {
    this.#context = context;
    this.page = page;
    this.#folder = folder;
    this.#listenTo(page);
  }

  /** One more page in the same browser. */
  async newPage(): Promise<Page> {
    const page = await this.#context.newPage();
    this.#listenTo(page);
    return page;
  }

  #listenTo(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async start(options: BrowserOptions = {}): Promise<Browser> {
    const { microphone, allowsMicrophone = true, prefersDark = false, viewport } = options;
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-browser-'));
    const args = [...flags];
    if (microphone !== null) args.push('--use-fake-device-for-media-stream');
    if (allowsMicrophone) args.push('--use-fake-ui-for-media-stream');
    if (options.trustedKeyDigest !== undefined)
      args.push(`--ignore-certificate-errors-spki-list=${options.trustedKeyDigest}`);
    if (options.secureOrigin !== undefined)
      args.push(`--unsafely-treat-insecure-origin-as-secure=${options.secureOrigin}`);
    if (microphone) {
      const file = join(folder, 'microphone.wav');
      const samples = resample(microphone, TELEPHONE_HZ, microphone_hz);
      await writeWav(file, { sampleRateHz: microphone_hz, channels: [samples] });
      args.push(`--use-file-for-fake-audio-capture=${file}`);
    }
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: options.program ?? chromium_path,
      args,
      colorScheme: prefersDark ? 'dark' : 'light',
      viewport: viewport ?? { width: 1280, height: 900 },
    });
    const page = context.pages()[0] ?? (await context.newPage());
    return new Browser(context, page, folder);
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
