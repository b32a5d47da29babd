/**
 * One real Kafka broker for a whole test run: started in the test runner's main process when the first test asks, stopped
 * when the run ends. The broker dies with this process, however that ends.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kafka, startKafka } from '../kafka/kafka.ts';

/** Quick retention and compaction, so that tests can wait for them. */
const settings = {
  'log.retention.check.interval.ms': 300,
  'log.initial.task.delay.ms': 100,
  'log.cleaner.backoff.ms': 300,
  'offsets.retention.check.interval.ms': 600_000,
};

/** Opens the supervisor; `socketPath` goes into the environment of the test processes. */
export async function openTestKafkaSupervisor(): Promise<{ socketPath: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), `millrace-kafka-${process.pid}-socket-`));
  const socketPath = join(folder, 'supervisor.sock');
  let kafka: Promise<Kafka> | undefined;
  const server = createServer((_request, response) => {
    kafka ??= startKafka({ settings });
    kafka.then(
      (opened) => response.end(JSON.stringify({ bootstrap: opened.bootstrap })),
      (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  server.unref();
  return {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      const opened = await kafka?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
