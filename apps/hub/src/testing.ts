/** A hub on a real listener, with a log in memory that several hubs may share, for tests. */

import { createTokenSigner, generateSigningKey, type TokenSigner } from '@millrace/auth';
import { type Clock, systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import type { EventLog } from '@millrace/eventlog';
import { record } from '@millrace/eventlog';
import { MemoryStore, openMemoryEventLog } from '@millrace/eventlog/testing';
import {
  audienceTopic,
  instancesTopic,
  type LiveStreamFact,
  liveStreamsTopic,
  type StreamDefinition,
  signingKeysTopic,
  streamsTopic,
} from '@millrace/events';
import { type HttpServer, openHttpServer, type Service } from '@millrace/http';
import { systemIdSource } from '@millrace/ids';
import { Scope } from '@millrace/lifecycle';
import { type Logger, silentLogger } from '@millrace/log';
import { type MetricsRegistry, openMetricsRegistry } from '@millrace/metrics';
import { expectOk } from '@millrace/result';
import { hubSettings } from './config.ts';
import { createHubService } from './service.ts';

export interface TestHub extends AsyncDisposable {
  readonly service: Service;
  readonly server: HttpServer;
  readonly metrics: MetricsRegistry;
  readonly url: string;
  readonly http: string;
}

export interface TestHubOptions {
  readonly instanceId?: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly port?: number;
}

/** What several hubs share, and a writer into it. */
export class TestPlant implements AsyncDisposable {
  readonly eventLog: EventLog;
  readonly #store = new MemoryStore();
  readonly #scope = new Scope();
  #signer: TokenSigner | undefined;

  constructor() {
    this.eventLog = openMemoryEventLog({ store: this.#store });
    this.#scope.use(this.eventLog, 'event log');
  }

  /** A hub of its own log connection; closed with the plant unless it was closed before. */
  async openHub(options: TestHubOptions = {}): Promise<TestHub> {
    const scope = new Scope();
    const eventLog = scope.use(openMemoryEventLog({ store: this.#store }), 'event log');
    const metrics = openMetricsRegistry({ processMetrics: false });
    const settings = expectOk(
      loadSettings(hubSettings, {
        ...{ HUB_DRAIN_SPREAD_MS: '100', HUB_MAX_SOCKETS_PER_ADDRESS: '20000', HUB_CONFLATE_MS: '50' },
        ...options.settings,
      }),
      'hub settings',
    );
    const log = options.log ?? silentLogger;
    const listener = scope.use(new Scope(), 'listener');
    const service = scope.use(
      await createHubService({
        ...{ settings, eventLog, log, clock: options.clock ?? systemClock, idSource: systemIdSource, metrics },
        instanceId: options.instanceId ?? 'hub-1',
      }),
      'hub',
    );
    const limits = { maxConnections: 20_000 };
    const server = listener.use(
      await openHttpServer({ host: '127.0.0.1', port: options.port ?? 0, mounts: service.publicMounts, log, limits }),
      'http',
    );
    scope.defer('front door', () => server.stopAccepting());
    const close = () => scope[Symbol.asyncDispose]();
    this.#scope.defer('hub', close);
    const address = `127.0.0.1:${server.port}`;
    return {
      service,
      server,
      metrics,
      url: `ws://${address}/ws`,
      http: `http://${address}`,
      [Symbol.asyncDispose]: close,
    };
  }

  /** A signer whose key the hubs know (once they have read it). */
  async signer(): Promise<TokenSigner> {
    if (this.#signer !== undefined) return this.#signer;
    const pair = await generateSigningKey();
    await this.eventLog.publish([
      record(signingKeysTopic, { kid: pair.kid, public_jwk: { ...pair.publicJwk }, created_at_ms: Date.now() }),
    ]);
    this.#signer = await createTokenSigner({ ...pair, clock: systemClock, idSource: systemIdSource });
    return this.#signer;
  }

  async define(streamId: string, change: Partial<StreamDefinition> = {}): Promise<void> {
    await this.eventLog.publish([record(streamsTopic, streamDefinition(streamId, change))]);
  }

  async deleteStream(streamId: string): Promise<void> {
    await this.eventLog.publish([{ topic: streamsTopic, key: streamId, value: undefined }]);
  }

  async broadcast(streamId: string, type: LiveStreamFact['type'], epoch = 1): Promise<void> {
    await this.eventLog.publish([record(liveStreamsTopic, liveFact(streamId, type, epoch))]);
  }

  async count(streamId: string, viewers: number, instance_id = 'delivery-1', incarnation = 1): Promise<void> {
    const seen = { instance_id, incarnation, service: 'delivery', at_ms: Date.now() };
    const counted = { type: 'AudienceCounted' as const, stream_id: streamId, instance_id, incarnation, viewers };
    await this.eventLog.publish([
      record(instancesTopic, seen),
      record(audienceTopic, { ...counted, at_ms: Date.now() }),
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope[Symbol.asyncDispose]();
  }
}

export function streamDefinition(streamId: string, change: Partial<StreamDefinition> = {}): StreamDefinition {
  return {
    stream_id: streamId,
    playback_id: streamId.replace(/^str_/, 'play_'),
    owner_id: 'own_1',
    title: `title of ${streamId}`,
    visibility: 'public',
    latency_mode: 'low',
    created_at_ms: 1,
    updated_at_ms: 1,
    ...change,
  };
}

export function liveFact(streamId: string, type: LiveStreamFact['type'], epoch = 1, at_ms = 1_000): LiveStreamFact {
  const common = {
    stream_id: streamId,
    owner_id: 'own_1',
    epoch,
    publish_id: `pub_${epoch}`,
    instance_id: 'ingest-1',
    at_ms,
  };
  switch (type) {
    case 'StreamInterrupted':
      return { ...common, type, reason: 'connection-lost', window_ms: 30_000 };
    case 'StreamEnded':
      return { ...common, type, reason: 'encoder-stopped' };
    default:
      return { ...common, type, key_id: 'key_1' };
  }
}
