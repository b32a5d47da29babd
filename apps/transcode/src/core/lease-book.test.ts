import { jobHeartbeatMs, jobLeaseMs, jobReportMs } from '@millrace/handover';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeaseBook } from './lease-book.ts';

const key = (i: number) => ({ task_id: `task-${i}`, fence: 1 });
const step = fc.record({ ms: fc.integer({ min: 0, max: 400 }), task: fc.nat(4), done: fc.double({ min: -1, max: 2 }) });

describe('the book of leases', () => {
  it('reports rising progress in 0..1, no lease twice within 250 ms, each within a second and a look', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const book = new LeaseBook();
        const sent = new Map<string, { atMs: number; done: number }>();
        for (let i = 0; i < 5; i++) book.add(key(i), 0);
        let nowMs = 0;
        for (const { ms, task, done } of steps) {
          nowMs += ms;
          book.progress(key(task), done, undefined);
          const due = book.takeDue(nowMs, 64);
          for (const report of due) {
            const last = sent.get(report.task_id);
            if (last) expect(nowMs - last.atMs).toBeGreaterThanOrEqual(jobReportMs);
            const now = report.done ?? last?.done ?? 0;
            expect(now).toBeGreaterThanOrEqual(last?.done ?? 0);
            expect(now).toBeLessThanOrEqual(1);
            sent.set(report.task_id, { atMs: nowMs, done: now });
          }
          for (let i = 0; i < 5; i++) expect(nowMs - sent.get(`task-${i}`)!.atMs).toBeLessThan(jobHeartbeatMs);
          expect(
            book.answered(
              due,
              due.map(() => 'taken' as const),
              nowMs,
            ),
          ).toEqual([]);
          expect(book.lapsed(nowMs)).toEqual([]);
        }
      }),
    );
  });

  it('loses nothing that a report without an answer said', () => {
    const book = new LeaseBook();
    book.add(key(1), 0);
    book.takeDue(0, 64);
    book.progress(key(1), 0.5, 'half');
    const first = book.takeDue(300, 64);
    expect(first).toEqual([{ ...key(1), done: 0.5, phase: 'half' }]);
    book.unanswered(first);
    expect(book.takeDue(300, 64)).toEqual(first);
    expect(book.takeDue(300, 64)).toEqual([]);
  });

  it('counts a lease from the moment that its report was sent, not from when it was answered', () => {
    const book = new LeaseBook();
    book.add(key(1), 0);
    book.add(key(2), 0);
    const reports = book.takeDue(1_000, 64);
    expect(book.answered(reports, ['taken', 'lost'], 1_000)).toEqual([key(2)]);
    expect(book.lapsed(jobLeaseMs).map((lease) => lease.task_id)).toEqual(['task-2']);
    expect(book.lapsed(1_000 + jobLeaseMs - 1).map((lease) => lease.task_id)).toEqual(['task-2']);
    expect(book.lapsed(1_000 + jobLeaseMs)).toHaveLength(2);
  });

  it('serves those first whose reports wait longest when there are more than a call may have', () => {
    const book = new LeaseBook();
    for (let i = 0; i < 5; i++) book.add(key(i), 0);
    const seen = [0, 10, 20].flatMap((atMs) => book.takeDue(atMs, 2).map((report) => report.task_id));
    expect(seen.sort()).toEqual([0, 1, 2, 3, 4].map((i) => `task-${i}`));
  });
});
