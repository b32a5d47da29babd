-- Facts as they came out of the log. One row a fact; the sink inserts each batch with a token, and the deduplication window makes a
-- repeated batch count once. On a cluster use the Replicated engines: they keep a window of their own
-- (replicated_deduplication_window). Lifetimes are set by the service from ANALYTICS_*_DAYS when it starts.

CREATE TABLE IF NOT EXISTS streams
(
    stream_id String,
    owner_id LowCardinality(String),
    playback_id String,
    title String CODEC(ZSTD(1)),
    visibility LowCardinality(String),
    latency_mode LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY stream_id
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS stream_events
(
    stream_id LowCardinality(String),
    type LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    owner_id LowCardinality(String),
    epoch Int64,
    publish_id String,
    instance_id LowCardinality(String),
    reason LowCardinality(String),
    encoder String
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (stream_id, type, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS renditions
(
    stream_id LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    epoch Int64,
    instance_id LowCardinality(String),
    rendition LowCardinality(String),
    kind LowCardinality(String),
    codecs LowCardinality(String),
    width Nullable(UInt32),
    height Nullable(UInt32),
    frame_rate Nullable(Float64),
    sample_rate Nullable(UInt32),
    channels Nullable(UInt32)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (stream_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS ingest_health
(
    stream_id LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    epoch Int64 CODEC(Delta, ZSTD(1)),
    state LowCardinality(String),
    video_bps Float64 CODEC(ZSTD(1)),
    audio_bps Float64 CODEC(ZSTD(1)),
    frames_per_second Float64 CODEC(ZSTD(1)),
    keyframe_interval_s Nullable(Float64) CODEC(ZSTD(1)),
    av_drift_ms Nullable(Float64) CODEC(ZSTD(1)),
    timestamp_gaps UInt32 CODEC(ZSTD(1)),
    video_codec LowCardinality(String),
    audio_codec LowCardinality(String),
    width Nullable(UInt32) CODEC(ZSTD(1)),
    height Nullable(UInt32) CODEC(ZSTD(1)),
    warnings Array(LowCardinality(String))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(at)
ORDER BY (stream_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS viewer_events
(
    stream_id LowCardinality(String),
    type LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    owner_id LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    playback_id LowCardinality(String),
    instance_id LowCardinality(String),
    joined_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    viewer_hash String CODEC(ZSTD(1)),
    country LowCardinality(String),
    device LowCardinality(String),
    player LowCardinality(String),
    resumed Bool,
    reason LowCardinality(String),
    counted_ms UInt32 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(at)
ORDER BY (stream_id, type, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS beacons
(
    stream_id LowCardinality(String),
    event LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    owner_id LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    instance_id LowCardinality(String),
    version UInt8,
    mode LowCardinality(String),
    state LowCardinality(String),
    startup_ms Nullable(UInt32) CODEC(ZSTD(1)),
    starved_count Nullable(UInt32) CODEC(ZSTD(1)),
    starved_total_ms Nullable(UInt32) CODEC(ZSTD(1)),
    starved_ms Nullable(UInt32) CODEC(ZSTD(1)),
    starved Bool,
    latency_ms Nullable(UInt32) CODEC(ZSTD(1)),
    dropped_frames Nullable(UInt32) CODEC(ZSTD(1)),
    bitrate_kbps Nullable(UInt32) CODEC(ZSTD(1)),
    playhead_kbps Nullable(UInt32) CODEC(ZSTD(1)),
    top_kbps Nullable(UInt32) CODEC(ZSTD(1)),
    buffer_ms Nullable(UInt32) CODEC(ZSTD(1)),
    throughput_kbps Nullable(UInt32) CODEC(ZSTD(1)),
    object_type LowCardinality(String),
    playback_rate Nullable(Float32) CODEC(ZSTD(1)),
    error_codes Array(String) CODEC(ZSTD(1)),
    sequence Nullable(UInt32) CODEC(ZSTD(1)),
    player_session String CODEC(ZSTD(1)),
    -- the picture's bitrate: what the playhead shows, else what was asked for as video; sound says nothing about it
    video_kbps Nullable(UInt32) MATERIALIZED coalesce(playhead_kbps, if(object_type IN ('', 'v', 'av'), bitrate_kbps, NULL)) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(at)
ORDER BY (stream_id, event, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS audience
(
    stream_id LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    instance_id LowCardinality(String),
    incarnation Int64 CODEC(ZSTD(1)),
    viewers UInt32 CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(at)
ORDER BY (stream_id, at)
SETTINGS non_replicated_deduplication_window = 10000;
