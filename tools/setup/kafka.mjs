/** The jars of the Kafka broker that the tests and `npm run kafka` start. */
import { ensureJars, jarsFolder } from './jars.mjs';

const kafka = {
  ...{ name: 'kafka', title: 'Apache Kafka', megabytes: 44 },
  instead: 'Try again with the network there, or set KAFKA_BROKERS=host:port to brokers of your own.',
};

/** The folder of the jars, there or not. */
export function kafkaJarsFolder() {
  return jarsFolder(kafka);
}

/** Makes sure that Java and the broker's jars are there, unless KAFKA_BROKERS names brokers to use instead. */
export async function ensureKafka() {
  if (!process.env['KAFKA_BROKERS']) await ensureJars(kafka);
}
