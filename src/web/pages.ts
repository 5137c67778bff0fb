/** Serves pages that the console's build made (console/dist): one HTML file each, and their hashed files. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Everything comes from the gateway itself; nobody may frame the page, and no form leaves it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const asset_age_ms = 365 * 24 * 3_600_000;

export interface PagesOptions {
  /** console/dist */
  readonly folder: string;
  /** Folders in it that hold an index.html; `desk` is served at /desk. */
  readonly pages: readonly string[];
}

/** Returns the pages that are not built, and so not served. */
export async function servePages(server: FastifyInstance, options: PagesOptions): Promise<string[]> {
  const { folder, pages } = options;
  const built = pages.filter((page) => existsSync(join(folder, page, 'index.html')));
  if (built.length > 0)
    await server.register(fastifyStatic, {
      root: join(folder, 'assets'),
      prefix: '/assets/',
      decorateReply: false,
      index: false,
      // Their names change with their content.
      immutable: true,
      maxAge: asset_age_ms,
    });
  for (const page of built) {
    const html = readFileSync(join(folder, page, 'index.html'), 'utf8');
    server.get(`/${page}`, (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', PAGE_POLICY)
        .header('cache-control', 'no-cache')
        .header('referrer-policy', 'no-referrer')
        .header('permissions-policy', 'microphone=(self), camera=(), geolocation=()')
        .send(html),
    );
  }
  return pages.filter((page) => !built.includes(page));
}
