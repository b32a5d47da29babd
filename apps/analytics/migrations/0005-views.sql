-- For people who write SQL. Every column says what it is: SELECT name, comment FROM system.columns WHERE table = 'v_sessions'.

CREATE VIEW IF NOT EXISTS v_streams
(
    stream_id String COMMENT 'Id of the stream, str_...',
    owner_id String COMMENT 'Who owns it, own_...',
    playback_id String COMMENT 'Its name in playback URLs',
    title String COMMENT 'Title as it is now',
    visibility String COMMENT 'public or private',
    latency_mode String COMMENT 'low (parts of 200 ms) or standard (333 ms)',
    created_at DateTime64(3, 'UTC') COMMENT 'When it was created',
    updated_at DateTime64(3, 'UTC') COMMENT 'When it was last changed'
)
COMMENT 'Streams by their newest definition; deleted ones stay.'
AS SELECT stream_id, owner_id, playback_id, title, visibility, latency_mode, created_at, updated_at
FROM streams FINAL;

CREATE VIEW IF NOT EXISTS v_broadcasts
(
    stream_id String COMMENT 'Id of the stream',
    owner_id String COMMENT 'Who owns the stream',
    publish_id String COMMENT 'One broadcast, with the interruptions that its encoder came back from',
    started_at DateTime64(3, 'UTC') COMMENT 'First time it was live',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended; NULL: it has not',
    end_reason String COMMENT 'Why it ended: encoder-stopped, reconnect-window-passed, key-revoked... Empty: it has not',
    interruptions UInt64 COMMENT 'How often its encoder was gone',
    encoder String COMMENT 'What the encoder calls itself; empty: it does not say'
)
COMMENT 'Broadcasts of streams from published to ended.'
AS SELECT
    stream_id,
    owner_id,
    publish_id,
    min(at) AS started_at,
    maxIf(toNullable(at), type = 'StreamEnded') AS ended_at,
    anyIf(reason, type = 'StreamEnded') AS end_reason,
    uniqExactIf(at, type = 'StreamInterrupted') AS interruptions,
    max(stream_events.encoder) AS encoder
FROM stream_events
GROUP BY stream_id, owner_id, publish_id;

CREATE VIEW IF NOT EXISTS v_renditions
(
    stream_id String COMMENT 'Id of the stream',
    at DateTime64(3, 'UTC') COMMENT 'When its packaging started or changed',
    rendition String COMMENT 'Name of the rendition',
    kind String COMMENT 'video or audio',
    codecs String COMMENT 'RFC 6381 codecs',
    width Nullable(UInt32) COMMENT 'Pixels',
    height Nullable(UInt32) COMMENT 'Pixels',
    frame_rate Nullable(Float64) COMMENT 'Frames a second',
    sample_rate Nullable(UInt32) COMMENT 'Audio samples a second',
    channels Nullable(UInt32) COMMENT 'Audio channels'
)
COMMENT 'Renditions of live streams as they start or change.'
AS SELECT stream_id, at, rendition, kind, codecs, width, height, frame_rate, sample_rate, channels FROM renditions;

CREATE VIEW IF NOT EXISTS v_sessions
(
    session_id String COMMENT 'One viewer watching one stream, ses_...',
    stream_id String COMMENT 'Id of the stream',
    owner_id String COMMENT 'Who owns the stream',
    started_at DateTime64(3, 'UTC') COMMENT 'When the viewer came',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last sign of life of a viewer who left; NULL: nobody said that he left',
    watch_ms Int64 COMMENT 'Time he was counted, ms; of an open session up to what is known',
    viewer_hash String COMMENT 'Equal for one viewer within a day, worthless afterwards',
    country String COMMENT 'ISO 3166-1 alpha-2, or unknown',
    device String COMMENT 'desktop, mobile, tablet, tv, console, bot, unknown',
    player String COMMENT 'Family of the player or browser, or unknown',
    reports UInt64 COMMENT 'CMCD reports that came; 0: the player says nothing of itself',
    startup_ms Nullable(UInt32) COMMENT 'From the intent to play to the first frame (msd); NULL: not reported',
    has_played Nullable(Bool) COMMENT 'Whether it got to the first frame; NULL: the player does not tell (CMCD v1 or none)',
    has_failed Nullable(Bool) COMMENT 'Whether a fatal error was reported; NULL: the player does not tell',
    rebuffer_count Nullable(UInt64) COMMENT 'Times the picture stood after it had played; NULL: no reports',
    rebuffer_ms Nullable(Int64) COMMENT 'Time it stood, ms; NULL: the player does not tell (needs event mode)',
    bitrate_kbps Nullable(Float64) COMMENT 'Mean bitrate of the picture over the reports, kbit/s',
    latency_ms Nullable(Float64) COMMENT 'Mean latency behind the live edge over the reports, ms',
    dropped_frames Nullable(UInt32) COMMENT 'Frames dropped, as last reported',
    errors UInt64 COMMENT 'Reports that carried an error code',
    leave_reason String COMMENT 'silent, quit, stream-ended, draining, evicted; empty: nobody said that he left'
)
COMMENT 'Viewer sessions, one row each.'
AS SELECT
    session_id,
    stream_id,
    owner_id,
    fromUnixTimestamp64Milli(started_ms, 'UTC') AS started_at,
    if(has_left, toNullable(fromUnixTimestamp64Milli(stretches[-1].2, 'UTC')), NULL) AS ended_at,
    arraySum(one -> one.2 - one.1, stretches) AS watch_ms,
    viewer_hash,
    country,
    device,
    player,
    session_states.reports AS reports,
    session_states.startup_ms AS startup_ms,
    if(told_start, toNullable(session_states.has_played), NULL)::Nullable(Bool) AS has_played,
    if(states > 0, toNullable(session_states.has_failed), NULL)::Nullable(Bool) AS has_failed,
    if(rebuffer_count_known, toNullable(greatest(toUInt64(length(rebuffer_starts)), toUInt64(ifNull(starved_count, 0)))), NULL) AS rebuffer_count,
    if(rebuffer_time_known, toNullable(arraySum(one -> one.2 - one.1, rebuffers)), NULL) AS rebuffer_ms,
    if(kbps_reports > 0, toNullable(kbps_sum / kbps_reports), NULL) AS bitrate_kbps,
    if(latency_reports > 0, toNullable(latency_sum / latency_reports), NULL) AS latency_ms,
    session_states.dropped_frames AS dropped_frames,
    session_states.errors AS errors,
    leave_reason
FROM session_states
WHERE counted;

CREATE VIEW IF NOT EXISTS v_minutes
(
    stream_id String COMMENT 'Id of the stream',
    owner_id String COMMENT 'Who owns the stream',
    minute DateTime('UTC') COMMENT 'Start of the minute',
    joined UInt64 COMMENT 'Viewers who came',
    left UInt64 COMMENT 'Viewers who left',
    active_sessions UInt64 COMMENT 'Sessions that came, left or reported in it (about 0.5 % off)',
    reports UInt64 COMMENT 'CMCD reports',
    startup_p50_ms Nullable(Float64) COMMENT 'Median of the startup times reported in it, ms',
    startup_p95_ms Nullable(Float64) COMMENT '95th percentile of them, ms',
    latency_p50_ms Nullable(Float64) COMMENT 'Median latency behind the live edge, ms',
    latency_p95_ms Nullable(Float64) COMMENT '95th percentile of it, ms',
    bitrate_kbps Nullable(Float64) COMMENT 'Mean bitrate of the picture over the reports, kbit/s',
    starved UInt64 COMMENT 'Reports of a starved buffer',
    errors UInt64 COMMENT 'Reports with an error code'
)
COMMENT 'What happened in each minute of a stream; minutes without any event are not there.'
AS SELECT
    stream_id,
    owner_id,
    minute,
    sum(minutes.joined) AS joined,
    sum(minutes.left) AS left,
    uniqCombined64Merge(minutes.sessions) AS active_sessions,
    sum(minutes.reports) AS reports,
    ifNotFinite(quantilesTDigestMerge(0.5, 0.95)(minutes.startup)[1], NULL) AS startup_p50_ms,
    ifNotFinite(quantilesTDigestMerge(0.5, 0.95)(minutes.startup)[2], NULL) AS startup_p95_ms,
    ifNotFinite(quantilesTDigestMerge(0.5, 0.95)(minutes.latency)[1], NULL) AS latency_p50_ms,
    ifNotFinite(quantilesTDigestMerge(0.5, 0.95)(minutes.latency)[2], NULL) AS latency_p95_ms,
    if(sum(minutes.kbps_reports) = 0, NULL, sum(minutes.kbps_sum) / sum(minutes.kbps_reports)) AS bitrate_kbps,
    sum(minutes.starved) AS starved,
    sum(minutes.errors) AS errors
FROM minutes
GROUP BY stream_id, owner_id, minute;

CREATE VIEW IF NOT EXISTS v_audience
(
    stream_id String COMMENT 'Id of the stream',
    at DateTime64(3, 'UTC') COMMENT 'When it was counted',
    instance_id String COMMENT 'Delivery instance that counted',
    viewers UInt32 COMMENT 'Viewers of the stream at that instance from then on'
)
COMMENT 'Viewer counts of delivery instances, on change.'
AS SELECT stream_id, at, instance_id, viewers FROM audience;

CREATE VIEW IF NOT EXISTS v_ingest
(
    stream_id String COMMENT 'Id of the stream',
    at DateTime64(3, 'UTC') COMMENT 'When it was measured, once a second',
    state String COMMENT 'live or interrupted',
    video_bps Float64 COMMENT 'Bits a second of video from the encoder',
    audio_bps Float64 COMMENT 'Bits a second of audio from the encoder',
    frames_per_second Float64 COMMENT 'Video frames a second',
    keyframe_interval_s Nullable(Float64) COMMENT 'Time between the last two keyframes, s; NULL until there were two',
    av_drift_ms Nullable(Float64) COMMENT 'Audio time minus video time at the same arrival, ms',
    timestamp_gaps UInt32 COMMENT 'Jumps of timestamps since the sample before',
    video_codec String COMMENT 'Codec of the video; empty: none',
    audio_codec String COMMENT 'Codec of the audio; empty: none',
    width Nullable(UInt32) COMMENT 'Pixels',
    height Nullable(UInt32) COMMENT 'Pixels',
    warnings Array(String) COMMENT 'Codes of what is wrong'
)
COMMENT 'What encoders send, once a second and live stream.'
AS SELECT
    stream_id, at, state, video_bps, audio_bps, frames_per_second, keyframe_interval_s, av_drift_ms, timestamp_gaps,
    video_codec, audio_codec, width, height, CAST(ingest_health.warnings, 'Array(String)') AS warnings
FROM ingest_health;

CREATE VIEW IF NOT EXISTS v_beacons
(
    at DateTime64(3, 'UTC') COMMENT 'When it came, or when the player says that it was',
    stream_id String COMMENT 'Id of the stream',
    owner_id String COMMENT 'Who owns the stream',
    session_id String COMMENT 'Session that reported',
    version UInt8 COMMENT 'CMCD version: 1 or 2',
    mode String COMMENT 'query, headers (with a request) or event (posted)',
    event String COMMENT 'CMCD event (e): ps, t, e, rr...; empty on requests',
    state String COMMENT 'Play state (sta): s p k r a w e f q d; empty: not said',
    startup_ms Nullable(UInt32) COMMENT 'Media start delay (msd), ms',
    starved_count Nullable(UInt32) COMMENT 'Buffer starvations since the start (bsa)',
    starved_total_ms Nullable(UInt32) COMMENT 'Time of all of them (bsda), ms',
    starved_ms Nullable(UInt32) COMMENT 'Length of the starvation that just ended (bsd), ms',
    starved Bool COMMENT 'Bare flag of a starvation (bs)',
    latency_ms Nullable(UInt32) COMMENT 'Latency behind the live edge (ltc), ms',
    dropped_frames Nullable(UInt32) COMMENT 'Dropped frames (dfa)',
    bitrate_kbps Nullable(UInt32) COMMENT 'Encoded bitrate of the object asked for (br), kbit/s',
    playhead_kbps Nullable(UInt32) COMMENT 'Bitrate at the playhead (pb), kbit/s',
    video_kbps Nullable(UInt32) COMMENT 'Bitrate of the picture: playhead_kbps, else bitrate_kbps of a video object',
    top_kbps Nullable(UInt32) COMMENT 'Highest bitrate offered (tb), kbit/s',
    buffer_ms Nullable(UInt32) COMMENT 'Buffer length (bl), ms',
    throughput_kbps Nullable(UInt32) COMMENT 'Measured throughput (mtp), kbit/s',
    object_type String COMMENT 'Object type (ot): v a av m i...',
    playback_rate Nullable(Float32) COMMENT 'Playback rate (pr)',
    error_codes Array(String) COMMENT 'Error codes of the player (ec)',
    sequence Nullable(UInt32) COMMENT 'Number of the report (sn)',
    player_session String COMMENT 'The player''s own session id (sid)'
)
COMMENT 'CMCD reports of players, one row each.'
AS SELECT
    at, stream_id, owner_id, session_id, version, mode, event, state, startup_ms, starved_count, starved_total_ms, starved_ms,
    starved, latency_ms, dropped_frames, bitrate_kbps, playhead_kbps, video_kbps, top_kbps, buffer_ms, throughput_kbps,
    object_type, playback_rate, error_codes, sequence, player_session
FROM beacons;
