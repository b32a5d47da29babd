import { allTopics, beaconsTopic, healthTopic, streamsTopic, viewerSessionsTopic } from '@millrace/events';
import { describe, expect, it } from 'vitest';
import { factTables, factTopics, rowsOf } from './fact-rows.ts';

const beacon = {
  ...{ type: 'BeaconReceived', session_id: 's', stream_id: 'str', owner_id: 'own', instance_id: 'i', at_ms: 1 },
  ...{ version: 2, mode: 'event' },
};

describe('the rows of facts', () => {
  it('come of every topic that analytics takes, and of no other', () => {
    const names = new Set(factTopics.map((topic) => topic.name));
    for (const topic of allTopics) {
      const rows = rowsOf({ topic: topic.name, key: 'k', value: { warnings: [], title: 't' } });
      expect(rows.length, topic.name).toBe(names.has(topic.name) ? 1 : 0);
      for (const { table } of rows) expect(factTables).toContain(table);
    }
    expect(
      new Set([...names].map((topic) => rowsOf({ topic, key: 'k', value: { warnings: [], title: 't' } })[0]?.table)),
    ).toEqual(new Set(factTables));
  });

  it('are none of a tombstone: what was deleted keeps its history', () => {
    expect(rowsOf({ topic: streamsTopic.name, key: 'str', value: undefined })).toEqual([]);
  });

  it('hold what the columns take, so that no value stops its batch', () => {
    const wild = {
      ...beacon,
      latency_ms: -5,
      bitrate_kbps: 2 ** 40,
      player_session: 'a\ud800b',
      error_codes: ['\udc00'],
    };
    expect(rowsOf({ topic: beaconsTopic.name, key: 's', value: wild })[0]?.row).toMatchObject({
      ...{ latency_ms: 0, bitrate_kbps: 0xffff_ffff, player_session: 'a\ufffdb', error_codes: ['\ufffd'] },
      ...{ startup_ms: null, state: '', starved: false },
    });
    const health = {
      stream_id: 'str',
      at_ms: 1,
      width: -1,
      timestamp_gaps: -1,
      warnings: [{ code: 'c', message: 'm' }],
    };
    expect(rowsOf({ topic: healthTopic.name, key: 'str', value: health })[0]?.row).toMatchObject({
      ...{ width: 0, timestamp_gaps: 0, warnings: ['c'] },
    });
  });

  it('say unknown where the country is not known', () => {
    const joined = { ...beacon, type: 'ViewerJoined', joined_at_ms: 1, viewer_hash: 'h', device: 'tv', player: '' };
    expect(rowsOf({ topic: viewerSessionsTopic.name, key: 's', value: joined })[0]?.row).toMatchObject({
      ...{ country: 'unknown', player: 'unknown', counted_ms: 0 },
    });
  });
});
