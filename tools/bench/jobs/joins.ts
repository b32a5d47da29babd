/**
 * How fast videos are joined: two of equal format, once by copy, once with one of them turned down (sound encoded), once with a trim between
 * keyframes.
 */
import { JoinRig } from '../../../apps/transcode/src/testing/join-rig.ts';
import { cpuOf } from '../../rig/process-usage.ts';

export interface JoinResult {
  readonly name: string;
  /** Length of the output over the time that it took, and over the CPU of this process and its programs. */
  readonly timesReal: number;
  readonly timesPerCore: number;
  /** Largest step of progress, 0..1. */
  readonly largestStep: number;
}

const target = {
  ...{ width: 1_280, height: 720, frames_per_second: 30, profile: 'baseline' as const },
  ...{ sample_rate: 48_000, channels: 2, sets_id: 31 },
};

/** Joins two videos of so many seconds each. */
export async function measureJoins(seconds: number): Promise<readonly JoinResult[]> {
  const shape = { seconds, size: '1280x720', gop: 60, more: ['-b:v', '4M', '-preset', 'ultrafast'] };
  await using rig = await JoinRig.open();
  const sources = [
    await rig.clip('videos/a/source', shape),
    await rig.clip('videos/b/source', { ...shape, hue: 90, tone: 660 }),
  ];
  const inputs = sources.map((source) => ({ source, trim: null, gain_db: 0 }));
  const cases = {
    'by copy': inputs,
    'pictures by copy, loudness evened': inputs.map((input, i) => ({ ...input, gain_db: -i })),
    'with a trim between keyframes': inputs.map((input) => ({
      ...{ ...input, trim: { start_ms: 900, end_ms: seconds * 1_000 - 900 } },
    })),
  };
  const results: JoinResult[] = [];
  for (const [name, given] of Object.entries(cases)) {
    rig.reports.length = 0;
    const [startMs, startCpuMs] = [performance.now(), usedMs()];
    await rig.join(given, target);
    const [tookMs, cpuMs] = [performance.now() - startMs, usedMs() - startCpuMs];
    const steps = rig.reports.map((done, i) => done - (rig.reports[i - 1] ?? 0));
    results.push({
      name,
      timesReal: (2_000 * seconds) / tookMs,
      timesPerCore: (2_000 * seconds) / cpuMs,
      largestStep: Math.max(...steps),
    });
  }
  return results;
}

function usedMs(): number {
  const { ownMs, childrenMs } = cpuOf(process.pid);
  return ownMs + childrenMs;
}
