import { randomBytes } from 'node:crypto';
import { systemClock } from '@millrace/clock';
import { Secret } from '@millrace/config';
import { silentLogger } from '@millrace/log';
import { afterAll, beforeAll } from 'vitest';
// The real server is started as every other program that tests need.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { type S3Server, startS3Server } from '../../../../tools/s3/s3-server.ts';
import { mediaStoreContract } from '../contract.ts';
import type { MediaStore } from '../media-store.ts';
import { noStoreObserver } from '../store-observer.ts';
import type { S3Access } from './s3-access.ts';
import { openS3Store } from './s3-store.ts';

const mebibyte = 1024 * 1024;
let server: S3Server;
const opened: AsyncDisposable[] = [];

beforeAll(async () => {
  server = await startS3Server({ buckets: ['millrace'] });
});
afterAll(async () => {
  for (const each of opened) await each[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** An empty place in the bucket. */
function place(over: Partial<S3Access> = {}): S3Access {
  return {
    ...{ bucket: 'millrace', prefix: `${randomBytes(6).toString('hex')}/`, endpoint: server.endpoint, pathStyle: true },
    ...{ region: undefined, credentials: { keyId: server.keyId, secret: new Secret(server.secret) } },
    ...{ encryption: 'none', kmsKeyId: undefined, partBytes: 5 * mebibyte, connections: 100 },
    ...over,
  };
}

async function open(access = place(), observer = noStoreObserver): Promise<MediaStore> {
  const store = await openS3Store({ access, clock: systemClock, log: silentLogger, observer });
  opened.push(store);
  return store;
}

mediaStoreContract('the S3 store', () => open(), { objectsAreFiles: true });
