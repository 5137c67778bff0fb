/** What browsers load, made of the present sources as `npm start` makes it. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ensureWebBuild, WEB_BUILDS } from '../../scripts/setup/web-pages.mjs';
import { ROOT } from '../tidy/files.ts';

export async function buildForBrowsers(...names: (keyof typeof WEB_BUILDS)[]): Promise<void> {
  const place = { root: ROOT, cacheFolder: join(homedir(), '.cache'), progress: () => undefined };
  for (const name of names) await ensureWebBuild(place, WEB_BUILDS[name]);
}
