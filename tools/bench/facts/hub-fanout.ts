/**
 * Fan-out of the hub beside a plain loop over `ws`: as many sockets, the same message, each in a process of its own, one after the
 * other. Delivery is from the append to
 * the log (for the plain loop: from the call) until the client process has read the frame; the clients are on the other core.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { TestPlant } from '../../../apps/hub/src/testing.ts';
import { inRepository } from '../../setup/workspace.mjs';

export interface FanOutFigures {
  readonly sockets: number;
  readonly messagesPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly stallP99Ms: number;
  readonly stallMaxMs: number;
  readonly kilobytesPerSocket: number;
}

export interface HubFanOut {
  readonly hub: FanOutFigures;
  readonly plain: FanOutFigures;
  /** From AudienceCounted in the log until the last client has the count, ms. */
  readonly viewersVisibleMs: number;
}

interface Clients extends Disposable {
  ask(order: object): Promise<Record<string, number>>;
}

/** Broadcasts of a round, and the pause between two: each has to be delivered before the next. */
const rounds = 20;
const pauseMs = 500;

/** `quick`: 1,000 sockets instead of 10,000. */
export async function runHubFanout({ quick }: { readonly quick: boolean }): Promise<HubFanOut> {
  const count = quick ? 1_000 : 10_000; // as many files in each of two processes: where the limit is 20,000, not many more fit
  const plain = sideOfItsOwn('plain', count);
  const hub = sideOfItsOwn('hub', count);
  return { hub: hub.figures, plain: plain.figures, viewersVisibleMs: hub.viewersVisibleMs };
}

export type FanOutSide = 'hub' | 'plain';

interface SideFigures {
  readonly figures: FanOutFigures;
  /** Of a side that counts no viewers: 0. */
  readonly viewersVisibleMs: number;
}

/** Measures one side in this process: memory is what it has taken, nobody else. */
export async function measureSide(side: FanOutSide, count: number): Promise<SideFigures> {
  using clients = openClients();
  if (side === 'hub') return await measureHub(clients, count);
  return { figures: await measurePlain(clients, count), viewersVisibleMs: 0 };
}

function sideOfItsOwn(side: FanOutSide, count: number): SideFigures {
  const script = inRepository('tools', 'bench', 'facts', 'hub-fanout-main.ts');
  const arguments_ = ['--expose-gc', '--import', 'tsx', script, side, `${count}`];
  const done = spawnSync(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`expected figures of ${side}, got exit ${done.status}`);
  return JSON.parse(done.stdout) as SideFigures;
}

function openClients(): Clients {
  const file = inRepository('tools', 'bench', 'facts', 'hub-clients.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const line = await answers.next();
      if (line.done === true) throw new Error('the client process has ended');
      const answer = JSON.parse(line.value) as Record<string, number> & { error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

async function measureHub(clients: Clients, count: number): Promise<SideFigures> {
  await using plant = new TestPlant();
  await plant.define('str_a');
  await plant.broadcast('str_a', 'StreamPublished');
  // The clients answer no pings: whoever is asked for a sign of life meanwhile would be let go, and his frames be missed.
  const settings = {
    HUB_PING_S: '600',
    HUB_MAX_HANDSHAKES_PER_S: '100000',
    HUB_CONFLATE_MS: '500',
    HUB_DRAIN_SPREAD_MS: '0',
  };
  const hub = await plant.openHub({ settings });
  const before = memory();
  await clients.ask({ do: 'open', port: hub.server.port, count, hello: true });
  const figures = await measure(clients, count, before, (mark) => plant.define('str_a', { title: mark }));
  const startedMs = performance.now();
  await plant.count('str_a', 41);
  const conflateMs = 500;
  const written = async () => Number(/messages_out_total (\d+)/.exec(await hub.metrics.metrics())?.[1] ?? 0);
  const base = await written();
  while ((await written()) < base + count && performance.now() - startedMs < 10 * conflateMs) await sleep(5);
  return { figures, viewersVisibleMs: performance.now() - startedMs };
}

/** What everybody writes first: a list of sockets, one text, and `send` in a loop. */
async function measurePlain(clients: Clients, count: number): Promise<FanOutFigures> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, clientTracking: false });
  const sockets = new Set<WebSocket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.send('{}');
  });
  await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const before = memory();
  try {
    const { port } = http.address() as AddressInfo;
    await clients.ask({ do: 'open', port, count, hello: false });
    return await measure(clients, count, before, async (mark) => {
      const text = JSON.stringify(plainMessage(mark));
      for (const socket of sockets) socket.send(text);
    });
  } finally {
    for (const socket of sockets) socket.terminate();
    http.close();
  }
}

/** As long as what the hub says for the same change. */
function plainMessage(title: string): object {
  const stream = { stream_id: 'str_a', playback_id: 'play_a', title, visibility: 'public', state: 'live' };
  const shown = { ...stream, live_since: '1970-01-01T00:00:01.000Z', viewers: 0 };
  const position = { epoch: 'evt_01jd4000000000000000000000', offset: '0.0.0.0.0.0.0.0.1_0.0.0.0.0.0.0.0.1' };
  return { op: 'delta', channel: 'streams', position, changes: [{ kind: 'stream', stream: shown }] };
}

async function measure(
  clients: Clients,
  count: number,
  before: number,
  broadcast: (mark: string) => Promise<void>,
): Promise<FanOutFigures> {
  await sleep(500);
  const kilobytesPerSocket = (memory() - before) / 1024 / count;
  await clients.ask({ do: 'report' });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const startedMs = performance.now();
  for (let round = 0; round < rounds; round++) {
    await broadcast(`sent_at=${Date.now()}`);
    await sleep(pauseMs);
  }
  delay.disable();
  for (
    let waited = 0;
    waited < 30_000 && (await clients.ask({ do: 'count' }))['frames'] !== rounds * count;
    waited += 100
  ) {
    await sleep(100);
  }
  const { frames = 0, closed = 0, p50 = 0, p99 = 0, max = 0 } = await clients.ask({ do: 'report' });
  if (frames !== rounds * count) {
    throw new Error(`expected ${rounds * count} frames, got ${frames}; ${closed} of ${count} sockets were closed`);
  }
  return {
    sockets: count,
    messagesPerS: frames / ((performance.now() - startedMs) / 1000),
    ...{ p50Ms: p50, p99Ms: p99, maxMs: max },
    stallP99Ms: delay.percentile(99) / 1e6,
    stallMaxMs: delay.max / 1e6,
    kilobytesPerSocket,
  };
}

/** Resident bytes without what only waits to be collected. */
function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** Rows for the page of benchmarks. */
export function fanOutRows({ hub, plain, viewersVisibleMs }: HubFanOut): readonly (readonly string[])[] {
  const row = (name: string, of: (figures: FanOutFigures) => number, digits = 0) => [
    ...[name, of(hub).toFixed(digits), of(plain).toFixed(digits)],
    of(plain) > 0 ? (of(hub) / of(plain)).toFixed(2) : '-',
  ];
  return [
    row('sockets', (figures) => figures.sockets),
    row('delivery p50, ms', (figures) => figures.p50Ms),
    row('delivery p99, ms', (figures) => figures.p99Ms),
    row('loop stall p99, ms', (figures) => figures.stallP99Ms, 1),
    row('longest loop stall, ms', (figures) => figures.stallMaxMs, 1),
    row('memory a socket, KB', (figures) => figures.kilobytesPerSocket, 1),
    ['viewer count visible, ms', viewersVisibleMs.toFixed(0), '-', '-'],
  ];
}
