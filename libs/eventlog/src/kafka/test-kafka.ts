/** Where tests find the test run's Kafka broker. The broker itself is tools/kafka's: a library cannot start one. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';

/** Environment variable that tells test processes where the run's supervisor listens. */
export const kafkaSupervisorVariable = 'MILLRACE_TEST_KAFKA';

export interface TestKafka {
  /** host:port of each broker, for KAFKA_BROKERS. */
  readonly bootstrap: readonly string[];
  /** Fresh: topics and groups under it are this caller's alone. For KAFKA_TOPIC_PREFIX. */
  readonly topicPrefix: string;
}

/**
 * A real broker for a test, shared by the whole run and started when the first test asks. Throws when it cannot start: tests
 * fail and say why.
 */
export async function testKafka(): Promise<TestKafka> {
  const topicPrefix = `t${randomBytes(5).toString('hex')}.`;
  // eslint-disable-next-line no-restricted-syntax -- how a test run tells its processes, as with PostgreSQL
  const environment = process.env;
  const given = environment['KAFKA_BROKERS'];
  if (given) return { bootstrap: given.split(',').map((one) => one.trim()), topicPrefix };
  const supervisor = environment[kafkaSupervisorVariable];
  if (supervisor === undefined) {
    throw new Error('expected a test run (vitest) or KAFKA_BROKERS: `npm run kafka` starts a broker and prints it');
  }
  return { bootstrap: await askSupervisor(supervisor), topicPrefix };
}

function askSupervisor(socketPath: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/' }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => {
        const answer = JSON.parse(body) as { bootstrap?: readonly string[]; error?: string };
        if (answer.bootstrap !== undefined) resolve(answer.bootstrap);
        else reject(new Error(`the tests' Kafka broker did not start: ${answer.error}`));
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}
