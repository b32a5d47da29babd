/** Progress as a process of its own: the API on one listener, workers, metrics and health on another. */
import { openJobLeaseServer } from '@millrace/handover';
import { mediaStoreMetrics, openMediaStore } from '@millrace/media-store';
import { runServiceProcess } from '@millrace/process';
import { readProgressSettings } from './config.ts';
import { createProgressService } from './service.ts';

const settings = readProgressSettings();
const instanceId = settings.PROGRESS_INSTANCE_ID;

await runServiceProcess({ name: 'progress', settings, instanceId }, async (house) => {
  const { sql, eventLog } = await house.openDatabase(settings.DATABASE_URL);
  // synced: bytes of an upload that a client was told are here may be nowhere else
  const metrics = mediaStoreMetrics(house.metrics);
  const mediaStore = house.scope.use(await openMediaStore({ ...house, settings, metrics, fsync: true }), 'media-store');
  const service = await createProgressService({ ...house, settings, sql, eventLog, mediaStore });
  const { leases } = service;
  const server = openJobLeaseServer({
    ...{ leases, serviceToken: settings.MILLRACE_SERVICE_TOKEN, log: house.log },
    onEvent: service.countLeaseCall,
  });
  house.scope.use(server, 'lease-server');
  return { service, httpPort: settings.HTTP_PORT, internalMounts: [server.mount] };
});
