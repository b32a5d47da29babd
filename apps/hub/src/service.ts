/**
 * Composition of the hub: the log on one side, sockets on the other, boards and channels between. It keeps nothing that the log
 * does not have, so any instance can take over any client.
 */
import { createTokenVerifier } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { revokedTokensTopic, signingKeysTopic } from '@millrace/events';
import { createClientAddress, type Service } from '@millrace/http';
import type { IdSource } from '@millrace/ids';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MetricsRegistry } from '@millrace/metrics';
import type { HubSettings } from './config.ts';
import { Boards } from './core/boards.ts';
import { Door } from './inbound/door.ts';
import { EventStreamMount } from './inbound/event-stream-mount.ts';
import { HubDesk } from './inbound/hub-desk.ts';
import { followLog } from './inbound/log-feed.ts';
import { WebSocketMount } from './inbound/websocket-mount.ts';
import { createHubMetrics, registerHubGauges } from './metrics.ts';
import { drainClients } from './outbound/drain.ts';
import { FanOut } from './outbound/fan-out.ts';

export interface HubDeps {
  readonly settings: HubSettings;
  readonly eventLog: EventLog;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  readonly instanceId: string;
}

const kilobyte = 1024;
/** Unsent bytes of a client beyond which counts and health are left out for it. */
const conflatedLimitBytes = 64 * kilobyte;
/** Parts in which clients are pinged, so that not all are at once. */
const pingShares = 20;
const housekeepingMs = 100;
const drainMs = 4_000;

/** Opens the hub. Closing it tells every client when to come back, and where it stood. */
export async function createHubService(deps: HubDeps): Promise<Service> {
  const { settings, eventLog, clock, instanceId } = deps;
  const log = deps.log.with({ component: 'hub' });
  const scope = new Scope({
    stepDeadlineMs: drainMs + settings.HUB_DRAIN_SPREAD_MS,
    onError: (step, error) => log.warn('close-step-failed', { step, error }),
  });
  const metrics = createHubMetrics(deps.metrics);
  const boards = new Boards(settings.HUB_HISTORY);
  const signingKeys = scope.use(eventLog.table(signingKeysTopic), 'signing key table');
  const revoked = scope.use(eventLog.table(revokedTokensTopic), 'revoked token table');
  const tokens = createTokenVerifier({ signingKeys, revoked, clock });
  const desk = new HubDesk({
    ...{ boards, tokens, clock, metrics, maxSubscriptions: settings.HUB_MAX_SUBSCRIPTIONS },
    resumeBelowBytes: conflatedLimitBytes,
  });
  const fanOut = new FanOut({
    ...{ metrics, conflatedLimitBytes, orderedLimitBytes: settings.HUB_MAX_QUEUED_KB * kilobyte },
    nowMs: () => clock.monotonicMs(),
    onSkipped: (client, message) => desk.skipped(client, message),
  });
  scope.use(fanOut, 'fan-out');
  const door = new Door({
    clock,
    maxSockets: settings.HUB_MAX_SOCKETS,
    maxPerAddress: settings.HUB_MAX_SOCKETS_PER_ADDRESS,
    maxHandshakesPerS: settings.HUB_MAX_HANDSHAKES_PER_S,
    allowedOrigins: settings.HUB_ALLOWED_ORIGINS,
    addressOf: createClientAddress(settings),
  });
  const pingMs = settings.HUB_PING_S * 1000;
  const shared = { desk, door, courier: fanOut, tokens, clock, log, metrics, instanceId, pingMs };
  const sockets = new WebSocketMount({ ...shared, maxRequestsPerS: settings.HUB_MAX_REQUESTS_PER_S });
  const events = new EventStreamMount({ ...shared, maxSubscriptions: settings.HUB_MAX_SUBSCRIPTIONS });

  scope.defer(
    'revocations',
    revoked.onChange((jti, value) => value !== undefined && desk.tokenRevoked(jti)),
  );
  scope.defer(
    'signing keys',
    signingKeys.onChange(
      () => void desk.checkTokens().catch((error: unknown) => log.warn('token-check-failed', { error })),
    ),
  );
  const progress = await followLog({ eventLog, boards, clock, metrics }, scope);
  const begin = async (signal: AbortSignal) => {
    const epoch = await eventLog.identity(signal);
    boards.streams.begin(epoch);
    boards.jobs.begin(epoch);
  };
  scope.use(new Background(begin, (error) => log.error('log-identity-failed', { error })), 'log identity');
  registerHubGauges(deps.metrics, {
    webSockets: () => sockets.count,
    eventStreams: () => events.count,
    subscriptions: () => desk.subscriptionCount,
    waiting: () => desk.waitingCount,
    groups: () => desk.groupCount,
    streams: () => boards.streams.size,
    jobs: () => boards.jobs.size,
    viewers: () => boards.audience.total,
  });

  let share = 0;
  const pingShare = (number: number) => {
    sockets.pingAll(number, pingShares);
    events.pingAll(number, pingShares);
  };
  const timers = [
    clock.every(housekeepingMs, () => desk.admitWaiting()),
    clock.every(settings.HUB_CONFLATE_MS, () => {
      const lost = boards.audience.expire();
      if (lost > 0) metrics.instancesLost.inc(lost);
      boards.health.expire(clock.monotonicMs());
      desk.sendConflated();
    }),
    clock.every(1_000, () => desk.expireTokens()),
    clock.every(pingMs / pingShares, () => pingShare(share++ % pingShares)),
  ];
  for (const timer of timers) scope.defer('timer', () => timer.cancel());
  scope.defer('clients', async () => {
    door.drain();
    desk.sendDue();
    fanOut.flush();
    await drainClients({
      clients: () => [...sockets.clients, ...events.clients],
      spreadMs: settings.HUB_DRAIN_SPREAD_MS,
      deadlineMs: drainMs,
      clock,
    });
    sockets.terminate();
    events.terminate();
  });

  return {
    name: 'hub',
    publicMounts: [sockets, events],
    internalMounts: [],
    readiness: () => {
      const tables = { 'signing keys': signingKeys, 'revoked tokens': revoked };
      const unread = Object.entries(tables).flatMap(([name, table]) => (table.isReady ? [] : [name]));
      const reasons = [...progress.behind, ...unread].map((what) => `${what} still to be read`);
      return { ready: reasons.length === 0 && boards.streams.isReady && boards.jobs.isReady, reasons };
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
