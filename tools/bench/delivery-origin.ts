/**
 * A delivery service in a process of its own, with a synthetic stream of 2.7 Mbit/s, for the benchmarks that fork it. It
 * tells its parent where it listens, writes a part when asked or every 200 ms, and reports its CPU time. With
 * BENCH_DATABASE_URL the log is in that PostgreSQL, facts go through a spool and viewers through a journal, as in a process of
 * the cluster; without it all three are in memory. Beside delivery it serves `/static/{bytes}`, as node:http does it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { deliverySettings } from '@millrace/delivery/config';
import { createDeliveryService } from '@millrace/delivery/service';
import { openFactWriter, openPostgresEventLog, record } from '@millrace/eventlog';
import { openMemoryEventLog, openMemoryFactWriter } from '@millrace/eventlog/testing';
import { streamsTopic } from '@millrace/events';
import type { OpenWindow, RenditionSpec } from '@millrace/handover';
import { createHttpMetrics, type HttpMount, openHttpServer } from '@millrace/http';
import { type Epoch, newId, systemIdSource } from '@millrace/ids';
import { silentLogger } from '@millrace/log';
import { openFolderStore } from '@millrace/media-store';
import { openMetricsRegistry } from '@millrace/metrics';
import { expectOk } from '@millrace/result';

/** What the parent may ask for. `written` carries `process.hrtime.bigint()` from before the write, as text. */
export type OriginRequest = 'write' | 'run' | 'usage' | 'stop';
export type OriginReply =
  | { readonly kind: 'listening'; readonly origin: string; readonly playbackId: string }
  | { readonly kind: 'written'; readonly at: string }
  | { readonly kind: 'usage'; readonly cpuMs: number; readonly rssMb: number; readonly heldRequests: number };

const partMs = 200;
const partsPerSegment = 10;
const partBytes = { video: 65_000, audio: 3_200 } as const;

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const registry = openMetricsRegistry({ processMetrics: false });
const url = process.env['BENCH_DATABASE_URL'];
const log = silentLogger;
const eventLog =
  url === undefined ? openMemoryEventLog() : await openPostgresEventLog({ url, source: 'bench', log, wake: 'notify' });
const facts =
  url === undefined
    ? openMemoryFactWriter(eventLog, { instanceId: 'bench' })
    : await openFactWriter({ dir: join(folder, 'spool'), eventLog, service: 'delivery', instanceId: 'bench', log });
const service = await createDeliveryService({
  settings: expectOk(loadSettings(deliverySettings, process.env), 'settings'),
  ...{ eventLog, facts, log },
  mediaStore: await openFolderStore({ folder }),
  ...(url === undefined ? {} : { journalDir: join(folder, 'viewers') }),
  clock: systemClock,
  idSource: systemIdSource,
  metrics: registry,
});
/** What any answer of this size costs at least: `/static/{bytes}`. */
const staticMount: HttpMount = {
  prefix: '/static',
  handle(request, response) {
    const body = Buffer.alloc(Number(request.url?.split('/')[2] ?? 0), 'x');
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length }).end(body);
  },
};
const server = await openHttpServer({
  host: '127.0.0.1',
  port: 0,
  mounts: [...service.publicMounts, staticMount],
  log,
  metrics: createHttpMetrics(registry),
});

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

const renditions: readonly RenditionSpec[] = [
  { name: 'video', kind: 'video', codecs: 'avc1.64001f', timescale: 90_000, init: new Uint8Array(800) },
  { name: 'audio', kind: 'audio', codecs: 'mp4a.40.2', timescale: 48_000, init: new Uint8Array(600) },
];
const open: OpenWindow = {
  streamId,
  epoch: 1 as Epoch,
  publishId: newId('pub'),
  settings: { targetDurationS: 2, partTargetS: 0.216, partDurationMs: partMs },
  renditions,
};
const state = expectOk(await service.writer.open(open), 'open');
const first = state.renditions[0]?.next.segment ?? 0;
let written = 0;

/** Writes the next part of each rendition. */
async function writeParts(): Promise<void> {
  const segment = first + Math.floor(written / partsPerSegment);
  const part = written % partsPerSegment;
  for (const { name, kind, timescale } of renditions) {
    const taken = await service.writer.part({
      streamId,
      epoch: open.epoch,
      rendition: name,
      segment,
      part,
      dts: (written * timescale * partMs) / 1000,
      duration: (timescale * partMs) / 1000,
      independent: kind === 'audio' || part === 0,
      discontinuity: false,
      programDateTimeMs: part === 0 ? Date.now() : undefined,
      last: part === partsPerSegment - 1,
      bytes: [new Uint8Array(partBytes[kind])],
    });
    expectOk(taken, 'part');
  }
  written++;
}

for (let i = 0; i < 5 * partsPerSegment; i++) await writeParts();

const reply = (message: OriginReply) => process.send?.(message);
let timer: ReturnType<typeof setInterval> | undefined;

async function usage(): Promise<void> {
  const { user, system } = process.cpuUsage();
  const held = await registry.getSingleMetric('millrace_delivery_waiting_requests')?.get();
  reply({
    kind: 'usage',
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage.rss() / 1024 / 1024,
    heldRequests: held?.values[0]?.value ?? 0,
  });
}

async function obey(request: OriginRequest): Promise<void> {
  switch (request) {
    case 'write': {
      const at = process.hrtime.bigint().toString();
      await writeParts();
      reply({ kind: 'written', at });
      return;
    }
    case 'run':
      timer ??= setInterval(() => void writeParts(), partMs); // its rejection is a bug: it crashes the benchmark
      return;
    case 'usage':
      return usage();
    case 'stop':
      clearInterval(timer);
      await service[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await facts[Symbol.asyncDispose]();
      await eventLog[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
      process.disconnect();
  }
}

process.on('message', (request: OriginRequest) => void obey(request)); // a rejection is a bug: it crashes the benchmark
reply({ kind: 'listening', origin: `http://127.0.0.1:${server.port}`, playbackId });
