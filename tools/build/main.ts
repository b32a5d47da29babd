/**
 * `npm run build`: one bundle per service in dist/<app>/main.mjs, with its migrations, and a package.json that names the few
 * packages that cannot be bundled (`npm install --omit=dev` beside it completes the folder); the studio in apps/studio/dist.
 * `--only-services` leaves the studio out, `--only-service NAME` builds one.
 */
import { parseArgs } from 'node:util';
import { ensureStudio } from '../setup/studio.mjs';
import { inRepository } from '../setup/workspace.mjs';
import { buildService, serviceApps } from './service-bundle.ts';

const { values } = parseArgs({
  options: { 'only-services': { type: 'boolean', default: false }, 'only-service': { type: 'string' } },
});
const only = values['only-service'];
if (!values['only-services'] && only === undefined) await ensureStudio();
if (only !== undefined && !serviceApps().includes(only)) {
  throw new Error(`--only-service: expected one of ${serviceApps().join(', ')}, got ${only}`);
}
for (const app of only === undefined ? serviceApps() : [only]) {
  const built = await buildService(app, inRepository('dist', app));
  const megabytes = (built.bytes / 1e6).toFixed(1);
  process.stdout.write(`dist/${app}/main.mjs  ${megabytes} MB  beside it: ${built.outside.join(', ') || 'nothing'}\n`);
}
