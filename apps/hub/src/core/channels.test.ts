/** Model test: instances read one log in different orders, a client moves between them, and must miss and repeat nothing. */
import type { ChannelPosition, HubChange } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveFact, streamDefinition } from '../testing.ts';
import { Boards, streamTopics } from './boards.ts';
import type { ChannelGroup, Subscriber } from './channel-group.ts';
import { Channels } from './channels.ts';
import type { SharedMessage } from './shared-message.ts';
import type { StreamParts } from './stream-shape.ts';
import type { View } from './view.ts';

const streamCount = 3;
const partitions = 2;
const id = (stream: number) => `str_${stream}`;

type Write =
  | { kind: 'define'; stream: number; visibility: 'public' | 'private' }
  | { kind: 'publish'; stream: number }
  | { kind: 'delete'; stream: number };
type Act =
  | { kind: 'write'; write: Write }
  | { kind: 'read'; instance: number; lane: number }
  | { kind: 'turn'; instance: number }
  | { kind: 'connect'; instance: number }
  | { kind: 'cut' };

/** Records by topic and partition; versions make each value recognisable. */
class ModelLog {
  readonly lanes: ((boards: Boards, offset: bigint) => void)[][] = Array.from({ length: partitions * 2 }, () => []);
  readonly #versions = new Map<string, number>();

  append(write: Write): void {
    const { stream } = write;
    const partition = stream % partitions;
    const facts = write.kind === 'publish';
    const topic = facts ? 'facts' : 'definitions';
    const version = (this.#versions.get(`${topic} ${stream}`) ?? 0) + 1;
    this.#versions.set(`${topic} ${stream}`, version);
    this.lanes[partition + (facts ? partitions : 0)]?.push((boards, offset) => {
      const spot = { partition, offset };
      if (write.kind === 'define') {
        const { visibility } = write;
        boards.defined(id(stream), streamDefinition(id(stream), { title: `${version}`, visibility }), spot);
      } else if (write.kind === 'delete') boards.defined(id(stream), undefined, spot);
      else boards.broadcast(liveFact(id(stream), 'StreamPublished', version, version), spot);
    });
  }
}

class Instance {
  readonly boards: Boards;
  readonly channels: Channels<StreamParts>;
  readonly #log: ModelLog;
  readonly #next = Array.from({ length: partitions * 2 }, () => 0);
  #due: (() => void)[] = [];

  constructor(log: ModelLog, history: number) {
    this.#log = log;
    this.boards = new Boards(history);
    this.boards.streams.begin('epoch');
    this.boards.streams.caughtUp(streamTopics.definitions, true);
    this.boards.streams.caughtUp(streamTopics.facts, false);
    this.channels = new Channels(this.boards.streams, {
      broadcast: (subscribers, message) => {
        for (const subscriber of subscribers) subscriber.deliver(message);
      },
      soon: (callback) => this.#due.push(callback),
    });
  }

  /** Reads one record of one partition, if there is one. */
  read(lane: number): boolean {
    const at = this.#next[lane] ?? 0;
    const record = this.#log.lanes[lane]?.[at];
    if (record === undefined) return false;
    record(this.boards, BigInt(at));
    this.#next[lane] = at + 1;
    return true;
  }

  readAll(): void {
    for (let lane = 0; lane < partitions * 2; lane++) while (this.read(lane));
  }

  turn(): void {
    for (const due of this.#due.splice(0)) due();
  }
}

class ModelClient implements Subscriber {
  readonly channel = 'streams' as const;
  readonly view: View;
  group: ChannelGroup | undefined;
  position: ChannelPosition | undefined;
  readonly seen = new Map<string, { title: number; since: number }>();
  readonly faults: string[] = [];
  snapshots = 0;

  constructor(view: View) {
    this.view = view;
  }

  deliver({ message }: SharedMessage): void {
    if (message.op === 'snapshot') {
      this.snapshots++;
      this.seen.clear();
      for (const stream of message.streams ?? []) this.seen.set(stream.stream_id, versionsOf(stream));
    } else if (message.op === 'delta' || message.op === 'recovered')
      for (const change of message.changes) this.#fold(change);
    if ('position' in message && message.position !== undefined) this.position = message.position;
  }

  ended(): void {}

  #fold(change: HubChange): void {
    if (change.kind === 'stream-removed') {
      if (!this.seen.delete(change.stream_id)) this.faults.push(`${change.stream_id} removed twice`);
    } else if (change.kind === 'stream') {
      const before = this.seen.get(change.stream.stream_id);
      const after = versionsOf(change.stream);
      this.seen.set(change.stream.stream_id, after);
      if (before === undefined || this.view.kind !== 'admin') return;
      const steps = after.title - before.title + (after.since - before.since);
      const backwards = after.title < before.title || after.since < before.since;
      if (steps !== 1 || backwards) this.faults.push(`${JSON.stringify(before)} -> ${JSON.stringify(after)}`);
    }
  }
}

function versionsOf(stream: { title: string; live_since: string | null }): { title: number; since: number } {
  return { title: Number(stream.title), since: stream.live_since === null ? 0 : Date.parse(stream.live_since) };
}

const visibility = fc.constantFrom('public' as const, 'private' as const);
const stream = fc.nat({ max: streamCount - 1 });
const write = (deletes: boolean): fc.Arbitrary<Write> =>
  fc.oneof(
    fc.record({ kind: fc.constant('define' as const), stream, visibility }),
    fc.record({ kind: fc.constant('publish' as const), stream }),
    ...(deletes ? [fc.record({ kind: fc.constant('delete' as const), stream })] : []),
  );
const acts = (deletes: boolean): fc.Arbitrary<Act[]> =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), write: write(deletes) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('read' as const),
          instance: fc.nat({ max: 1 }),
          lane: fc.nat({ max: partitions * 2 - 1 }),
        }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn' as const), instance: fc.nat({ max: 1 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('connect' as const), instance: fc.nat({ max: 1 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
    ),
    { maxLength: 120 },
  );

/** Plays the acts, then lets both instances read everything and the client come to rest. */
function play(script: readonly Act[], history: number, view: View) {
  const log = new ModelLog();
  for (let stream = 0; stream < streamCount; stream++) log.append({ kind: 'define', stream, visibility: 'public' });
  const instances = [new Instance(log, history), new Instance(log, history)];
  const client = new ModelClient(view);
  // Others of the same group, who stay: what waits to be sent to them must not reach a newcomer twice.
  const stayers = instances.map((instance) => {
    const stayer = new ModelClient(view);
    instance.channels.join(stayer, undefined, false);
    return stayer;
  });
  let at: { instance: Instance; joined: boolean } | undefined;
  const cut = () => {
    at?.instance.channels.leave(client);
    at = undefined;
  };
  const tryJoin = (patient: boolean) => {
    if (at === undefined || at.joined) return;
    at.joined = at.instance.channels.join(client, client.position, patient) !== 'wait';
  };
  for (const act of script) {
    if (act.kind === 'write') log.append(act.write);
    else if (act.kind === 'read') instances[act.instance]?.read(act.lane);
    else if (act.kind === 'turn') instances[act.instance]?.turn();
    else {
      cut();
      const instance = act.kind === 'connect' ? instances[act.instance] : undefined;
      if (instance) at = { instance, joined: false };
    }
    tryJoin(true);
  }
  for (const instance of instances) instance.readAll();
  if (at === undefined && instances[1]) at = { instance: instances[1], joined: false };
  tryJoin(true);
  for (const instance of instances) instance.turn();
  const truth = new ModelClient(view);
  at?.instance.channels.join(truth, undefined, false);
  return { client, truth, stayers };
}

describe('a client of several instances', () => {
  it('sees every change of state once and in order, wherever it re-connects', () => {
    fc.assert(
      fc.property(acts(false), (script) => {
        const { client, truth, stayers } = play(script, 1_000, { kind: 'admin' });
        for (const { faults, snapshots, seen } of [client, ...stayers]) {
          expect(faults).toEqual([]);
          expect(snapshots).toBe(1);
          expect(seen).toEqual(truth.seen);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('knows what there is in the end, however short the history that was kept for it', () => {
    fc.assert(
      fc.property(acts(true), fc.integer({ min: 1, max: 5 }), fc.boolean(), (script, history, admin) => {
        const { client, truth } = play(script, history, { kind: admin ? 'admin' : 'public' });
        expect(client.faults.filter((fault) => fault.endsWith('twice'))).toEqual([]);
        expect(client.seen).toEqual(truth.seen);
      }),
      { numRuns: 400 },
    );
  });
});
