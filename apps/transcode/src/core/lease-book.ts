/**
 * What a worker knows of the leases that it holds: when each was renewed for certain, and what is to be reported next. Pure: times
 * are monotonic ms that the caller passes in.
 *
 * A lease is renewed as of the moment that its report was *sent*, which is before progress took it: so the worker gives a lease up
 * before progress does, never after.
 */
import type { TaskReport } from '@millrace/api';
import { jobHeartbeatMs, jobLeaseMs, jobReportMs, type LeaseStanding } from '@millrace/handover';

/** A lease: the same task may come again under a higher fence while the older work still ends. */
export interface LeaseKey {
  readonly task_id: string;
  readonly fence: number;
}

interface Lease extends LeaseKey {
  renewedMs: number;
  /** When its last report was sent; undefined: one is due now. */
  sentMs: number | undefined;
  done: number | undefined;
  phase: string | undefined;
  /** Something of it was not sent yet. */
  changed: boolean;
}

const longestPhase = 200;

export class LeaseBook {
  readonly #leases = new Map<string, Lease>();

  get size(): number {
    return this.#leases.size;
  }

  has(key: LeaseKey): boolean {
    return this.#leases.has(textOf(key));
  }

  /** A lease that was just got; its first heartbeat is due at once, to have it for certain. */
  add({ task_id, fence }: LeaseKey, nowMs: number): void {
    const fresh = { task_id, fence, renewedMs: nowMs, sentMs: undefined, done: undefined, phase: undefined };
    this.#leases.set(textOf(fresh), { ...fresh, changed: false });
  }

  remove(key: LeaseKey): void {
    this.#leases.delete(textOf(key));
  }

  /** Notes how far a task is. What is less than before, or no number, is ignored; a phase stands until the next. */
  progress(key: LeaseKey, done: number, phase: string | undefined): void {
    const lease = this.#leases.get(textOf(key));
    if (lease === undefined || Number.isNaN(done)) return;
    const further = Math.min(1, Math.max(lease.done ?? 0, done));
    const words = phase?.slice(0, longestPhase) ?? lease.phase;
    if (further === lease.done && words === lease.phase) return;
    lease.done = further;
    lease.phase = words;
    lease.changed = true;
  }

  /** The reports that are due, at most `most`, longest unsent first; they count as sent at `nowMs`. */
  takeDue(nowMs: number, most: number): readonly TaskReport[] {
    const due = [...this.#leases.values()]
      .filter(({ sentMs, changed }) => nowMs - (sentMs ?? -Infinity) >= (changed ? jobReportMs : jobHeartbeatMs))
      .sort((a, b) => (a.sentMs ?? -Infinity) - (b.sentMs ?? -Infinity))
      .slice(0, most);
    return due.map((lease) => {
      const { task_id, fence, done, phase, changed } = lease;
      lease.sentMs = nowMs;
      lease.changed = false;
      const words = phase === undefined ? {} : { phase };
      return { task_id, fence, ...(changed && done !== undefined ? { done, ...words } : {}) };
    });
  }

  /** Reports sent at `sentMs` were answered; returns the leases that are lost. They stay in the book until they are removed. */
  answered(reports: readonly TaskReport[], standings: readonly LeaseStanding[], sentMs: number): readonly LeaseKey[] {
    return reports.filter((report, i) => {
      if (standings[i] === 'lost') return true;
      const lease = this.#leases.get(textOf(report));
      if (lease !== undefined) lease.renewedMs = Math.max(lease.renewedMs, sentMs);
      return false;
    });
  }

  /** Reports got no answer: they are due again at once. */
  unanswered(reports: readonly TaskReport[]): void {
    for (const report of reports) {
      const lease = this.#leases.get(textOf(report));
      if (lease === undefined) continue;
      lease.sentMs = undefined;
      lease.changed ||= report.done !== undefined;
    }
  }

  /** The leases that could not be renewed for as long as a lease lives. */
  lapsed(nowMs: number): readonly LeaseKey[] {
    return [...this.#leases.values()].filter(({ renewedMs }) => nowMs - renewedMs >= jobLeaseMs);
  }
}

/** A lease's name, for maps and folders. */
export function textOf({ task_id, fence }: LeaseKey): string {
  return `${task_id}.${fence}`;
}
