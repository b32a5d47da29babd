/** docs/benchmarks.md: the figures of one run, with machine, date and load. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { table } from '../../docs/markdown.ts';
import type { LatencyResult } from './latency.ts';
import type { PassthroughResult } from './passthrough.ts';
import { percentile } from './percentile.ts';

export interface Report {
  readonly date: Date;
  readonly latency: readonly LatencyResult[];
  readonly passthrough: readonly PassthroughResult[];
  /** Finished Markdown of the viewer measurements. */
  readonly viewers: string;
}

/** The machine in one line. */
export function machine(): string {
  const [cpu] = cpus();
  const debian = /PRETTY_NAME="([^"]+)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory} GB, ${debian}, kernel ${release()}, Node ${process.version}`;
}

export function renderReport(report: Report): string {
  const parts = [
    '# Benchmarks',
    '<!-- Written by `npm run bench:live`: run that, do not edit this page. -->',
    `Measured on ${report.date.toISOString().slice(0, 10)} with \`npm run bench:live\`. Everything, encoders and browser included, ran on one machine: ${machine()}. Ratios within one run carry over to other machines; the figures do not.`,
  ];
  if (report.latency.length > 0) parts.push(latencySection(report.latency));
  if (report.passthrough.length > 0) parts.push(passthroughSection(report.passthrough));
  if (report.viewers) parts.push(report.viewers);
  return `${parts.join('\n\n').trimEnd()}\n`;
}

function latencySection(results: readonly LatencyResult[]): string {
  const rows = results.map(({ partMs, player, runs }) => {
    const all = runs.flatMap((run) => run.latencies);
    return [
      `${partMs} ms`,
      player,
      String(runs.length),
      range(
        runs.map((run) => percentile(run.latencies, 0.5)),
        percentile(all, 0.5),
      ),
      range(
        runs.map((run) => percentile(run.latencies, 0.95)),
        percentile(all, 0.95),
      ),
      String(runs.reduce((sum, run) => sum + run.waits, 0)),
      range(
        runs.map((run) => run.firstFrameMs),
        percentile(
          runs.map((run) => run.firstFrameMs),
          0.5,
        ),
      ),
    ];
  });
  return `## Latency

The source stamps each frame with the time at which it was made, as black and white blocks in the picture; the page reads the
blocks of each frame as it is presented. 640x360, 30 fps, x264 with \`-tune zerolatency\`, a keyframe every 2 s, AAC; headless
Chromium; each run in a new browser. In parentheses the lowest and highest run.

${table(['parts', 'player', 'runs', 'p50, ms', 'p95, ms', 'stalls', 'page load to first frame, ms'], rows)}`;
}

/** A value, with the spread over the runs when there are several. */
function range(values: readonly number[], middle: number): string {
  if (values.length < 2) return middle.toFixed(0);
  return `${middle.toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
}

function passthroughSection(results: readonly PassthroughResult[]): string {
  const percent = (cores: number | undefined) =>
    cores === undefined ? 'not measured' : `${(cores * 100).toFixed(1)} %`;
  const megabytes = (bytes: number | undefined) =>
    bytes === undefined ? 'not measured' : `${Math.round(bytes / 1e6)} MB`;
  const rows = results.map(({ publishers, server, postgres, nginx }) => [
    String(publishers),
    percent(server.cores),
    nginx ? `${(server.cores / nginx.cores).toFixed(2)} x` : 'not measured',
    percent(nginx?.cores),
    percent(postgres.cores),
    megabytes(server.memory),
    megabytes(postgres.memory),
    megabytes(nginx?.memory),
  ]);
  const columns = ['publishers', 'Millrace', 'to nginx-rtmp', 'nginx-rtmp', 'its PostgreSQL'];
  return `## Publishers, passed through

Each publisher sends 2.5 Mbit/s of 720p30 H.264 and AAC; nobody watches. CPU is user and system time of the whole standalone
process as a share of one core, its PostgreSQL apart. nginx-rtmp (Debian's libnginx-mod-rtmp) makes HLS of 2 s fragments, without
low latency, in the same run. Memory is resident memory at the end.

${table([...columns, 'memory', 'PostgreSQL memory', 'nginx-rtmp memory'], rows)}`;
}
