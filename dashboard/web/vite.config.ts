/** Builds the page into dist/dashboard/web: relative paths, hashed names, nothing inline. */
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/dashboard/web',
    emptyOutDir: true,
    target: 'es2022',
    // A strict content policy knows no `data:` addresses and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
