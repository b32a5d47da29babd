import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@millrace/clock';
import { silentLogger } from '@millrace/log';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSourceClaimServer } from './source-claim-server.ts';
import type { ClaimLoss } from './source-port.ts';
import { anAssignment } from './testing/assignment.ts';
import { eventually } from './testing/eventually.ts';
import { type HttpFront, openHttpFront } from './testing/http-front.ts';

const serviceToken = 'a-service-token-for-tests';
const script = fileURLToPath(new URL('testing/worker-process.ts', import.meta.url));

interface Line {
  readonly accepted?: number;
  readonly first_tag?: number;
  readonly end?: string;
}

/** A worker in a process of its own, and what it said. */
function spawnWorker(baseUrl: string, workerId: string) {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, baseUrl, serviceToken, workerId], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  if (child.stdout) createInterface(child.stdout).on('line', (text) => void lines.push(JSON.parse(text) as Line));
  return { child, lines };
}

describe('a source whose worker process dies', () => {
  let workers: ReturnType<typeof openSourceClaimServer>;
  let front: HttpFront;
  let held: ReturnType<typeof spawnWorker>;
  let spare: ReturnType<typeof spawnWorker>;

  beforeEach(async () => {
    workers = openSourceClaimServer({ serviceToken, clock: systemClock, log: silentLogger });
    front = await openHttpFront(workers.mount);
    held = spawnWorker(front.baseUrl, 'worker-a');
    await eventually(() => workers.idle === 1, 'worker-a parks');
    spare = spawnWorker(front.baseUrl, 'worker-b');
    await eventually(() => workers.idle === 2, 'worker-b parks');
  });
  afterEach(async () => {
    for (const { child } of [held, spare]) child.kill('SIGKILL');
    await workers[Symbol.asyncDispose]();
    await front[Symbol.asyncDispose]();
  });

  /** Streams to worker-a, lets it die by `signal`, and measures until worker-b has the first tag, ms. */
  async function takeOver(signal: 'SIGKILL' | 'SIGSTOP') {
    const losses: ClaimLoss[] = [];
    let timestampMs = 0;
    const assign = (epoch: number) =>
      expectOk(
        workers.assign(anAssignment({ epoch: epoch as never, firstTimestampMs: timestampMs }), {
          onDrain: () => {},
          onLost(loss) {
            losses.push(loss);
            claim = assign(epoch + 1);
          },
        }),
        'assign',
      );
    let claim = assign(1);
    const frames = setInterval(() => {
      timestampMs += 33;
      claim.tag({ kind: 'audio-frame', timestampMs, payload: new Uint8Array(400) });
    }, 33);
    try {
      await eventually(() => held.lines.some((line) => line.first_tag !== undefined), 'worker-a gets tags');
      const killedMs = performance.now();
      held.child.kill(signal);
      await eventually(() => spare.lines.some((line) => line.first_tag !== undefined), 'worker-b gets tags');
      return { tookMs: performance.now() - killedMs, losses };
    } finally {
      clearInterval(frames);
      claim.end('ended');
    }
  }

  it('is with another worker soon after SIGKILL', async () => {
    const { tookMs, losses } = await takeOver('SIGKILL');
    expect(losses).toEqual(['worker-disconnected']);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('is soon with another worker when the worker only stands still and its kernel keeps the connection', async () => {
    const { tookMs, losses } = await takeOver('SIGSTOP');
    expect(losses).toEqual(['worker-silent']);
    expect(tookMs).toBeGreaterThan(1_000);
    expect(tookMs).toBeLessThan(10_000);
    held.child.kill('SIGCONT');
    await eventually(() => held.lines.some((line) => line.end === 'lost'), 'worker-a learns that it lost the source');
    await eventually(() => workers.idle === 1, 'worker-a parks again');
  });
});
