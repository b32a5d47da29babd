import type { Actor, TokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { StreamDefinition } from '@millrace/events';
import type { ApiVariables } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import type { LiveBoard } from '../core/live-board.ts';
import type { QueryLimits, Warehouse } from '../core/warehouse.ts';
import type { AnalyticsMetrics } from '../metrics.ts';

/** hono's environment of the analytics API: `actor` is there on every route behind `access`. */
export interface AnalyticsEnv {
  Variables: ApiVariables & { readonly actor: Actor };
}

/** What of a table (@millrace/eventlog) the routes read. */
export interface StreamTable {
  readonly isReady: boolean;
  get(key: string): StreamDefinition | undefined;
}

/** What the routes need. */
export interface RouteDeps {
  readonly warehouse: Warehouse;
  readonly board: LiveBoard;
  /** Whether the board and the streams are as new as the log. */
  readonly isReady: () => boolean;
  readonly streams: StreamTable;
  readonly verifier: TokenVerifier;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: AnalyticsMetrics;
  readonly database: string;
  readonly limits: QueryLimits & {
    readonly sqlRows: number;
    readonly exportRows: number;
    readonly exports: number;
  };
}
