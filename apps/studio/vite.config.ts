import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The API and the media come from a standalone process beside the development server. */
const backend = process.env['STUDIO_BACKEND'] ?? 'http://127.0.0.1:8080';

/**
 * What the built page may load: its own scripts and styles, media from blobs (MediaSource) and data (hls.js's empty text tracks), pictures from blobs (those that need a token) and from wherever the API says
 * it is (a CDN), nothing else. Not in development, where Vite's hot reload needs inline scripts.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: data: http: https:",
  "connect-src 'self' http: https:",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

const cspMeta: Plugin = {
  name: 'csp-meta',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
      injectTo: 'head-prepend',
    },
  ],
};

/** The player's code is most of the watch page: it is fetched beside the first script, not after that has run. */
const preloadPlayer: Plugin = {
  name: 'preload-player',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler: (_, { bundle = {} }) => {
      const importsOf = (file: string) => {
        const output = bundle[file];
        return output?.type === 'chunk' ? output.imports : [];
      };
      const files = new Set(Object.keys(bundle).filter((file) => /\/hls-playback-[^/]+\.js$/.test(file)));
      // What it shares with the player of videos, hls.js above all, lies beside it.
      for (const file of files) for (const imported of importsOf(file)) files.add(imported);
      return [...files]
        .filter((file) => bundle[file]?.type === 'chunk' && !bundle[file].isEntry)
        .map((file) => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
          injectTo: 'head' as const,
        }));
    },
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), cspMeta, preloadPlayer],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    port: 5173,
    proxy: {
      '/api': backend,
      '/live': backend,
      '/vod': backend,
      '/docs': backend,
      '/ws': { target: backend, ws: true },
    },
  },
});
