/** Who may ask what. Owners see what is theirs, admins everything; what one may not see does not exist for one. */
import { mayActBy, type RoleMatrix } from '@millrace/auth';

const readers = ['admin', 'broadcaster', 'analyst'] as const;
/** Roles that may take each action, an operation id. A `viewer` token is made to watch, not to look at others. */
const matrix = {
  getAnalyticsLive: readers,
  getAnalyticsSummary: readers,
  getAnalyticsTimeseries: readers,
  getAnalyticsBreakdown: readers,
  listAnalyticsSessions: readers,
  getAnalyticsIngest: readers,
  exportAnalytics: readers,
  runAnalyticsSql: ['admin', 'analyst', 'broadcaster'],
  getStreamMetrics: readers,
} as const satisfies RoleMatrix<string>;
export type Action = keyof typeof matrix;

/** Whether `role` may take `action` at all. */
export const mayAct = mayActBy(matrix);
