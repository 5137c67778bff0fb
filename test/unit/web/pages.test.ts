/** Which pages are served, when some are built and some are not. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PAGE_POLICY, servePages } from '../../../src/web/pages.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
let server: FastifyInstance;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'assets'));
  mkdirSync(join(folder, 'desk'));
  writeFileSync(join(folder, 'desk', 'index.html'), '<title>Desk</title>');
  writeFileSync(join(folder, 'assets', 'desk.css'), 'body {}');
  server = fastify();
});

afterEach(() => server.close());

const status = async (url: string): Promise<number> => (await server.inject(url)).statusCode;

describe('servePages', () => {
  it('serves what is built, and names what is not', async () => {
    expect(await servePages(server, { folder, pages: ['desk', 'console'] })).toEqual(['console']);
    const page = await server.inject('/desk');
    expect(page.body).toBe('<title>Desk</title>');
    expect(page.headers['content-security-policy']).toBe(PAGE_POLICY);
    expect(await status('/assets/desk.css')).toBe(200);
    expect(await status('/console')).toBe(404);
    expect(await status('/desk/index.html')).toBe(404);
  });

  it('serves nothing where nothing is built', async () => {
    rmSync(join(folder, 'desk'), { recursive: true });
    expect(await servePages(server, { folder, pages: ['desk'] })).toEqual(['desk']);
    expect(await status('/desk')).toBe(404);
    expect(await status('/assets/desk.css')).toBe(404);
  });

  it('lets the microphone to the page itself, and nothing else', async () => {
    await servePages(server, { folder, pages: ['desk'] });
    const { headers } = await server.inject('/desk');
    expect(headers['permissions-policy']).toMatch(/^microphone=\(self\)/);
    expect(headers['permissions-policy']).toMatch(/camera=\(\)/);
    expect(PAGE_POLICY).not.toMatch(/unsafe|\*/);
  });
});
