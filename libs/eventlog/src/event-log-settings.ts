import { defineSettings, type Settings, setting } from '@millrace/config';

/** Where the event log is. Every service takes this table; `openEventLog` chooses by it. */
export const eventLogSettings = defineSettings({
  KAFKA_BROKERS: setting.list({
    doc: 'Kafka brokers, host:port, comma-separated; empty: the log is in PostgreSQL (DATABASE_URL).',
    fallback: '',
  }),
  KAFKA_TOPIC_PREFIX: setting.text({
    doc: 'Put before every topic and group name, so that installations can share a cluster.',
    fallback: '',
    pattern: /^[a-z0-9._-]{0,40}$/,
  }),
  KAFKA_REPLICATION: setting.integer({
    doc: 'Replicas of each topic that Millrace creates; at most the number of brokers is used.',
    fallback: '3',
    min: 1,
    max: 9,
  }),
  KAFKA_TLS: setting.flag({ doc: 'TLS to the brokers.', fallback: 'false' }),
  KAFKA_TLS_CA_FILE: setting.optionalText({ doc: 'Certificate authority of the brokers, PEM; unset: the system’s.' }),
  KAFKA_TLS_CERT_FILE: setting.optionalText({ doc: 'Client certificate, PEM.' }),
  KAFKA_TLS_KEY_FILE: setting.optionalText({ doc: 'Key of the client certificate, PEM.' }),
  KAFKA_SASL_MECHANISM: setting.oneOf({
    doc: 'How to sign in at the brokers.',
    fallback: 'none',
    values: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
  }),
  KAFKA_SASL_USERNAME: setting.optionalText({ doc: 'User name at the brokers.' }),
  KAFKA_SASL_PASSWORD: setting.optionalText({ doc: 'Password at the brokers.', secret: true }),
});
export type EventLogSettings = Settings<typeof eventLogSettings>;
