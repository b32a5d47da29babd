import { type LeaseRequest, type StopOrder, type TaskEnd, taskKinds } from '@millrace/api';
import { expectOk } from '@millrace/result';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JobLeases, jobHeartbeatMs, jobLeaseMs } from '../job-leases.ts';
import { aProbeResult } from './leased-task.ts';

/** One adapter under test, on a clock that only `advance` moves. */
export interface JobLeasesHarness extends AsyncDisposable {
  readonly leases: JobLeases;
  /** Makes `count` tasks of kind `probe`, each of a job of its own, that can be leased in this order; their ids. */
  addTasks(count: number): Promise<readonly string[]>;
  /** Cancels the task (its job). */
  cancel(taskId: string): Promise<void>;
  standing(taskId: string): Promise<'waiting' | 'leased' | 'done' | 'failed' | 'cancelled'>;
  /** Moves the clock, lets what falls due happen and bytes that are under way arrive. */
  advance(ms: number): Promise<void>;
  /** Longest wait before a task whose attempt failed is leased again, ms; 0: at once. */
  readonly retryMs: number;
}

/** What everything that gives tasks to workers must do. */
export function defineJobLeasesContract(name: string, openHarness: () => Promise<JobLeasesHarness>): void {
  describe(`${name}: the port between progress and the job workers`, () => {
    let harness: JobLeasesHarness;
    let ending: AbortController;
    beforeEach(async () => {
      harness = await openHarness();
      ending = new AbortController();
    });
    afterEach(async () => {
      ending.abort();
      await harness[Symbol.asyncDispose]();
    });

    const ask = (change: Partial<LeaseRequest> = {}, signal = ending.signal) =>
      harness.leases.lease({ worker_id: 'worker-a', slots: 1, kinds: taskKinds, wait_ms: 0, ...change }, signal);
    /** Lets time go by, as little as it takes, until a call has its answer: even no wait at all is a timer. */
    const soon = async <T>(call: Promise<T>): Promise<T> => {
      let over = false;
      const settled = call.finally(() => (over = true));
      settled.catch(() => {});
      while (!over) await harness.advance(1);
      return settled;
    };
    const lease = async (change: Partial<LeaseRequest> = {}) => expectOk(await soon(ask(change)), 'lease');
    const leaseOne = async (workerId = 'worker-a') => {
      const [task] = await lease({ worker_id: workerId });
      if (task === undefined) throw new Error('expected a task to lease, got none');
      return { task_id: task.task_id, fence: task.fence };
    };
    type Held = Awaited<ReturnType<typeof leaseOne>>;
    const done = (held: Held): TaskEnd => ({ ...held, kind: 'done', result: aProbeResult() });
    const end = async (ended: TaskEnd, workerId = 'worker-a') =>
      expectOk(await harness.leases.end(workerId, ended), 'end');
    const beat = async (held: Held, workerId = 'worker-a') =>
      expectOk(await harness.leases.report(workerId, [held]), 'report')[0];
    const failed = (held: Held, retryable: boolean): TaskEnd => ({
      ...held,
      kind: 'failed',
      failure: { code: 'bad-media', reason: 'expected a video, got a text', retryable },
    });
    /** Collects the orders of a worker, and returns how many have come when they are at least `count`. */
    const listen = (workerId: string, signal = ending.signal) => {
      const orders: StopOrder[] = [];
      const over = (async () => {
        for await (const order of harness.leases.stops(workerId, signal)) orders.push(order);
      })();
      over.catch(() => {});
      const until = async (count: number) => {
        for (let i = 0; i < 500 && orders.length < count; i++) await harness.advance(10);
        return orders;
      };
      return { orders, over, until };
    };

    it('gives each waiting task to one worker, oldest first, at most as many as it has slots for', async () => {
      const ids = await harness.addTasks(5);
      const [first, second] = [await lease({ slots: 2 }), await lease({ worker_id: 'worker-b', slots: 64 })];
      expect(first.map((task) => task.task_id)).toEqual(ids.slice(0, 2));
      expect(second.map((task) => task.task_id)).toEqual(ids.slice(2));
      expect([...first, ...second].map(({ fence, spec }) => [fence, spec.kind])).toEqual(ids.map(() => [1, 'probe']));
      expect(await lease()).toEqual([]);
      expect(await harness.standing(ids[0]!)).toBe('leased');
    });

    it('gives every task to exactly one of many workers that ask in the same moment', async () => {
      const ids = await harness.addTasks(6);
      const workers = Array.from({ length: 10 }, (_, i) => `worker-${i}`);
      const leased: string[] = [];
      const asked = workers.map(async (worker_id) => {
        const tasks = expectOk(await ask({ worker_id, wait_ms: 20_000 }), 'lease');
        leased.push(...tasks.map((task) => task.task_id));
      });
      for (let i = 0; i < 100 && leased.length < ids.length; i++) await harness.advance(10);
      expect(leased.sort()).toEqual([...ids].sort());
      ending.abort();
      await Promise.all(asked);
      expect(leased).toHaveLength(ids.length);
    });

    it('gives a worker only the kinds that it can do', async () => {
      await harness.addTasks(1);
      expect(await lease({ kinds: ['span', 'audio'] })).toEqual([]);
      expect(await lease({ kinds: ['span', 'probe'] })).toHaveLength(1);
    });

    it('holds a request until there is a task', async () => {
      const held = ask({ wait_ms: 20_000 });
      await harness.advance(300);
      const [id] = await harness.addTasks(1);
      await harness.advance(100);
      expect(expectOk(await held, 'lease').map((task) => task.task_id)).toEqual([id]);
    });

    it('answers nothing when the wait went by', async () => {
      const held = ask({ wait_ms: 500 });
      await harness.advance(2_000);
      expect(expectOk(await held, 'lease')).toEqual([]);
    });

    it('gives nothing to a worker that gave its request up', async () => {
      const giving = new AbortController();
      const held = ask({ wait_ms: 20_000 }, giving.signal);
      await harness.advance(200);
      giving.abort();
      await held;
      await harness.advance(200);
      await harness.addTasks(1);
      expect(await lease({ worker_id: 'worker-b', wait_ms: 0 })).toHaveLength(1);
    });

    it('keeps a lease as long as it is renewed', async () => {
      await harness.addTasks(1);
      const held = await leaseOne();
      for (let at = 0; at < 2 * jobLeaseMs; at += jobHeartbeatMs) {
        await harness.advance(jobHeartbeatMs);
        expect(await beat(held)).toBe('taken');
      }
      expect(await end(done(held))).toBe('taken');
    });

    it('gives a task whose lease lapsed to the next worker with a higher fence, and refuses what the first still says', async () => {
      const [id] = await harness.addTasks(1);
      const first = await leaseOne();
      await harness.advance(jobLeaseMs + 1_500);
      const second = await leaseOne('worker-b');
      expect(second).toEqual({ task_id: id, fence: expect.any(Number) });
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(await beat(first)).toBe('lost');
      expect(await end(done(first))).toBe('lost');
      expect(await end(failed(first, false))).toBe('lost');
      expect(await harness.standing(id!)).toBe('leased');
      expect(await end(done(second), 'worker-b')).toBe('taken');
      expect(await harness.standing(id!)).toBe('done');
    });

    it('answers reports in their order, each by itself', async () => {
      await harness.addTasks(2);
      const [a, b] = await lease({ slots: 2 });
      const of = ({ task_id, fence }: { task_id: string; fence: number }) => ({
        task_id,
        fence,
        done: 0.5,
        phase: 'half',
      });
      const stale = { ...of(a!), fence: 999 };
      const unknown = { ...of(a!), task_id: 'no-such-task' };
      const said = await harness.leases.report('worker-a', [stale, of(b!), unknown, of(a!)]);
      expect(expectOk(said, 'report')).toEqual(['lost', 'taken', 'lost', 'taken']);
      expect(expectOk(await harness.leases.report('worker-a', []), 'report')).toEqual([]);
    });

    it('takes an end once, says so again when it is repeated, and never to another worker', async () => {
      const [id] = await harness.addTasks(1);
      const held = await leaseOne();
      expect(await end(done(held), 'worker-b')).toBe('lost');
      expect(await end(done(held))).toBe('taken');
      expect(await end(done(held))).toBe('taken');
      expect(await end(done(held), 'worker-b')).toBe('lost');
      expect(await end(failed(held, true))).toBe('lost');
      expect(await harness.standing(id!)).toBe('done');
      expect(await lease()).toEqual([]);
    });

    it('gives a returned task to the next worker at once', async () => {
      await harness.addTasks(1);
      const held = await leaseOne();
      expect(await end({ ...held, kind: 'returned' })).toBe('taken');
      expect((await leaseOne('worker-b')).fence).toBeGreaterThan(held.fence);
      expect(await beat(held)).toBe('lost');
    });

    it('gives a task again whose failure another attempt may mend, and no other', async () => {
      await harness.addTasks(2);
      const [mended, hopeless] = await lease({ slots: 2 });
      const of = ({ task_id, fence }: Held): Held => ({ task_id, fence });
      expect(await end(failed(of(mended!), true))).toBe('taken');
      expect(await end(failed(of(hopeless!), false))).toBe('taken');
      await harness.advance(harness.retryMs);
      const again = await lease({ slots: 9 });
      expect(again.map((task) => task.task_id)).toEqual([mended!.task_id]);
      expect(await harness.standing(hopeless!.task_id)).toBe('failed');
    });

    it('orders the worker of a cancelled task to stop, and takes its word that it did', async () => {
      const { until, orders } = listen('worker-a');
      const other = listen('worker-b');
      const [id] = await harness.addTasks(1);
      const held = await leaseOne();
      await harness.cancel(id!);
      expect(await until(1)).toEqual([{ ...held, reason: 'cancelled' }]);
      expect(await harness.standing(id!)).toBe('leased');
      expect(await end({ ...held, kind: 'stopped' })).toBe('taken');
      expect(await harness.standing(id!)).toBe('cancelled');
      expect(await lease()).toEqual([]);
      expect([orders.length, other.orders.length]).toEqual([1, 0]);
    });

    it('repeats the orders that stand to a worker that connects again', async () => {
      const [id] = await harness.addTasks(1);
      const held = await leaseOne();
      await harness.cancel(id!);
      const first = new AbortController();
      const { until, over } = listen('worker-a', first.signal);
      expect(await until(1)).toHaveLength(1);
      first.abort();
      await over;
      expect(await listen('worker-a').until(1)).toEqual([{ ...held, reason: 'cancelled' }]);
    });

    it('ends a cancelled task whose worker is silent when its lease lapses', async () => {
      const [id] = await harness.addTasks(1);
      const held = await leaseOne();
      await harness.cancel(id!);
      await harness.advance(jobLeaseMs + 1_500);
      expect(await harness.standing(id!)).toBe('cancelled');
      expect(await end({ ...held, kind: 'stopped' })).toBe('lost');
      expect(await end(done(held))).toBe('lost');
    });

    it('does not wait for ever for a worker that was told to stop and only goes on reporting', async () => {
      const [id] = await harness.addTasks(1);
      const held = await leaseOne();
      await harness.cancel(id!);
      const standings: (string | undefined)[] = [];
      for (let at = 0; at < 2 * jobLeaseMs + 1_500; at += jobHeartbeatMs) {
        standings.push(await beat(held));
        await harness.advance(jobHeartbeatMs);
      }
      await harness.advance(3_000);
      expect([standings[0], standings.at(-1)]).toEqual(['taken', 'lost']);
      expect(await harness.standing(id!)).toBe('cancelled');
    });
  });
}
