/** Delivery as a process of its own: players on one listener, writers, metrics and health on another. */
import { join } from 'node:path';
import { openWindowWriterServer, windowWriteMetrics } from '@millrace/handover';
import { mediaStoreMetrics, openMediaStore } from '@millrace/media-store';
import { runServiceProcess } from '@millrace/process';
import { edgeSettings, readDeliverySettings } from './config.ts';
import { createDeliveryService } from './service.ts';

const settings = readDeliverySettings();
const instanceId = settings.DELIVERY_INSTANCE_ID;

await runServiceProcess({ name: 'delivery', settings, instanceId }, async (house) => {
  const eventLog = await house.openEventLog();
  const facts = await house.openFacts(eventLog);
  const metrics = mediaStoreMetrics(house.metrics);
  const mediaStore = house.scope.use(await openMediaStore({ ...house, settings, metrics }), 'media-store');
  const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
  const edge = settings.DELIVERY_ROLE === 'edge' ? edgeSettings(settings) : undefined;
  const journalDir = join(settings.DATA_DIR, 'viewers');
  const deps = { ...house, settings, eventLog, facts, mediaStore, journalDir, serviceToken, edge };
  const service = await createDeliveryService(deps);
  const writerServer = openWindowWriterServer({
    writer: service.writer,
    serviceToken,
    log: house.log,
    onEvent: windowWriteMetrics(house.metrics),
  });
  return { service, httpPort: settings.HTTP_PORT, internalMounts: [writerServer.mount] };
});
