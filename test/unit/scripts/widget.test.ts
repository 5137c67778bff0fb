import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SetupError } from '../../../scripts/setup/command.mjs';
import { ensureWidget, widgetDigest } from '../../../scripts/setup/widget.mjs';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ROOT } from '../../tidy/files.ts';

/** What a visitor's browser may have to fetch, compressed. */
const WIDGET_BYTES_MAX = 150_000;

/** A checkout with everything that the build reads, and node_modules of its own to leave marks in. */
function checkout(): { root: string; cacheFolder: string; progress: (text: string) => void; told: string[] } {
  const root = temporaryFolder();
  for (const path of ['widget', 'src/web/wire.ts', 'package-lock.json', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, path), join(root, path), {
      recursive: true,
      filter: (source) => !source.endsWith('dist'),
    });
  mkdirSync(join(root, 'node_modules'));
  for (const name of ['node', 'vite', 'mediasoup-client', 'socket.io-client', 'zod'])
    symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name));
  const told: string[] = [];
  return { root, cacheFolder: temporaryFolder(), progress: (text) => told.push(text), told };
}

describe('ensureWidget', { timeout: 60_000 }, () => {
  it('makes one small script and the page beside it, when there is something new to make it of', async () => {
    const { told, ...place } = checkout();
    const output = (name: string): string => join(place.root, 'widget', 'dist', name);
    expect(await ensureWidget(place)).toBe('built');
    expect(told).toEqual(['building the widget']);
    const script = readFileSync(output('widget.js'), 'utf8');
    expect(script).not.toMatch(/\bimport\s*["'{*(]/);
    expect(gzipSync(script).length).toBeLessThan(WIDGET_BYTES_MAX);
    expect(readFileSync(output('index.html'), 'utf8')).toContain('<trunkline-call');
    expect(existsSync(output('demo.css'))).toBe(true);

    expect(await ensureWidget(place)).toBe('up to date');
    expect(told).toHaveLength(1);

    rmSync(join(place.root, 'widget', 'dist'), { recursive: true });
    expect(await ensureWidget(place)).toBe('built');

    appendFileSync(join(place.root, 'widget', 'widget.ts'), 'import "./nowhere.ts";\n');
    const built = ensureWidget(place);
    await expect(built).rejects.toThrow(SetupError);
    await expect(built).rejects.toThrow(/The widget cannot be built[^]*nowhere/);
  });
});

describe('widgetDigest', () => {
  it('changes with every input, and with nothing else', () => {
    const { root } = checkout();
    const digests = [widgetDigest(root)];
    for (const path of ['widget/element/words.ts', 'widget/public/demo.css', 'src/web/wire.ts']) {
      appendFileSync(join(root, path), '\n');
      digests.push(widgetDigest(root));
    }
    writeFileSync(join(root, 'widget', 'public', 'new.txt'), '');
    digests.push(widgetDigest(root));
    expect(new Set(digests).size).toBe(5);
    mkdirSync(join(root, 'widget', 'dist'));
    writeFileSync(join(root, 'widget', 'dist', 'widget.js'), 'output');
    expect(widgetDigest(root)).toBe(digests.at(-1));
  });
});
