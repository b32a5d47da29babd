-- One session of a viewer, folded from whatever facts of it came, in any order and however often: every column merges by a rule
-- that does not care (least, greatest, union); only sums of reports count on the exactly-once insertion.

CREATE TABLE IF NOT EXISTS sessions
(
    stream_id LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    owner_id LowCardinality(String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    -- (at ms, instance) of each ViewerJoined
    joins SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(Int64, String))) CODEC(ZSTD(1)),
    -- (at ms, instance, counted ms, reason) of each ViewerLeft
    lefts SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(Int64, String, UInt32, String))) CODEC(ZSTD(1)),
    -- empty where only beacons have come so far, or where it is not known
    playback_id SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    viewer_hash SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    country SimpleAggregateFunction(max, String),
    device SimpleAggregateFunction(max, String),
    player SimpleAggregateFunction(max, String),
    reports SimpleAggregateFunction(sum, UInt64),
    -- bit n is set when the n-th play state (from 1) of 'spkrawefqd' was reported
    states SimpleAggregateFunction(groupBitOr, UInt32),
    startup_ms SimpleAggregateFunction(min, Nullable(UInt32)),
    first_play SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    -- (at ms, state) of the reports in event mode, responses (`rr`) excepted: the session's play states in time
    timeline SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(Int64, String))) CODEC(ZSTD(1)),
    -- total starvation ms as reported: the first time (ms) at which it stood at that
    starved_totals SimpleAggregateFunction(minMap, Map(UInt32, Int64)) CODEC(ZSTD(1)),
    -- (at ms, ms) of each starvation whose length was reported
    starvations SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(Int64, UInt32))) CODEC(ZSTD(1)),
    -- at ms of each bare flag
    starved_flags SimpleAggregateFunction(groupUniqArrayArray, Array(Int64)) CODEC(ZSTD(1)),
    starved_count SimpleAggregateFunction(max, Nullable(UInt32)),
    latency_sum SimpleAggregateFunction(sum, UInt64),
    latency_reports SimpleAggregateFunction(sum, UInt64),
    kbps_sum SimpleAggregateFunction(sum, UInt64),
    kbps_reports SimpleAggregateFunction(sum, UInt64),
    dropped_frames SimpleAggregateFunction(max, Nullable(UInt32)),
    errors SimpleAggregateFunction(sum, UInt64),
    INDEX seen (first_seen, last_seen) TYPE minmax GRANULARITY 1,
    INDEX owners owner_id TYPE set(64) GRANULARITY 1
)
ENGINE = AggregatingMergeTree
ORDER BY (stream_id, session_id, owner_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS sessions_of_viewers TO sessions AS
SELECT
    stream_id,
    session_id,
    owner_id,
    min(least(joined_at, at)) AS first_seen,
    max(at) AS last_seen,
    groupUniqArrayIf((toUnixTimestamp64Milli(at), toString(instance_id)), type = 'ViewerJoined') AS joins,
    groupUniqArrayIf((toUnixTimestamp64Milli(at), toString(instance_id), counted_ms, toString(viewer_events.reason)), type = 'ViewerLeft') AS lefts,
    max(toString(viewer_events.playback_id)) AS playback_id,
    max(viewer_events.viewer_hash) AS viewer_hash,
    max(if(viewer_events.country = 'unknown', '', toString(viewer_events.country))) AS country,
    max(if(viewer_events.device = 'unknown', '', toString(viewer_events.device))) AS device,
    max(if(viewer_events.player = 'unknown', '', toString(viewer_events.player))) AS player
FROM viewer_events
GROUP BY stream_id, session_id, owner_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS sessions_of_beacons TO sessions AS
SELECT
    stream_id,
    session_id,
    owner_id,
    min(at) AS first_seen,
    max(at) AS last_seen,
    count() AS reports,
    groupBitOrIf(bitShiftLeft(toUInt32(1), toUInt8(position('spkrawefqd', toString(state)))), state != '') AS states,
    min(beacons.startup_ms) AS startup_ms,
    minIf(toNullable(at), state = 'p') AS first_play,
    groupUniqArrayIf((toUnixTimestamp64Milli(at), toString(state)), state != '' AND mode = 'event' AND event != 'rr') AS timeline,
    minMap(if(isNull(starved_total_ms), map()::Map(UInt32, Int64), map(assumeNotNull(starved_total_ms), toUnixTimestamp64Milli(at)))) AS starved_totals,
    groupUniqArrayIf((toUnixTimestamp64Milli(at), assumeNotNull(starved_ms)), isNotNull(starved_ms)) AS starvations,
    groupUniqArrayIf(toUnixTimestamp64Milli(at), starved) AS starved_flags,
    max(beacons.starved_count) AS starved_count,
    sum(toUInt64(ifNull(latency_ms, 0))) AS latency_sum,
    count(latency_ms) AS latency_reports,
    sum(toUInt64(ifNull(video_kbps, 0))) AS kbps_sum,
    count(video_kbps) AS kbps_reports,
    max(beacons.dropped_frames) AS dropped_frames,
    countIf(notEmpty(error_codes)) AS errors
FROM beacons
GROUP BY stream_id, session_id, owner_id;
