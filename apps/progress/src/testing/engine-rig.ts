/** The parts of the engine on a real database with a clock that stands still, without the loops: each step is the test's own. */
import type { LeasedTask } from '@millrace/api';
import { ManualClock } from '@millrace/clock/testing';
import { openPostgresEventLog } from '@millrace/eventlog';
import { type JobFact, jobsTopic } from '@millrace/events';
import { systemIdSource } from '@millrace/ids';
import { defaultRetryPolicy } from '@millrace/job';
import { silentLogger } from '@millrace/log';
import { runMigrations } from '@millrace/postgres';
import { createTestDatabase, type TestDatabase } from '@millrace/postgres/testing';
import type { EngineDeps, EngineLimits } from '../core/engine-deps.ts';
import { createEngineDesk } from '../core/engine-desk.ts';
import type { JobDesk } from '../core/job-desk.ts';
import { JobTypes } from '../core/job-types.ts';
import type { Transaction } from '../core/store.ts';
import { leaseTasks } from '../core/task-leasing.ts';
import type { Stop } from '../core/task-rows.ts';
import { createProgressStore } from '../outbound/progress-store.ts';
import { allKinds, type PlannedJobs, plannedJobs } from './planned-jobs.ts';
import { published } from './published.ts';

export interface EngineRig extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly clock: ManualClock;
  readonly engine: EngineDeps;
  readonly desk: Omit<JobDesk, 'ended'>;
  readonly jobs: PlannedJobs;
  /** Jobs that were hinted to have moved. */
  readonly moved: Set<string>;
  /** Stop orders that were hinted. */
  readonly stops: Stop[];
  /** Refusals that were counted, by reason. */
  readonly refused: string[];
  /** Takes the lock that stands for a subject's row; the effects of the jobs take it, too. */
  lockSubject(tx: Transaction, subject: string): Promise<void>;
  lease(workerId: string, slots?: number): Promise<readonly LeasedTask[]>;
  /** All facts of jobs so far. */
  facts(): Promise<readonly JobFact[]>;
}

const lockSubject = (tx: Transaction, subject: string) => tx.jobs.takeTurn([`subject ${subject}`]);

export async function openEngineRig(limits: Partial<EngineLimits> = {}): Promise<EngineRig> {
  const database = await createTestDatabase();
  const { sql } = database;
  const eventLog = await openPostgresEventLog({ sql, source: 'progress', log: silentLogger, wake: 'memory' });
  await runMigrations({ sql, schema: 'progress', dir: new URL('../../migrations', import.meta.url).pathname });
  const clock = new ManualClock();
  const jobs = plannedJobs({ lock: lockSubject });
  const moved = new Set<string>();
  const stops: Stop[] = [];
  const refused: string[] = [];
  const engine: EngineDeps = {
    store: createProgressStore(sql, eventLog),
    types: new JobTypes(jobs.types),
    ...{ clock, idSource: systemIdSource, random: () => 0.5 },
    limits: { maxOpen: 1_000, maxProcessing: 1_000, leaseMs: 5_000, retry: defaultRetryPolicy, ...limits },
    hints: {
      work: () => {},
      stop: (orders) => void stops.push(...orders),
      ended: () => {},
      moved: (jobIds) => {
        for (const jobId of jobIds) moved.add(jobId);
      },
    },
    counts: { submitted: () => {}, ended: () => {}, attempt: () => {}, refused: (reason) => void refused.push(reason) },
    usualMs: () => undefined,
  };
  return {
    ...{ database, clock, engine, jobs, moved, stops, refused, desk: createEngineDesk(engine) },
    lockSubject,
    lease: (workerId, slots = 1) => leaseTasks(engine, { worker_id: workerId, slots, kinds: allKinds }),
    async facts() {
      const all = await published(sql, eventLog, jobsTopic);
      return all.flatMap(({ value }) => (value === undefined ? [] : [value]));
    },
    async [Symbol.asyncDispose]() {
      await eventLog[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
