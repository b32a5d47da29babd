import type { Topic } from '@millrace/events';

/**
 * How a service without a database publishes. `fact` resolves once the fact is fsynced in the spool and survives kill -9;
 * it is relayed to the log in order, when the log is there. `sample` never waits and may be dropped, counted.
 */
export interface FactWriter extends AsyncDisposable {
  fact<T>(topic: Topic<T>, value: T): Promise<void>;
  sample<T>(topic: Topic<T>, value: T): void;
  /** Samples that are taken now before one is dropped, for callers that can refuse what they would have to drop. */
  readonly sampleRoom: number;
  /** The writer's stable instance id and its incarnation, which rises with every start. */
  readonly instanceId: string;
  readonly incarnation: number;
}
