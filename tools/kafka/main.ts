/** `npm run kafka [1|3]`: real brokers for development until Ctrl-C, with their data in data/kafka. */
import { parseArgs } from 'node:util';
import { inRepository } from '../setup/workspace.mjs';
import { startKafka } from './kafka.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '9092' }, temporary: { type: 'boolean', default: false } },
});
const brokers = positionals[0] === '3' ? 3 : 1;
const dataDir = inRepository('data', `kafka-${brokers}`);
const kafka = await startKafka(values.temporary ? { brokers } : { brokers, dataDir, firstPort: Number(values.port) });
process.stdout.write(`KAFKA_BROKERS=${kafka.bootstrap.join(',')}\n`);
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
await kafka[Symbol.asyncDispose]();
