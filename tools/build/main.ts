/**
 * `npm run build`: one bundle per service in dist/<app>/main.mjs, with its migrations, and a package.json that names the few
 * packages that cannot be bundled (`npm install --omit=dev` beside it completes the folder); the studio in apps/studio/dist.
 */
import { ensureStudio } from '../setup/studio.mjs';
import { inRepository } from '../setup/workspace.mjs';
import { buildService, serviceApps } from './service-bundle.ts';

const onlyServices = process.argv.includes('--only-services');
if (!onlyServices) await ensureStudio();
for (const app of serviceApps()) {
  const built = await buildService(app, inRepository('dist', app));
  const megabytes = (built.bytes / 1e6).toFixed(1);
  process.stdout.write(`dist/${app}/main.mjs  ${megabytes} MB  beside it: ${built.outside.join(', ') || 'nothing'}\n`);
}
