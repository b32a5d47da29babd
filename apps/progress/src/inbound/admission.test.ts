import { ManualClock } from '@millrace/clock/testing';
import { type HttpMount, openHttpServer } from '@millrace/http';
import { silentLogger } from '@millrace/log';
import { expect, it } from 'vitest';
import { LoopTurn } from '../core/loop-turn.ts';
import { SubmitGate } from '../core/submit-gate.ts';
import { admit, shedEarly } from './admission.ts';

it('submits that would be turned away reach nothing behind the door, everything else does', async () => {
  const clock = new ManualClock();
  const gate = new SubmitGate({ most: 1, least: 1, patienceMs: 250 });
  const shed: string[] = [];
  const metrics = {
    ...{ mutations: { inc: () => {} }, idempotentCalls: { inc: () => {} }, refusedTokens: { inc: () => {} } },
    ...{ slowRequests: { inc: () => {} }, submitDuration: { observe: () => {} }, submitsOpen: { set: () => {} } },
    shedSubmits: { inc: ({ reason }: { readonly reason: string }) => void shed.push(reason) },
  };
  const deps = { gate, clock, metrics };
  const turn = new LoopTurn({ clock, atEnd: setImmediate });
  const reached: string[] = [];
  const behind: HttpMount = {
    prefix: '/api/v1',
    handle(request, response) {
      reached.push(`${request.method} ${request.url}`);
      response.end();
    },
  };
  await using server = await openHttpServer({
    ...{ host: '127.0.0.1', port: 0, log: silentLogger, mounts: [shedEarly(behind, deps, turn)] },
  });
  const call = async (method: string, path: string) => {
    const body = method === 'POST' ? '{"videos":[]}' : null;
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1${path}`, { method, body });
    return [answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')];
  };
  const submits = ['/compositions', '/videos/vid_1/run_sync', '/videos/vid_1/reprocess', '/images/a.png/video'];
  const others = ['/compositions/cmp_1/cancel', '/videos', '/images/a.png/video/cancel', '/jobs/job_1/cancel'];

  const refused = [503, '1', 'application/problem+json'];
  await admit(deps, async () => {
    for (const path of submits) expect(await call('POST', path)).toEqual(refused);
    expect(shed).toEqual(submits.map(() => 'full'));
    expect(reached).toEqual([]);
    for (const path of others) expect((await call('POST', path))[0]).toBe(200);
    for (const path of submits) expect((await call('GET', path))[0]).toBe(200);
    await expect(admit(deps, () => Promise.resolve())).rejects.toMatchObject({ problem: { status: 503 } });
  });
  for (const path of submits) expect((await call('POST', path))[0]).toBe(200);
  expect(reached).toHaveLength(12);
});
