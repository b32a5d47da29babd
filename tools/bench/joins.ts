/**
 * How fast videos are joined: two of two minutes each, once by copy, once with one of them turned down (sound encoded), once with a
 * trim between keyframes. Prints times of real time, and the largest step of progress. Run: `npx tsx tools/bench/joins.ts [seconds]`.
 */
import { readFileSync } from 'node:fs';
import { JoinRig } from '../../apps/transcode/src/testing/join-rig.ts';

const seconds = Number(process.argv[2] ?? 120);
const target = {
  ...{ width: 1_280, height: 720, frames_per_second: 30, profile: 'baseline' as const },
  ...{ sample_rate: 48_000, channels: 2, sets_id: 31 },
};
const shape = { seconds, size: '1280x720', gop: 60, more: ['-b:v', '4M', '-preset', 'ultrafast'] };

await using rig = await JoinRig.open();
const sources = [
  await rig.clip('videos/a/source', shape),
  await rig.clip('videos/b/source', { ...shape, hue: 90, tone: 660 }),
];
report('inspect with loudness', seconds, await timed(() => rig.inspect('videos/a/source')));
const inputs = sources.map((source) => ({ source, trim: null, gain_db: 0 }));
const cases = {
  copy: inputs,
  'copied pictures, encoded sound': inputs.map((input, i) => ({ ...input, gain_db: -i })),
  'a trim between keyframes': inputs.map((input) => ({
    ...{ ...input, trim: { start_ms: 900, end_ms: seconds * 1_000 - 900 } },
  })),
};
for (const [name, given] of Object.entries(cases)) {
  rig.reports.length = 0;
  report(name, 2 * seconds, await timed(() => rig.join(given, target)));
  const steps = rig.reports.map((done, i) => done - (rig.reports[i - 1] ?? 0));
  console.log(`  largest step of progress: ${(100 * Math.max(...steps)).toFixed(0)} %`);
}

interface Cost {
  readonly tookS: number;
  /** Of this process and its programs: what the rest of the machine does does not count. */
  readonly cpuS: number;
}

function report(name: string, mediaS: number, { tookS, cpuS }: Cost): void {
  const [real, alone] = [mediaS / tookS, mediaS / cpuS].map((times) => times.toFixed(0));
  console.log(`${name}: ${real}x real time (${tookS.toFixed(1)} s), ${alone}x per core (${cpuS.toFixed(1)} s of CPU)`);
}

async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const [startMs, startS] = [performance.now(), cpuSeconds()];
  await work();
  return { tookS: (performance.now() - startMs) / 1_000, cpuS: cpuSeconds() - startS };
}

/** User and system time of this process and of its children that have ended. */
function cpuSeconds(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}
