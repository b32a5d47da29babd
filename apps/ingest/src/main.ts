/** Ingest as a process of its own: facts through a spool, workers parked over HTTP at the internal listener. */
import { openSourceClaimServer, sourceClaimMetrics } from '@millrace/handover';
import { runServiceProcess } from '@millrace/process';
import { readIngestSettings } from './config.ts';
import { createIngestService } from './service.ts';

const settings = readIngestSettings();
const instanceId = settings.INGEST_INSTANCE_ID;

await runServiceProcess({ name: 'ingest', settings, instanceId }, async (house) => {
  const { scope, clock, log, metrics } = house;
  const eventLog = await house.openEventLog();
  const facts = await house.openFacts(eventLog);
  const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
  const claims = { serviceToken, clock, log, onEvent: sourceClaimMetrics(metrics) };
  const workers = scope.use(openSourceClaimServer(claims), 'source-claims');
  const deps = { ...house, settings, eventLog, facts, workers, internalMounts: [workers.mount] };
  return { service: await createIngestService(deps) };
});
