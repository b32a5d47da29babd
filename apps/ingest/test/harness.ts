/** A whole ingest on free ports with an in-memory log and recording workers, and ways to publish to it. */
import { createHash } from 'node:crypto';
import { systemClock } from '@millrace/clock';
import { loadSettings } from '@millrace/config';
import { type EventLog, type FactWriter, record, tombstone } from '@millrace/eventlog';
import { openMemoryEventLog, openMemoryFactWriter } from '@millrace/eventlog/testing';
import {
  type HealthSample,
  healthTopic,
  type LiveStreamFact,
  liveStreamsTopic,
  type StreamKeyState,
  streamKeysTopic,
  streamsTopic,
} from '@millrace/events';
import type { MediaTag } from '@millrace/flv';
import { createLocalSourceDesk, type SourceAssignment, type SourceEnd, type SourceLink } from '@millrace/handover';
import { newId, type StreamId, systemIdSource } from '@millrace/ids';
import { type Logger, silentLogger } from '@millrace/log';
import { openMetricsRegistry, renderMetrics } from '@millrace/metrics';
import { expectOk } from '@millrace/result';
import { ingestSettings } from '../src/config.ts';
import { createIngestService, type IngestService } from '../src/service.ts';

export interface SeenSource {
  readonly workerId: string;
  readonly assignment: SourceAssignment;
  readonly link: SourceLink;
  readonly seen: (MediaTag | 'interrupted' | SourceEnd)[];
  ready: boolean;
  /** Stop saying heartbeats, as a hung worker does. */
  silent: boolean;
}

export interface TestIngest extends AsyncDisposable {
  readonly service: IngestService;
  readonly eventLog: EventLog;
  readonly facts: LiveStreamFact[];
  readonly samples: HealthSample[];
  readonly sources: SeenSource[];
  readonly logged: string[];
  addStream(): Promise<{ streamId: StreamId; key: string; keyId: string }>;
  addKey(streamId: StreamId, change?: Partial<StreamKeyState>): Promise<{ key: string; keyId: string }>;
  revoke(streamId: StreamId, key: { key: string; keyId: string }): Promise<void>;
  deleteStream(streamId: StreamId): Promise<void>;
  park(workerId: string, slots?: number): AsyncDisposable;
  /** Sum of a metric's samples whose line contains `label`. */
  metric(name: string, label?: string): Promise<number>;
}

export const ownerId = newId('own');

export async function openIngest(
  given: {
    readonly env?: Readonly<Record<string, string>>;
    readonly eventLog?: EventLog;
    readonly facts?: (log: EventLog) => FactWriter;
    readonly parked?: number;
    readonly instanceId?: string;
    /** Keep no tags, for measurements. */
    readonly discard?: boolean;
  } = {},
): Promise<TestIngest> {
  const settings = expectOk(
    loadSettings(ingestSettings, { RTMP_HOST: '127.0.0.1', RTMP_PORT: '0', INGEST_DRAIN_MS: '500', ...given.env }),
    'test settings',
  );
  const instanceId = given.instanceId ?? 'ingest-test';
  const eventLog = given.eventLog ?? openMemoryEventLog();
  const { desk, workers } = createLocalSourceDesk();
  const metrics = openMetricsRegistry({ processMetrics: false });
  const logged: string[] = [];
  const service = await createIngestService({
    settings,
    eventLog,
    facts: given.facts?.(eventLog) ?? openMemoryFactWriter(eventLog, { instanceId }),
    workers,
    log: recordingLogger(logged),
    clock: systemClock,
    idSource: systemIdSource,
    metrics,
    instanceId,
  });
  const facts: LiveStreamFact[] = [];
  const samples: HealthSample[] = [];
  await eventLog.follow({
    topic: liveStreamsTopic,
    from: 'earliest',
    onRecord: (r) => void (r.value && facts.push(r.value)),
  });
  if (given.discard !== true)
    await eventLog.follow({
      topic: healthTopic,
      from: 'earliest',
      onRecord: (r) => void (r.value && samples.push(r.value)),
    });
  const sources: SeenSource[] = [];
  const heart = systemClock.every(250, () => {
    for (const source of sources) if (!source.silent) source.link.heartbeat(undefined);
  });
  const parked: AsyncDisposable[] = [];
  const park = (workerId: string, slots = 1) => {
    const place = desk.park({
      workerId,
      slots,
      accept: (assignment, link) => {
        const source: SeenSource = { workerId, assignment, link, seen: [], ready: true, silent: false };
        sources.push(source);
        return {
          tag: (tag) => {
            if (given.discard !== true) source.seen.push(tag);
            return source.ready;
          },
          interrupted: () => void source.seen.push('interrupted'),
          end: (reason) => void source.seen.push(reason),
        };
      },
    });
    parked.push(place);
    return place;
  };
  if (given.parked !== 0) park('worker-1', given.parked ?? 8);

  const addKey: TestIngest['addKey'] = async (streamId, change = {}) => {
    const key = `mk_${createHash('sha256').update(String(Math.random())).digest('hex').slice(0, 32)}`;
    const keyId = newId('key');
    const key_sha256 = createHash('sha256').update(key).digest('hex');
    const state = { key_id: keyId, stream_id: streamId, owner_id: ownerId, key_sha256, label: 'OBS', revoked: false };
    await eventLog.publish([record(streamKeysTopic, { ...state, ...change })]);
    return { key, keyId };
  };
  return {
    service,
    eventLog,
    facts,
    samples,
    sources,
    logged,
    park,
    addKey,
    async addStream() {
      const streamId = newId('str');
      const playback_id = newId('play');
      await eventLog.publish([
        record(streamsTopic, {
          stream_id: streamId,
          playback_id,
          owner_id: ownerId,
          title: 'Test',
          visibility: 'public' as const,
          latency_mode: 'low' as const,
          created_at_ms: 1,
          updated_at_ms: 1,
        }),
      ]);
      return { streamId, ...(await addKey(streamId)) };
    },
    async revoke(streamId, { key, keyId }) {
      const key_sha256 = createHash('sha256').update(key).digest('hex');
      const state = { key_id: keyId, stream_id: streamId, owner_id: ownerId, key_sha256, label: 'OBS', revoked: true };
      await eventLog.publish([record(streamKeysTopic, state)]);
    },
    deleteStream: (streamId) => eventLog.publish([tombstone(streamsTopic, streamId)]),
    async metric(name, label = '') {
      const { body } = await renderMetrics([metrics]);
      return body
        .split('\n')
        .filter((line) => line.startsWith(name) && line.includes(label))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
    async [Symbol.asyncDispose]() {
      heart.cancel();
      for (const place of parked) await place[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      if (given.eventLog === undefined) await eventLog[Symbol.asyncDispose]();
    },
  };
}

/** Waits until `condition` holds, or fails with `what` after `withinMs`. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 8_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`expected within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function recordingLogger(lines: string[]): Logger {
  if (process.env['TEST_LOG'] === undefined && lines === undefined) return silentLogger;
  const write = (event: string, fields: unknown) => {
    lines.push(`${event} ${JSON.stringify(fields)}`);
    if (process.env['TEST_LOG']) process.stderr.write(`${lines.at(-1)}\n`);
  };
  const make = (base: object): Logger => ({
    debug: (event, fields) => write(event, { ...base, ...fields }),
    info: (event, fields) => write(event, { ...base, ...fields }),
    warn: (event, fields) => write(event, { ...base, ...fields }),
    error: (event, fields) => write(event, { ...base, ...fields }),
    with: (fields) => make({ ...base, ...fields }),
  });
  return make({});
}
