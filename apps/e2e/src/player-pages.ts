/** Pages of another site with third-party players on them, and a small DASH presentation for those that play nothing else. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from './child-program.ts';

const scripts = {
  '/hls.js': 'hls.js/dist/hls.min.js',
  '/shaka.js': 'shaka-player/dist/shaka-player.compiled.js',
  '/dash.js': 'dashjs/dist/modern/umd/dash.all.min.js',
} as const;

/**
 * What each player is told; all report play states and the time every second. With parts shaka 5.2.12 sometimes stops with an error of
 * its own (it asks for a segment that has no URI yet), and what it reports is what matters here: it plays whole segments.
 */
const starts = {
  hls: `const hls = new Hls({ lowLatencyMode: true, cmcd: { version: 2, eventTargets: [{ url: reports, events: ['ps', 't', 'e'], interval: 1 }] } });
    hls.once(Hls.Events.FRAG_BUFFERED, () => {
      if (hls.subtitleTracks.length > 0) { hls.subtitleDisplay = true; hls.subtitleTrack = 0; } });
    hls.loadSource(source); hls.attachMedia(video); window.leave = () => hls.destroy();`,
  shaka: `const player = new shaka.Player();
    const target = { mode: 'event', enabled: true, url: reports, events: ['ps', 't', 'e'], interval: 1, includeKeys: [], useHeaders: false };
    player.configure({ streaming: { lowLatencyMode: false }, cmcd: { enabled: true, version: 2, useHeaders: false, eventTargets: [target] } });
    player.attach(video).then(() => player.load(source)); window.leave = () => player.destroy();`,
  dash: `const player = dashjs.MediaPlayer().create();
    const enabledKeys = ['e', 'ts', 'sid', 'sta', 'msd', 'br', 'bl', 'mtp', 'sn', 'v']; // without them it sends nothing
    const target = { enabled: true, url: reports, events: ['ps', 't', 'e'], interval: 1, enabledKeys };
    player.updateSettings({ streaming: { cmcd: { enabled: true, version: 2, mode: 'query', eventTargets: [target] } } });
    player.initialize(video, source, true); window.leave = () => player.destroy();`,
} as const;
export type PlayerName = keyof typeof starts;

export interface PlayerPages extends AsyncDisposable {
  /** A page that plays `source` (`dash.mpd` is ours) and reports to `reports`. */
  pageUrl(player: PlayerName, source: string, reports: string): string;
  readonly dashUrl: string;
}

/** Serves the pages on a free port of 127.0.0.1. */
export async function openPlayerPages(): Promise<PlayerPages> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pages-'));
  await using encoder = startProgram('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '20'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-b:v', '300k'],
    ...['-f', 'dash', '-seg_duration', '2', join(folder, 'dash.mpd')],
  ]);
  const { code } = await encoder.ended;
  if (code !== 0) throw new Error(`ffmpeg made no DASH presentation: ${encoder.stderr()}`);
  const modules = new URL('../../../node_modules/', import.meta.url).pathname;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '', 'http://any').pathname;
    const send = (body: string | Buffer, type: string) => response.writeHead(200, { 'content-type': type }).end(body);
    if (path.startsWith('/page/')) return void send(pageOf(path.slice('/page/'.length) as PlayerName), 'text/html');
    const script = Object.entries(scripts).find(([name]) => name === path)?.[1];
    const file = script === undefined ? join(folder, path.replace(/[^\w.-]/g, '')) : join(modules, script);
    const type =
      script !== undefined ? 'text/javascript' : path.endsWith('.mpd') ? 'application/dash+xml' : 'video/mp4';
    readFile(file).then(
      (body) => send(body, type),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    pageUrl: (player, source, reports) =>
      `${origin}/page/${player}?${new URLSearchParams({ source, reports }).toString()}`,
    dashUrl: `${origin}/dash.mpd`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function pageOf(player: PlayerName): string {
  return `<!doctype html><meta charset="utf-8"><title>${player}</title><link rel="icon" href="data:,">
    <video muted autoplay playsinline width="320"></video><script src="/${player}.js"></script>
    <script>const query = new URLSearchParams(location.search), source = query.get('source'), reports = query.get('reports');
    const video = document.querySelector('video'); ${starts[player]}</script>`;
}
