-- Sessions as the metrics read them (docs/metrics.md has the words). Stretches: when an instance counted the viewer, in order, without
-- overlap; rebuffers: when the picture stood, from the best source that the player gave. Each level of
-- the query names what the next one needs, so that nothing is analysed twice: written flat it took 30 ms before it read a row.

CREATE VIEW IF NOT EXISTS session_states AS
SELECT
    owner_id,
    stream_id,
    session_id,
    viewer_hash,
    if(country = '', 'unknown', country) AS country,
    if(device = '', 'unknown', device) AS device,
    if(player = '', 'unknown', player) AS player,
    if(empty(joined), toUnixTimestamp64Milli(first_seen), joined[1].1) AS started_ms,
    last_seen_ms,
    -- (start, end, settled, instance): a stretch that is not settled is open, and ends at the last sign of life known
    arrayMap(
        (own, end) -> (
            own.1,
            multiIf(end.1 != 0, least(own.1 + end.3, own.2), own.2 != never, own.2, greatest(own.1, last_seen_ms)),
            end.1 != 0 OR own.2 != never,
            own.4),
        starts,
        ends) AS stretches,
    notEmpty(ends) AND ends[-1].1 != 0 AS has_left,
    if(notEmpty(ends), ends[-1].4, '') AS leave_reason,
    notEmpty(joined) AS counted,
    reports,
    states,
    states > 0 OR isNotNull(startup_ms) AS told_start,
    isNotNull(startup_ms) OR isNotNull(first_play) AS has_played,
    bitTest(states, 8) AS has_failed,
    bitTest(states, 9) AS has_quit,
    startup_ms,
    rebuffer_time_known,
    rebuffers,
    reports > 0 AS rebuffer_count_known,
    if(rebuffer_time_known, arrayMap(one -> one.1, rebuffers), arraySort(starved_flags)) AS rebuffer_starts,
    starved_count,
    latency_sum,
    latency_reports,
    kbps_sum,
    kbps_reports,
    dropped_frames,
    errors
FROM
(
    SELECT
        *,
        -- the first ViewerLeft that belongs to each stretch; (0, '', 0, '') where there is none
        arrayMap(
            own -> arrayFirst(other -> other.2 = own.4 AND other.1 >= own.1 AND other.1 < own.3, parted),
            starts) AS ends,
        -- of the three sources one is not empty at most
        arrayConcat(
            arrayFilter(one -> one.2 > one.1, arrayMap((now, before, at) -> (at - (now - before), at),
                totals, arrayPopBack(arrayPushFront(totals, 0)), arrayMap(total -> starved_totals[total], totals))),
            arrayMap(one -> (one.1 - one.2, one.1), lengths),
            arrayMap(one -> (one.1, one.2), arrayFilter(
                one -> one.3 = 'r' AND played_at > 0 AND one.4 > played_at,
                arrayZip(changes.1, arrayPopFront(arrayPushBack(changes.1, told[-1].1)), changes.2, arrayEnumerate(changes))))) AS rebuffers
    FROM
    (
        SELECT
            *,
            -- (start, next start anywhere, next start at the same instance, instance) of each stretch
            arrayMap(
                (own, i) -> (
                    own.1,
                    if(i < length(joined), joined[i + 1].1, never),
                    arrayMin(arrayPushBack(arrayMap(other -> other.1, arrayFilter(other -> other.2 = own.2 AND other.1 > own.1, joined)), never)),
                    own.2),
                joined,
                arrayEnumerate(joined)) AS starts,
            indexOf(changes.2, 'p') AS played_at
        FROM
        (
            SELECT
                *,
                -- changes of play state in time
                arrayFilter((one, i) -> i = 1 OR one.2 != told[i - 1].2, told, arrayEnumerate(told)) AS changes
            FROM
            (
                SELECT
                    *,
                    9223372036854775807 AS never,
                    arraySort(joins) AS joined,
                    arraySort(lefts) AS parted,
                    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
                    notEmpty(starved_totals) OR notEmpty(starvations) OR notEmpty(timeline) AS rebuffer_time_known,
                    arraySort(mapKeys(starved_totals)) AS totals,
                    if(notEmpty(starved_totals), [], arraySort(starvations)) AS lengths,
                    if(notEmpty(starved_totals) OR notEmpty(starvations), [], arraySort(timeline)) AS told
                FROM
                (
                    SELECT
                        owner_id,
                        stream_id,
                        session_id,
                        min(sessions.first_seen) AS first_seen,
                        max(sessions.last_seen) AS last_seen,
                        groupUniqArrayArray(sessions.joins) AS joins,
                        groupUniqArrayArray(sessions.lefts) AS lefts,
                        max(sessions.viewer_hash) AS viewer_hash,
                        max(sessions.country) AS country,
                        max(sessions.device) AS device,
                        max(sessions.player) AS player,
                        sum(sessions.reports) AS reports,
                        groupBitOr(sessions.states) AS states,
                        min(sessions.startup_ms) AS startup_ms,
                        min(sessions.first_play) AS first_play,
                        groupUniqArrayArray(sessions.timeline) AS timeline,
                        minMap(sessions.starved_totals) AS starved_totals,
                        groupUniqArrayArray(sessions.starvations) AS starvations,
                        groupUniqArrayArray(sessions.starved_flags) AS starved_flags,
                        max(sessions.starved_count) AS starved_count,
                        sum(sessions.latency_sum) AS latency_sum,
                        sum(sessions.latency_reports) AS latency_reports,
                        sum(sessions.kbps_sum) AS kbps_sum,
                        sum(sessions.kbps_reports) AS kbps_reports,
                        max(sessions.dropped_frames) AS dropped_frames,
                        sum(sessions.errors) AS errors
                    FROM sessions
                    GROUP BY owner_id, stream_id, session_id
                )
            )
        )
    )
);
