/** Transcode as a process of its own: parks at the ingests in TRANSCODE_INGEST_URLS and writes to TRANSCODE_DELIVERY_URL. */
import { openSourceDeskClient, openWindowWriterClient } from '@millrace/handover';
import { runServiceProcess } from '@millrace/process';
import { readTranscodeSettings } from './config.ts';
import { createTranscodeService } from './service.ts';

const settings = readTranscodeSettings();
const serviceToken = settings.MILLRACE_SERVICE_TOKEN;
const workerId = settings.TRANSCODE_WORKER_ID;

await runServiceProcess({ name: 'transcode', settings, instanceId: workerId }, async (house) => {
  const { scope, clock, log } = house;
  const facts = await house.openFacts(await house.openEventLog());
  const delivery = { baseUrl: settings.TRANSCODE_DELIVERY_URL, serviceToken, clock, log };
  const writer = scope.use(openWindowWriterClient(delivery), 'writer');
  const desks = settings.TRANSCODE_INGEST_URLS.map((baseUrl) =>
    scope.use(openSourceDeskClient({ baseUrl, serviceToken, clock, log }), `desk ${baseUrl}`),
  );
  return { service: await createTranscodeService({ ...house, settings, desks, writer, facts, workerId }) };
});
