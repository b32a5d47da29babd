/**
 * The jars of the Kafka broker that the tests and `npm run kafka` start, fetched once from Maven Central and kept in the cache
 * folder. Afterwards nothing needs the network.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.mjs';
import { ensurePrograms, findOnPath, programs } from './programs.mjs';
import { SetupStop, say } from './report.mjs';
import { cacheDir, inRepository } from './workspace.mjs';

const pom = inRepository('tools', 'kafka', 'pom.xml');

/** The folder of the jars that this pom.xml asks for, there or not. */
export function kafkaJarsFolder() {
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  return join(cacheDir, 'kafka', version);
}

/** Makes sure that Java and the broker's jars are there, unless KAFKA_BROKERS names brokers to use instead. */
export async function ensureKafka() {
  if (process.env['KAFKA_BROKERS']) return;
  await ensurePrograms(['java']);
  const folder = kafkaJarsFolder();
  if (existsSync(folder)) return;
  await ensurePrograms(['mvn']);
  say('fetching Apache Kafka from Maven Central (44 MB, once)');
  mkdirSync(join(cacheDir, 'kafka'), { recursive: true });
  // Into a folder beside it, renamed when it is whole: an interrupted download is seen as none.
  const fresh = mkdtempSync(join(cacheDir, 'kafka', 'fetching-'));
  try {
    const goal = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`];
    const mvn = findOnPath(programs.mvn.names) ?? 'mvn';
    if ((await run(mvn, goal, { quiet: true })) !== 0) {
      throw new SetupStop([
        'Maven could not fetch the jars of Apache Kafka (see above).',
        'Try again with the network there, or set KAFKA_BROKERS=host:port to brokers of your own.',
      ]);
    }
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
