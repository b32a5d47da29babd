/**
 * Other people's Kafka clients read our topics: keys, values and the CloudEvents headers as the binding wants them (binary mode).
 * kcat (librdkafka) and, in a virtual environment under the cache folder, kafka-python, which shares no code with it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openKafkaEventLog, record, tombstone } from '@millrace/eventlog';
import { type LiveStreamFact, liveStreamsTopic, type StreamKeyState, streamKeysTopic } from '@millrace/events';
import { silentLogger } from '@millrace/log';
import { type Kafka, startKafka } from '../kafka/kafka.ts';
import { startChild } from '../rig/child.ts';
import { cacheDir } from '../setup/workspace.mjs';

export interface LogReader {
  readonly name: string;
  /** Prints the client's version. */
  readonly version: () => Promise<string>;
  /** Reads topics and says whether it found what was written. */
  read(written: Written): Promise<{ readonly ok: boolean; readonly detail: string }>;
}

/** What lies in the log, and what a reader has to find of it. */
export interface Written {
  readonly bootstrap: string;
  readonly topics: readonly string[];
  /** As `topic|key|value|ce_id|ce_type|ce_source|content-type`, one for each record, in the order of each key. */
  readonly lines: readonly string[];
}

const source = 'ingest-1';
const venv = join(cacheDir, 'log-readers');
const python = join(venv, 'bin', 'python');

/** Starts a broker and fills it through our own log. */
export async function writeForReaders(): Promise<Written & AsyncDisposable> {
  const kafka: Kafka = await startKafka();
  const topicPrefix = `interop-${process.pid}.`;
  const access = { brokers: kafka.bootstrap, topicPrefix, replication: 1 };
  await using log = await openKafkaEventLog({ access, source, log: silentLogger });
  const lines: string[] = [];
  const note = (
    topic: typeof liveStreamsTopic | typeof streamKeysTopic,
    key: string,
    value: unknown,
    id: string,
    type: string,
  ) => {
    // The log writes what the schema makes of a value.
    const text = value === undefined ? '' : JSON.stringify(topic.schema.parse(value));
    lines.push([`${topicPrefix}${topic.name}`, key, text, id, type, source, 'application/json'].join('|'));
  };
  for (let n = 0; n < 20; n++) {
    const fact: LiveStreamFact = {
      ...{ type: 'StreamInterrupted', stream_id: `str_${n % 3}`, owner_id: 'own_1', publish_id: 'pub_1', epoch: n + 1 },
      ...{ instance_id: source, at_ms: 1_700_000_000_000 + n, reason: 'Übergang – “quoted”', window_ms: 1_000 },
    };
    await log.publish([record(liveStreamsTopic, fact, { id: `evt_${n}` })]);
    note(liveStreamsTopic, fact.stream_id, fact, `evt_${n}`, 'StreamInterrupted');
  }
  const key: StreamKeyState = {
    ...{
      key_id: 'key_1',
      stream_id: 'str_1',
      owner_id: 'own_1',
      key_sha256: 'a'.repeat(64),
      label: '',
      revoked: false,
    },
  };
  await log.publish([record(streamKeysTopic, key, { id: 'evt_key' })]);
  note(streamKeysTopic, key.key_id, key, 'evt_key', streamKeysTopic.name);
  await log.publish([{ ...tombstone(streamKeysTopic, key.key_id), id: 'evt_gone' }]);
  note(streamKeysTopic, key.key_id, undefined, 'evt_gone', streamKeysTopic.name);
  return {
    ...{ bootstrap: kafka.bootstrap.join(','), lines },
    topics: [liveStreamsTopic, streamKeysTopic].map(({ name }) => `${topicPrefix}${name}`),
    [Symbol.asyncDispose]: () => kafka[Symbol.asyncDispose](),
  };
}

const pythonReader = `
import sys
from kafka import KafkaConsumer
consumer = KafkaConsumer(*sys.argv[2].split(','), bootstrap_servers=sys.argv[1].split(','), auto_offset_reset='earliest',
                         enable_auto_commit=False, consumer_timeout_ms=4000)
for message in consumer:
    headers = {name: value.decode() for name, value in message.headers}
    value = '' if message.value is None else message.value.decode()
    assert headers['ce_specversion'] == '1.0' and headers['ce_time'].endswith('Z'), headers
    print('|'.join([message.topic, message.key.decode(), value] + [headers[n] for n in ('ce_id', 'ce_type', 'ce_source', 'content-type')]))
`;

export const logReaders: readonly LogReader[] = [
  {
    name: 'kcat',
    version: async () => /Version (\S+)/.exec(await output('kcat', ['-V']))?.[1] ?? 'unknown',
    read: async (written) => {
      const lines: string[] = [];
      for (const topic of written.topics) {
        // JSON keeps keys, values and headers apart; -e ends at the end of the partitions.
        const text = await output('kcat', [
          '-C',
          '-q',
          '-e',
          '-J',
          '-b',
          written.bootstrap,
          '-t',
          topic,
          '-o',
          'beginning',
        ]);
        for (const line of text.split('\n').filter(Boolean)) lines.push(lineOf(JSON.parse(line) as KcatMessage));
      }
      return compare(written.lines, lines);
    },
  },
  {
    name: 'kafka-python',
    version: async () => {
      await ensurePython();
      return (await output(python, ['-c', 'import kafka; print(kafka.__version__)'])).trim();
    },
    read: async (written) => {
      await ensurePython();
      const text = await output(python, ['-c', pythonReader, written.bootstrap, written.topics.join(',')]);
      return compare(written.lines, text.split('\n').filter(Boolean));
    },
  },
];

interface KcatMessage {
  readonly topic: string;
  readonly key: string;
  readonly payload: string | null;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

function lineOf({ topic, key, payload, headers }: KcatMessage): string {
  const header = (name: string) => headers[headers.indexOf(name) + 1] ?? '';
  return [topic, key, payload ?? '', ...['ce_id', 'ce_type', 'ce_source', 'content-type'].map(header)].join('|');
}

/** Order counts within a key; partitions may come in any order. */
function compare(written: readonly string[], read: readonly string[]): { ok: boolean; detail: string } {
  const byKey = (lines: readonly string[]) => {
    const groups = new Map<string, string[]>();
    for (const line of lines) {
      const id = line.split('|', 2).join('|');
      groups.set(id, [...(groups.get(id) ?? []), line]);
    }
    return JSON.stringify([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  if (byKey(written) === byKey(read))
    return { ok: true, detail: `${read.length} records with their headers, in order of each key` };
  const missing = written.find((line) => !read.includes(line));
  return {
    ok: false,
    detail: `${read.length} of ${written.length} records; missing or out of order: ${missing ?? read[0]}`,
  };
}

async function ensurePython(): Promise<void> {
  if (existsSync(join(venv, 'ready'))) return;
  await output('python3', ['-m', 'venv', venv]);
  await output(join(venv, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', 'kafka-python==2.2.15']);
  await output('touch', [join(venv, 'ready')]);
}

/** What a program printed on both outputs; throws when it fails. */
async function output(command: string, args: readonly string[]): Promise<string> {
  const child = startChild(command, args);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${child.log().slice(-500)}`);
  return child.log();
}
