/** What the log tells its metrics; all labels are topic or group names. */
export interface LogObserver {
  appended(topic: string, records: number): void;
  delivered(group: string, topic: string, records: number): void;
  retried(group: string, topic: string): void;
  parked(group: string, topic: string): void;
  /** A reader skipped a record whose value does not fit the topic. */
  invalid(topic: string): void;
  /** Records not yet handled by a group in a topic. */
  lag(group: string, topic: string, records: number): void;
  /** A send to the brokers was acknowledged: its records, and the time from its first try, s. */
  published(records: number, seconds: number): void;
  /** Partitions of a group were given out anew to this process. */
  rebalanced(group: string): void;
  /** A client that had failed was replaced: `producer`, `consumer` or `reader`. */
  clientRebuilt(client: string): void;
  /** Bytes of facts that wait in a service's spool. */
  spoolBytes(service: string, bytes: number): void;
  /** A fact was not taken because the spool is full. */
  factRefused(service: string): void;
  /** The unacknowledged or damaged end of a spool file was given up. */
  spoolTailDropped(service: string): void;
  samplesDropped(service: string, reason: string, samples: number): void;
}

export const noObserver: LogObserver = {
  appended: () => {},
  delivered: () => {},
  retried: () => {},
  parked: () => {},
  invalid: () => {},
  lag: () => {},
  published: () => {},
  rebalanced: () => {},
  clientRebuilt: () => {},
  spoolBytes: () => {},
  factRefused: () => {},
  spoolTailDropped: () => {},
  samplesDropped: () => {},
};
