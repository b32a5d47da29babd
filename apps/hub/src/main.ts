/** The hub as a process of its own: clients on one listener, metrics and health on another. */
import { runServiceProcess } from '@millrace/process';
import { readHubSettings } from './config.ts';
import { createHubService } from './service.ts';

const settings = readHubSettings();
const instanceId = settings.HUB_INSTANCE_ID;
// Clients are sent away over a while; nobody is to be cut off before.
const drainS = Math.max(settings.DRAIN_DEADLINE_S, 10 + Math.ceil(settings.HUB_DRAIN_SPREAD_MS / 1_000));
const options = { name: 'hub', settings: { ...settings, DRAIN_DEADLINE_S: drainS }, instanceId };

await runServiceProcess(options, async (house) => {
  const eventLog = await house.openEventLog();
  // It says that this instance is alive, by which the hub also tells an outage of the log from silence.
  await house.openFacts(eventLog);
  const service = await createHubService({ ...house, settings, eventLog });
  const httpLimits = { maxConnections: settings.HUB_MAX_SOCKETS + 1_000 };
  return { service, httpPort: settings.HTTP_PORT, httpLimits };
});
