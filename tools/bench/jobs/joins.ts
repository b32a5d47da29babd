/**
 * How fast videos are joined by a worker of two slots: two of equal format, once by copy, once with one of them turned down (its sound is
 * encoded), once with both, once with a trim between keyframes. The sound is encoded ahead of the join as a composition has it planned.
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

const slots = 2;
const spanMs = 60_000;

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
    'pictures by copy, loudness of one evened': inputs.map((input, i) => ({ ...input, gain_db: -i })),
    'pictures by copy, loudness of both evened': inputs.map((input, i) => ({ ...input, gain_db: -1 - i })),
    'with a trim between keyframes': inputs.map((input) => ({
      ...{ ...input, trim: { start_ms: 900, end_ms: seconds * 1_000 - 900 } },
    })),
  };
  const results: JoinResult[] = [];
  for (const [name, given] of Object.entries(cases)) {
    const [startMs, startCpuMs] = [performance.now(), usedMs()];
    const keep = { work: `work/job_${results.length}`, span_ms: spanMs };
    const evened = given.filter((input) => input.gain_db !== 0).length;
    await encodeSound(rig, { inputs: given, target, keep, parts: Math.ceil((evened * seconds * 1_000) / spanMs) });
    rig.reports.length = 0; // of the join alone
    await rig.join(given, target, undefined, undefined, keep);
    const [tookMs, cpuMs] = [performance.now() - startMs, usedMs() - startCpuMs];
    const steps = rig.reports.map((done, i) => done - (rig.reports[i - 1] ?? 0)).filter((step) => step > 0);
    results.push({
      name,
      timesReal: (2_000 * seconds) / tookMs,
      timesPerCore: (2_000 * seconds) / cpuMs,
      largestStep: Math.max(...steps),
    });
  }
  return results;
}

/** The tasks of the sound, as many at once as there are slots. */
async function encodeSound(
  rig: JoinRig,
  spec: Pick<Parameters<JoinRig['sound']>[0], 'inputs' | 'target' | 'keep' | 'parts'>,
): Promise<void> {
  let next = 0;
  const slot = async () => {
    while (next < spec.parts) await rig.sound({ ...spec, transition: { kind: 'cut', duration_ms: 0 }, part: next++ });
  };
  await Promise.all(Array.from({ length: slots }, slot));
}

function usedMs(): number {
  const { ownMs, childrenMs } = cpuOf(process.pid);
  return ownMs + childrenMs;
}
