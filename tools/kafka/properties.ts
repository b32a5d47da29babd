/** The server.properties of one broker that is its own controller (KRaft), small and quick to start. */
export interface BrokerPlan {
  readonly id: number;
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Of every broker, by id: the static quorum. */
  readonly controllers: ReadonlyMap<number, number>;
  readonly secure?: { readonly port: number; readonly keyFile: string; readonly users: ReadonlyMap<string, string> };
  /** Overrides, e.g. `log.retention.check.interval.ms`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

export function serverProperties(plan: BrokerPlan): string {
  const listeners = [`PLAINTEXT://127.0.0.1:${plan.port}`];
  if (plan.secure) listeners.push(`SASL_SSL://127.0.0.1:${plan.secure.port}`);
  const replicas = Math.min(3, plan.controllers.size);
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': plan.id,
    'controller.quorum.voters': [...plan.controllers].map(([id, port]) => `${id}@127.0.0.1:${port}`).join(','),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${plan.controllerPort}`].join(','),
    'advertised.listeners': listeners.join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': plan.dataDir,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Members of tests that were killed are to be missed soon.
    'group.min.session.timeout.ms': 500,
    // A killed broker may register again only when its session has run out.
    'broker.session.timeout.ms': 1_500,
    'broker.heartbeat.interval.ms': 250,
    'auto.create.topics.enable': 'false',
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 1,
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    ...(plan.secure ? secureSettings(plan.secure) : {}),
    ...plan.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function secureSettings({ keyFile, users }: NonNullable<BrokerPlan['secure']>): Record<string, string> {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  const known = [...users].map(([name, password]) => `user_${name}="${password}"`).join(' ');
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `${plain} required ${known};`,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${scram} required;`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${scram} required;`,
    'listener.name.sasl_ssl.ssl.keystore.type': 'PEM',
    'listener.name.sasl_ssl.ssl.keystore.location': keyFile,
  };
}
