/** Control as a process of its own: `main.ts`, or `main.ts admin-link` to print a fresh one-time admin link as well. */
import { runServiceProcess } from '@millrace/process';
import { readControlSettings } from './config.ts';
import { createControlService } from './service.ts';

const settings = readControlSettings();
const instanceId = settings.CONTROL_INSTANCE_ID;

await runServiceProcess({ name: 'control', settings, instanceId }, async (house) => {
  const { sql, eventLog } = await house.openDatabase(settings.DATABASE_URL);
  const service = await createControlService({ ...house, settings, sql, eventLog });
  const link = process.argv.includes('admin-link') ? await service.mintAdminLink() : service.firstAdminLink;
  return {
    service,
    httpPort: settings.HTTP_PORT,
    onListening: () => {
      if (link) process.stdout.write(`sign in as the admin (once, within an hour): ${link.url}\n`);
    },
  };
});
