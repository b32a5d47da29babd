-- What happened in each minute of a stream, folded as it is inserted.

CREATE TABLE IF NOT EXISTS minutes
(
    stream_id LowCardinality(String),
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    owner_id LowCardinality(String),
    joined SimpleAggregateFunction(sum, UInt64),
    left SimpleAggregateFunction(sum, UInt64),
    reports SimpleAggregateFunction(sum, UInt64),
    sessions AggregateFunction(uniqCombined64, String),
    viewers AggregateFunction(uniqCombined64, String),
    startup AggregateFunction(quantilesTDigest(0.5, 0.95), Nullable(UInt32)),
    latency AggregateFunction(quantilesTDigest(0.5, 0.95), Nullable(UInt32)),
    latency_reports SimpleAggregateFunction(sum, UInt64),
    kbps_sum SimpleAggregateFunction(sum, UInt64),
    kbps_reports SimpleAggregateFunction(sum, UInt64),
    starved SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    INDEX owners owner_id TYPE set(64) GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (stream_id, minute, owner_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_of_viewers TO minutes AS
SELECT
    stream_id,
    toStartOfMinute(toDateTime(at, 'UTC')) AS minute,
    owner_id,
    countIf(type = 'ViewerJoined') AS joined,
    countIf(type = 'ViewerLeft') AS left,
    uniqCombined64State(session_id) AS sessions,
    uniqCombined64State(viewer_hash) AS viewers
FROM viewer_events
GROUP BY stream_id, minute, owner_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_of_beacons TO minutes AS
SELECT
    stream_id,
    toStartOfMinute(toDateTime(at, 'UTC')) AS minute,
    owner_id,
    count() AS reports,
    uniqCombined64State(session_id) AS sessions,
    quantilesTDigestState(0.5, 0.95)(startup_ms) AS startup,
    quantilesTDigestState(0.5, 0.95)(latency_ms) AS latency,
    count(latency_ms) AS latency_reports,
    sum(toUInt64(ifNull(video_kbps, 0))) AS kbps_sum,
    count(video_kbps) AS kbps_reports,
    countIf(beacons.starved OR isNotNull(starved_ms)) AS starved,
    countIf(notEmpty(error_codes)) AS errors
FROM beacons
GROUP BY stream_id, minute, owner_id;

CREATE TABLE IF NOT EXISTS audience_minutes
(
    stream_id LowCardinality(String),
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    instance_id LowCardinality(String),
    peak SimpleAggregateFunction(max, UInt32),
    samples SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (stream_id, minute, instance_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_of_audience TO audience_minutes AS
SELECT stream_id, toStartOfMinute(toDateTime(at, 'UTC')) AS minute, instance_id, max(viewers) AS peak, count() AS samples
FROM audience
GROUP BY stream_id, minute, instance_id;

CREATE TABLE IF NOT EXISTS ingest_minutes
(
    stream_id LowCardinality(String),
    minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
    samples SimpleAggregateFunction(sum, UInt64),
    video_bps_sum SimpleAggregateFunction(sum, Float64),
    audio_bps_sum SimpleAggregateFunction(sum, Float64),
    frames_per_second_sum SimpleAggregateFunction(sum, Float64),
    frames_per_second_min SimpleAggregateFunction(min, Float64),
    keyframe_interval_s SimpleAggregateFunction(max, Nullable(Float64)),
    timestamp_gaps SimpleAggregateFunction(sum, UInt64),
    warnings SimpleAggregateFunction(groupUniqArrayArray, Array(String))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (stream_id, minute)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_of_ingest TO ingest_minutes AS
SELECT
    stream_id,
    toStartOfMinute(toDateTime(at, 'UTC')) AS minute,
    count() AS samples,
    sum(video_bps) AS video_bps_sum,
    sum(audio_bps) AS audio_bps_sum,
    sum(frames_per_second) AS frames_per_second_sum,
    min(frames_per_second) AS frames_per_second_min,
    max(ingest_health.keyframe_interval_s) AS keyframe_interval_s,
    sum(toUInt64(ingest_health.timestamp_gaps)) AS timestamp_gaps,
    groupUniqArrayArray(CAST(ingest_health.warnings, 'Array(String)')) AS warnings
FROM ingest_health
GROUP BY stream_id, minute;
