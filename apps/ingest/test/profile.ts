/** Runs an ingest with a discarding worker, prints its URL and keys, then CPU and memory every few seconds. Not a test. */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { openIngest } from './harness.ts';

const publishers = Number(process.env['PUBLISHERS'] ?? 30);
const env: Record<string, string> = {};
if (process.env['COALESCE'] !== undefined) env['INGEST_COALESCE_ABOVE_READS'] = process.env['COALESCE'];
if (process.env['TICK'] !== undefined) env['INGEST_COALESCE_TICK_MS'] = process.env['TICK'];
const ingest = await openIngest({ env, parked: 64, discard: true });
const keys: string[] = [];
for (let i = 0; i < publishers; i++) keys.push((await ingest.addStream()).key);
process.stdout.write(`${JSON.stringify({ port: ingest.service.rtmpPort, keys })}\n`);
let before = process.cpuUsage();
let atMs = performance.now();
const counts = { reads: 0, messages: 0, bytes: 0 };
async function report(): Promise<void> {
  const used = process.cpuUsage(before);
  const now = performance.now();
  const seconds = (now - atMs) / 1_000;
  before = process.cpuUsage();
  atMs = now;
  const read = {
    reads: await ingest.metric('millrace_ingest_reads_total'),
    messages: await ingest.metric('millrace_ingest_messages_total'),
    bytes: await ingest.metric('millrace_ingest_received_bytes_total'),
  };
  const perSecond = (name: keyof typeof counts) => Math.round((read[name] - counts[name]) / seconds);
  process.stdout.write(
    `cpu ${((used.user + used.system) / 1e4 / seconds).toFixed(1)} % (sys ${(used.system / 1e4 / seconds).toFixed(1)}), rss ${Math.round(process.memoryUsage.rss() / 1e6)} MB, reads/s ${perSecond('reads')}, messages/s ${perSecond('messages')}, Mbit/s ${(perSecond('bytes') * 8) / 1e6}, live ${await ingest.metric('millrace_ingest_live_streams')}\n`,
  );
  Object.assign(counts, read);
}
setInterval(() => void report(), 5_000); // a failed report would end the process, as it should
const profileTo = process.env['PROFILE'];
if (profileTo !== undefined) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 1000 });
  setTimeout(() => session.post('Profiler.start'), 12_000);
  setTimeout(() => {
    session.post('Profiler.stop', (_error, { profile }) => writeFileSync(profileTo, JSON.stringify(profile)));
  }, 24_000);
}
setTimeout(() => process.exit(0), Number(process.env['SECONDS_RUN'] ?? 40) * 1_000);
