import type { DeliveryDeps } from '../partition-delivery.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import type { KafkaAccess } from './kafka-connection.ts';

export interface GroupTiming {
  /** Silence after which the group takes a member's partitions away, ms. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Time that running handlers have when the group rebalances, ms; then their signal aborts. */
  readonly rebalanceGraceMs: number;
  readonly commitIntervalMs: number;
}

export interface SessionDeps extends DeliveryDeps {
  readonly access: KafkaAccess;
  readonly admin: KafkaAdmin;
  readonly clientId: string;
  readonly timing: GroupTiming;
  paused(): boolean;
}
