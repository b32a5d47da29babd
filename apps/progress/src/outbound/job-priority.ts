import type { Priority } from '../core/job-desk.ts';

const priorities: readonly Priority[] = ['high', 'normal', 'low'];

/** The column's number: smaller goes first. */
export function rankOf(priority: Priority): number {
  return priorities.indexOf(priority);
}

/** The priority of a column's number. */
export function priorityOf(rank: number): Priority {
  return priorities[rank] ?? 'normal';
}
