import { readFileSync } from 'node:fs';
import type { EventLogSettings } from '../event-log-settings.ts';
import type { KafkaAccess } from './kafka-connection.ts';

/** Reads the KAFKA_* settings and the files they name. Throws with a text for the operator. */
export function kafkaAccess(settings: EventLogSettings): KafkaAccess {
  const read = (name: 'KAFKA_TLS_CA_FILE' | 'KAFKA_TLS_CERT_FILE' | 'KAFKA_TLS_KEY_FILE') => {
    const file = settings[name];
    if (file === undefined) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new Error(`${name}: expected a readable PEM file at ${file}`, { cause: error });
    }
  };
  const [ca, cert, key] = [read('KAFKA_TLS_CA_FILE'), read('KAFKA_TLS_CERT_FILE'), read('KAFKA_TLS_KEY_FILE')];
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error('expected KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE together, got only one of them');
  }
  if (!settings.KAFKA_TLS && (ca !== undefined || cert !== undefined)) {
    throw new Error('KAFKA_TLS_*_FILE are set but KAFKA_TLS is not: expected KAFKA_TLS=true');
  }
  return {
    brokers: settings.KAFKA_BROKERS,
    topicPrefix: settings.KAFKA_TOPIC_PREFIX,
    replication: settings.KAFKA_REPLICATION,
    ...(settings.KAFKA_TLS && { ssl: { ...(ca && { ca: [ca] }), ...(cert && { cert }), ...(key && { key }) } }),
    ...saslOf(settings),
  };
}

function saslOf(settings: EventLogSettings): Pick<KafkaAccess, 'sasl'> {
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  if (mechanism === 'none') return {};
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  if (username === undefined || password === undefined) {
    throw new Error(`KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`);
  }
  return { sasl: { mechanism: mechanism as 'plain', username, password } };
}
