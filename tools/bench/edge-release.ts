/**
 * What an edge adds: from the write of a part at the origin to the answer of N viewers that wait for it, at the origin and through
 * an edge, and how many requests the origin sees. Origin, edge and viewers share this process's event loop, so the
 * figures are upper bounds. `npx tsx tools/bench/edge-release.ts [viewers=200] [parts=50]`
 */
import { connect, type Socket } from 'node:net';
import { systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { deliverySettings } from '@millrace/delivery/config';
import { createDeliveryService } from '@millrace/delivery/service';
import { record } from '@millrace/eventlog';
import { openMemoryEventLog, openMemoryFactWriter } from '@millrace/eventlog/testing';
import { streamsTopic } from '@millrace/events';
import type { RenditionSpec } from '@millrace/handover';
import { openHttpServer } from '@millrace/http';
import { type Epoch, newId, systemIdSource } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { openMemoryStore } from '@millrace/media-store/testing';
import { openMetricsRegistry } from '@millrace/metrics';
import { expectOk } from '@millrace/result';

const viewers = Number(process.argv[2] ?? 200);
const rounds = Number(process.argv[3] ?? 50);
const partsPerSegment = 10;
const serviceToken = 'a-service-token-of-a-benchmark';
const eventLog = openMemoryEventLog();
const registries = {
  origin: openMetricsRegistry({ processMetrics: false }),
  edge: openMetricsRegistry({ processMetrics: false }),
};
const shared = (instanceId: 'origin' | 'edge') => ({
  settings: expectOk(loadSettings(deliverySettings, {}), 'settings'),
  eventLog,
  facts: openMemoryFactWriter(eventLog, { instanceId }),
  mediaStore: openMemoryStore(),
  log: silentLogger,
  clock: systemClock,
  idSource: systemIdSource,
  metrics: registries[instanceId],
  serviceToken,
});
const listen = (mounts: Parameters<typeof openHttpServer>[0]['mounts']) =>
  openHttpServer({ host: '127.0.0.1', port: 0, mounts, log: silentLogger, limits: { drainMs: 100 } });

const origin = await createDeliveryService(shared('origin'));
const internal = await listen(origin.internalMounts);
const originHttp = await listen(origin.publicMounts);
const edge = await createDeliveryService({
  ...shared('edge'),
  edge: { originUrls: [`http://127.0.0.1:${internal.port}`], cacheMb: 64, mostSockets: 64 },
});
const edgeHttp = await listen(edge.publicMounts);

const streamId = newId('str');
const playbackId = newId('play');
await eventLog.publish([
  record(streamsTopic, {
    stream_id: streamId,
    playback_id: playbackId,
    owner_id: 'own_bench',
    title: 'Benchmark',
    visibility: 'public',
    latency_mode: 'low',
    created_at_ms: 1,
    updated_at_ms: 1,
  }),
]);
const video: RenditionSpec = {
  name: 'video',
  kind: 'video',
  codecs: 'avc1.64001f',
  timescale: 90_000,
  init: new Uint8Array(800),
};
const epoch = 1 as Epoch;
const settings = { targetDurationS: 2, partTargetS: 0.216, partDurationMs: 200 };
const window = { streamId, epoch, publishId: newId('pub'), settings, renditions: [video] };
const first = expectOk(await origin.writer.open(window), 'open').renditions[0]?.next.segment ?? 0;
let written = 0;

async function writePart(): Promise<void> {
  const [segment, part] = [first + Math.floor(written / partsPerSegment), written % partsPerSegment];
  const taken = await origin.writer.part({
    streamId,
    epoch,
    rendition: 'video',
    segment,
    part,
    dts: written * 18_000,
    duration: 18_000,
    independent: part === 0,
    discontinuity: false,
    programDateTimeMs: part === 0 ? Date.now() : undefined,
    last: part === partsPerSegment - 1,
    bytes: [new Uint8Array(65_000)],
  });
  expectOk(taken, 'part');
  written++;
}

async function metric(registry: keyof typeof registries, name: string): Promise<number> {
  const values = (await registries[registry].getSingleMetric(name)?.get())?.values ?? [];
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** A keep-alive connection that asks and reports when the head of the answer is there. */
class Viewer {
  readonly #socket: Socket;
  #answered: ((at: number) => void) | undefined;
  #rest = 0;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.#rest === 0) {
        const text = bytes.toString('latin1');
        if (!text.startsWith('HTTP/1.1 200')) throw new Error(`expected 200, got ${text.slice(0, 200)}`);
        this.#rest = Number(/content-length: (\d+)/i.exec(text)?.[1]) + text.indexOf('\r\n\r\n') + 4;
      }
      this.#rest -= bytes.length;
      if (this.#rest === 0) this.#answered?.(performance.now());
    });
  }

  ask(path: string): Promise<number> {
    const answered = new Promise<number>((resolve) => {
      this.#answered = resolve;
    });
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n`);
    return answered;
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function measure(where: 'origin' | 'edge', port: number): Promise<void> {
  const entry = await (await fetch(`http://127.0.0.1:${port}/live/${playbackId}/index.m3u8`)).text();
  const playlist = `/live/${playbackId}/${/^s\/.*$/m.exec(entry)?.[0]}`;
  const crowd = Array.from({ length: viewers }, () => new Viewer(port));
  const delays: number[] = [];
  const served = await metric('origin', 'millrace_delivery_edge_responses_total');
  for (let round = 0; round < rounds; round++) {
    const [segment, part] = [first + Math.floor(written / partsPerSegment), written % partsPerSegment];
    const answers = crowd.map((viewer) => viewer.ask(`${playlist}?_HLS_msn=${segment}&_HLS_part=${part}`));
    while (
      (await metric(where, 'millrace_delivery_waiting_requests')) < viewers ||
      (await metric('origin', 'millrace_delivery_waiting_requests')) === 0
    ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const at = performance.now();
    await writePart();
    for (const answer of await Promise.all(answers)) delays.push(answer - at);
  }
  for (const viewer of crowd) viewer.close();
  delays.sort((a, b) => a - b);
  const quantile = (q: number) => (delays[Math.floor(delays.length * q)] ?? 0).toFixed(1);
  const requests = (await metric('origin', 'millrace_delivery_edge_responses_total')) - served;
  const ratio = where === 'edge' ? `, ${viewers * rounds} requests became ${requests}` : '';
  console.log(`${where}: ${viewers} viewers, p50 ${quantile(0.5)} ms, p95 ${quantile(0.95)} ms${ratio}`);
}

for (let i = 0; i < 2 * partsPerSegment; i++) await writePart();
await measure('origin', originHttp.port);
await measure('edge', edgeHttp.port);
for (const service of [edge, origin]) await service[Symbol.asyncDispose]();
for (const server of [edgeHttp, originHttp, internal]) await server[Symbol.asyncDispose]();
