/** Composition of control: migrations, signing key, tables, API, and the loops that follow the log. */
import { createTokenSigner, createTokenVerifier, hashSecret } from '@millrace/auth';
import type { Clock } from '@millrace/clock';
import type { EventLog } from '@millrace/eventlog';
import { liveStreamsTopic, revokedTokensTopic, signingKeysTopic, videosTopic } from '@millrace/events';
import { docsMount, honoMount, type OpenApiDocument, type Service } from '@millrace/http';
import { type IdSource, newId } from '@millrace/ids';
import { Background, Scope } from '@millrace/lifecycle';
import type { Logger } from '@millrace/log';
import type { MetricsRegistry } from '@millrace/metrics';
import { runMigrations, type Sql } from '@millrace/postgres';
import type { ControlSettings } from './config.ts';
import { type Addresses, addressesOf, signInUrl } from './core/addresses.ts';
import { type AdminLink, adminLinkLifetimeMs } from './core/admin-link.ts';
import { InstanceWatch } from './core/instance-watch.ts';
import { NewestHealth } from './core/newest-health.ts';
import { newSecretText } from './core/secret-text.ts';
import type { ControlStore } from './core/store.ts';
import { runInstanceWatcher } from './inbound/instance-watcher.ts';
import { createLiveFactHandler, liveFactsGroup } from './inbound/live-facts.ts';
import { followLiveness } from './inbound/liveness-feed.ts';
import { createControlApi } from './inbound/openapi.ts';
import { OwnedTable } from './inbound/owned-tables.ts';
import { runSweeper } from './inbound/sweeper.ts';
import { createControlMetrics } from './metrics.ts';
import { createControlStore, type Outbox } from './outbound/control-store.ts';
import { openSigningKey } from './outbound/signing-key-store.ts';
import { openWatchSeat } from './outbound/watch-seat.ts';

export { type Addresses, addressesOf };

export interface ControlDeps {
  readonly settings: ControlSettings;
  readonly sql: Sql;
  /** The event log and its outbox in the same database. */
  readonly eventLog: EventLog & Outbox;
  readonly log: Logger;
  readonly clock: Clock;
  readonly idSource: IdSource;
  readonly metrics: MetricsRegistry;
  /** Where the world reaches this installation, when ports are known only after start; default: from the settings. */
  readonly addresses?: () => Addresses;
  /** Name of this instance in live.instances.v1; default: a fresh one. */
  readonly instanceId?: string;
}

export interface ControlService extends Service {
  /** A link for the first admin; there until somebody has signed in once. */
  readonly firstAdminLink: AdminLink | undefined;
  /** Mints another one-time admin link: works once, for one hour. */
  mintAdminLink(): Promise<AdminLink>;
  /** Resolves once tokens can be verified. */
  readonly ready: Promise<void>;
  readonly openApi: OpenApiDocument;
  /** Answers an API request without a listener. */
  fetch(request: Request): Promise<Response>;
}

const healthCapacity = 10_000;
const healthStaleMs = 10_000;

/** Opens control on a database and an event log that stay their opener's. */
export async function createControlService(deps: ControlDeps): Promise<ControlService> {
  const { settings, sql, eventLog, log, clock, idSource } = deps;
  const scope = new Scope({ onError: (step, error) => log.warn('close-failed', { step, error }) });
  try {
    return await open();
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }

  async function open(): Promise<ControlService> {
    await runMigrations({ sql, schema: 'control', dir: new URL('../migrations', import.meta.url).pathname });
    const metrics = createControlMetrics(deps.metrics);
    const store = createControlStore(sql, eventLog);
    const signingKey = await openSigningKey(sql, eventLog, settings.CONTROL_KEY_SECRET?.reveal(), clock.nowMs());
    if (!signingKey.ok) throw new Error(signingKey.error.message);
    const { pair, state } = signingKey.value;

    const keysTable = scope.use(eventLog.table(signingKeysTopic), 'signing-keys');
    const revokedTable = scope.use(eventLog.table(revokedTokensTopic), 'revoked-tokens');
    const signingKeys = new OwnedTable(keysTable, 10);
    signingKeys.put(pair.kid, state);
    const revoked = new OwnedTable(revokedTable, 1_000);
    const videos = scope.use(eventLog.table(videosTopic), 'videos');
    const verifier = createTokenVerifier({ signingKeys, revoked, clock });
    const signer = await createTokenSigner({ ...pair, clock, idSource });

    const addresses = deps.addresses ?? (() => addressesFrom(settings));
    const health = new NewestHealth(healthCapacity, healthStaleMs);
    const watch = new InstanceWatch();
    const self = {
      instance_id: deps.instanceId ?? `control-${newId('evt', idSource).slice(4)}`,
      incarnation: clock.nowMs(),
    };

    await followLiveness({ eventLog, clock, health, watch, self, metrics }, scope);
    scope.use(
      await eventLog.consume({
        group: liveFactsGroup,
        topics: [liveStreamsTopic],
        handler: createLiveFactHandler(store, metrics),
      }),
      'live-facts',
    );

    let reachable = true;
    const seat = scope.use(openWatchSeat(sql), 'watch-seat');
    const watcher = {
      eventLog,
      seat,
      watch,
      clock,
      log,
      metrics,
      self,
      onRound: (ok: boolean) => void (reachable = ok),
    };
    const crashed = (loop: string) => (error: unknown) => log.error('loop-crashed', { loop, error });
    scope.use(new Background((signal) => runInstanceWatcher(watcher, signal), crashed('instance-watch')));
    scope.use(new Background((signal) => runSweeper({ store, clock, log, metrics }, signal), crashed('sweeper')));

    const api = createControlApi(
      {
        store,
        signer,
        verifier,
        clock,
        idSource,
        metrics,
        addresses,
        videos,
        health: (streamId, epoch) => health.get(streamId, epoch, clock.monotonicMs()),
        onRevoked: (jti, expires_at_ms) => revoked.put(jti, { jti, revoked_at_ms: clock.nowMs(), expires_at_ms }),
        limits: {
          maxStreamsPerOwner: settings.CONTROL_MAX_STREAMS_PER_OWNER,
          maxTokensPerOwner: settings.CONTROL_MAX_TOKENS_PER_OWNER,
          signInLifetimeS: settings.CONTROL_SIGN_IN_HOURS * 3600,
        },
      },
      log,
    );
    const ready = Promise.all([keysTable.ready, revokedTable.ready]).then(() => undefined);
    ready.catch(() => {}); // rejects when control closes before it was ready; nobody has to wait for it
    const mintAdminLink = () => mint(store, deps, addresses());
    const firstAdminLink = (await store.signIns.anybodySignedIn()) ? undefined : await mintAdminLink();

    return {
      name: 'control',
      publicMounts: [
        honoMount('/api/v1', api.app),
        // Below the videos of progress: only control can sign.
        honoMount('/api/v1/videos/{id}/playback-tokens', api.app),
        docsMount({ openApiUrl: '/api/v1/openapi.json', title: 'Millrace API' }),
      ],
      internalMounts: [],
      readiness() {
        const reasons = [
          ...(keysTable.isReady ? [] : ['the table of signing keys is still being read']),
          ...(revokedTable.isReady ? [] : ['the table of revoked tokens is still being read']),
          ...(reachable ? [] : ['the database did not answer']),
        ];
        return { ready: reasons.length === 0, reasons };
      },
      firstAdminLink,
      mintAdminLink,
      ready,
      openApi: api.document,
      fetch: async (request) => api.app.fetch(request),
      [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
    };
  }
}

async function mint(store: ControlStore, deps: ControlDeps, at: Addresses): Promise<AdminLink> {
  const code = newSecretText(deps.idSource.random);
  const createdAtMs = deps.clock.nowMs();
  const expiresAtMs = createdAtMs + adminLinkLifetimeMs;
  const ownerId = await store.signIns.firstAdmin(newId('own', deps.idSource), createdAtMs);
  await store.signIns.addCode({ sha256: hashSecret(code), ownerId, role: 'admin', createdAtMs, expiresAtMs });
  return { url: signInUrl(at, code), expiresAtMs };
}

function addressesFrom(settings: ControlSettings): Addresses {
  return addressesOf({
    publicUrl: settings.PUBLIC_URL,
    rtmpHost: settings.CONTROL_RTMP_HOST,
    rtmpPort: settings.RTMP_PORT,
    rtmpsPort: settings.RTMPS_PORT === undefined ? undefined : Number(settings.RTMPS_PORT),
  });
}
