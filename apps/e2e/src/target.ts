/**
 * What the tests of the live path run against: one process (standalone), or with MILLRACE_E2E_TARGET=cluster every service as
 * its own process on real Kafka behind nginx (cluster-on-postgresql: without Kafka). The same files pass on all.
 */
import { startClusterTarget } from './cluster-target.ts';
import type { RestClient, TestStream } from './rest-client.ts';
import { startStandalone } from './standalone.ts';

/** The product as a broadcaster and a viewer meet it. */
export interface Target extends AsyncDisposable {
  readonly httpUrl: string;
  publishUrl(stream: Pick<TestStream, 'key'>): string;
  hlsUrl(stream: TestStream): string;
  /** Signs in with the printed link; works once. */
  signIn(): Promise<RestClient>;
}

/** Starts the target with `settings` for every service. */
export async function startTarget(
  given: { readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<Target> {
  const target = process.env['MILLRACE_E2E_TARGET'] ?? 'standalone';
  if (target === 'standalone') return startStandalone(given);
  if (target === 'cluster') return startClusterTarget(given);
  if (target === 'cluster-on-postgresql') return startClusterTarget({ ...given, eventLog: 'postgresql' });
  throw new Error(`MILLRACE_E2E_TARGET: expected standalone, cluster or cluster-on-postgresql, got ${target}`);
}
