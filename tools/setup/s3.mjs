/** The jars of the S3 server that the tests and `npm run s3` start. */
import { ensureJars, jarsFolder } from './jars.mjs';

const s3Proxy = {
  ...{ name: 's3', title: 'S3Proxy', megabytes: 33 },
  instead: 'Try again with the network there.',
};

/** The folder of the jars, there or not. */
export function s3JarsFolder() {
  return jarsFolder(s3Proxy);
}

/** Makes sure that Java and the server's jars are there. */
export async function ensureS3() {
  await ensureJars(s3Proxy);
}
