/** Builds the pages of human agents and operators: one folder of hashed files, one HTML file per page. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  publicDir: false,
  logLevel: 'warn',
  plugins: [react()],
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    // Nothing inline: the pages' Content-Security-Policy lets in what comes from the gateway alone.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // A page is a folder with an index.html; src/web/pages.ts serves it under the folder's name.
      input: { desk: here('desk/index.html'), console: here('console/index.html') },
    },
  },
});
