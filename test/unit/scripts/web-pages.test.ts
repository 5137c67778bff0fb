import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SetupError } from '../../../scripts/setup/command.mjs';
import { digestOf, ensureWebBuild, WEB_BUILDS } from '../../../scripts/setup/web-pages.mjs';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ROOT } from '../../tidy/files.ts';

/** What a visitor's browser may have to fetch, compressed. */
const WIDGET_BYTES_MAX = 150_000;
/** All pages of human agents and operators together, compressed. */
const CONSOLE_BYTES_MAX = 400_000;

const PACKAGES = [
  ...['node', 'vite', 'mediasoup-client', 'socket.io-client', 'zod'],
  ...['react', 'react-dom', '@vitejs/plugin-react', '@tanstack'],
];

/** A checkout with everything that the build reads, and node_modules of its own to leave marks in. */
function checkout(): { root: string; cacheFolder: string; progress: (text: string) => void; told: string[] } {
  const root = temporaryFolder();
  for (const path of [
    'widget',
    'console',
    'src/web/wire.ts',
    'src/web/desk-wire.ts',
    'package-lock.json',
    'package.json',
    'tsconfig.json',
  ])
    cpSync(join(ROOT, path), join(root, path), {
      recursive: true,
      filter: (source) => !source.endsWith('dist'),
    });
  mkdirSync(join(root, 'node_modules'));
  mkdirSync(join(root, 'node_modules', '@vitejs'));
  for (const name of PACKAGES)
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  const told: string[] = [];
  return { root, cacheFolder: temporaryFolder(), progress: (text) => told.push(text), told };
}

describe('ensureWebBuild', { timeout: 60_000 }, () => {
  it('makes one small script and the page beside it, when there is something new to make it of', async () => {
    const { told, ...place } = checkout();
    const output = (name: string): string => join(place.root, 'widget', 'dist', name);
    expect(await ensureWebBuild(place, WEB_BUILDS.widget)).toBe('built');
    expect(told).toEqual(['building the widget']);
    const script = readFileSync(output('widget.js'), 'utf8');
    expect(script).not.toMatch(/\bimport\s*["'{*(]/);
    expect(gzipSync(script).length).toBeLessThan(WIDGET_BYTES_MAX);
    expect(readFileSync(output('index.html'), 'utf8')).toContain('<trunkline-call');
    expect(existsSync(output('demo.css'))).toBe(true);

    expect(await ensureWebBuild(place, WEB_BUILDS.widget)).toBe('up to date');
    expect(told).toHaveLength(1);

    rmSync(join(place.root, 'widget', 'dist'), { recursive: true });
    expect(await ensureWebBuild(place, WEB_BUILDS.widget)).toBe('built');

    appendFileSync(join(place.root, 'widget', 'widget.ts'), 'import "./nowhere.ts";\n');
    const built = ensureWebBuild(place, WEB_BUILDS.widget);
    await expect(built).rejects.toThrow(SetupError);
    await expect(built).rejects.toThrow(/The widget cannot be built[^]*nowhere/);
  });

  it('makes the pages of human agents, with nothing inline that their policy forbids', async () => {
    const { told, ...place } = checkout();
    const output = join(place.root, 'console', 'dist');
    expect(await ensureWebBuild(place, WEB_BUILDS.console)).toBe('built');
    expect(told).toEqual(['building the console']);
    const page = readFileSync(join(output, 'desk', 'index.html'), 'utf8');
    expect(page).toMatch(/<script [^>]*src="\/assets\/[^"]+\.js"><\/script>/);
    expect(page).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
    const scripts = readdirSync(join(output, 'assets')).filter((name) => name.endsWith('.js'));
    const bytes = scripts.map((name) => gzipSync(readFileSync(join(output, 'assets', name))).length);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(CONSOLE_BYTES_MAX);

    expect(await ensureWebBuild(place, WEB_BUILDS.console)).toBe('up to date');
    appendFileSync(join(place.root, 'widget', 'client', 'emitter.ts'), '\n');
    expect(await ensureWebBuild(place, WEB_BUILDS.console)).toBe('built');
  });
});

describe('digestOf', () => {
  it('changes with every input, and with nothing else', () => {
    const { root } = checkout();
    const digests = [digestOf(root, WEB_BUILDS.widget)];
    for (const path of ['widget/element/words.ts', 'widget/public/demo.css', 'src/web/wire.ts']) {
      appendFileSync(join(root, path), '\n');
      digests.push(digestOf(root, WEB_BUILDS.widget));
    }
    writeFileSync(join(root, 'widget', 'public', 'new.txt'), '');
    digests.push(digestOf(root, WEB_BUILDS.widget));
    expect(new Set(digests).size).toBe(5);
    mkdirSync(join(root, 'widget', 'dist'));
    writeFileSync(join(root, 'widget', 'dist', 'widget.js'), 'output');
    expect(digestOf(root, WEB_BUILDS.widget)).toBe(digests.at(-1));
  });
});
