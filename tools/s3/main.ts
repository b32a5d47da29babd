/** `npm run s3`: a real S3 server for development until Ctrl-C, with its objects in data/s3, and the settings that choose it. */
import { parseArgs } from 'node:util';
import { inRepository } from '../setup/workspace.mjs';
import { s3Settings, startS3Server } from './s3-server.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '9000' }, bucket: { type: 'string', default: 'millrace' } },
});
const { bucket } = values;
const server = await startS3Server({
  dataDir: inRepository('data', 's3'),
  port: Number(values.port),
  buckets: [bucket],
});
const settings = s3Settings(server, `s3://${bucket}/media`);
for (const [name, value] of Object.entries(settings)) process.stdout.write(`${name}=${value}\n`);
await new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
await server[Symbol.asyncDispose]();
