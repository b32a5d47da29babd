/**
 * Transcode as a process of its own: parks at the ingests in TRANSCODE_INGEST_URLS and writes to TRANSCODE_DELIVERY_URLS; leases
 * tasks of media jobs from TRANSCODE_PROGRESS_URL.
 */
import { openJobLeaseClient, openSourceDeskClient, openWindowWriterClient, originName } from '@millrace/handover';
import { mediaStoreMetrics, openMediaStore } from '@millrace/media-store';
import { runServiceProcess } from '@millrace/process';
import { readTranscodeSettings } from './config.ts';
import { originChoices } from './metrics.ts';
import { OriginWriter } from './outbound/origin-writer.ts';
import { createTranscodeService, type TranscodeJobs } from './service.ts';

const settings = readTranscodeSettings();
const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
const workerId = settings.TRANSCODE_WORKER_ID;

await runServiceProcess({ name: 'transcode', settings, instanceId: workerId }, async (house) => {
  const { scope, clock, log } = house;
  const facts = await house.openFacts(await house.openEventLog());
  const origins = new Map(
    settings.TRANSCODE_DELIVERY_URLS.map((baseUrl) => [
      originName(baseUrl),
      scope.use(openWindowWriterClient({ baseUrl, serviceToken, clock, log }), `writer ${baseUrl}`),
    ]),
  );
  const patienceMs = settings.TRANSCODE_ORIGIN_PATIENCE_MS;
  const writer = new OriginWriter({ origins, patienceMs, clock, log, onChosen: originChoices(house.metrics) });
  const desks = settings.TRANSCODE_INGEST_URLS.map((baseUrl) =>
    scope.use(openSourceDeskClient({ baseUrl, serviceToken, clock, log }), `desk ${baseUrl}`),
  );
  const progressUrl = settings.TRANSCODE_PROGRESS_URL;
  const jobs = progressUrl === undefined ? undefined : await openJobs(progressUrl);
  return { service: await createTranscodeService({ ...house, settings, desks, writer, facts, workerId, jobs }) };

  async function openJobs(baseUrl: string): Promise<TranscodeJobs> {
    const metrics = mediaStoreMetrics(house.metrics);
    return {
      leases: scope.use(openJobLeaseClient({ baseUrl, serviceToken, clock, log }), 'job-leases'),
      mediaStore: scope.use(await openMediaStore({ ...house, settings, metrics }), 'media-store'),
      dataDir: settings.DATA_DIR,
    };
  }
});
