/**
 * hls.js 1.7.4 settings for a player whose rate is set by `LiveEdgeController`. Data only, so that the watch page, the
 * preview and the benchmarks start the same player. Names and defaults are those of hls.js's `HlsConfig`.
 */
const liveLoadRetry = { maxNumRetry: 40, retryDelayMs: 300, maxRetryDelayMs: 2_000, backoff: 'linear' } as const;
const timeoutRetry = { maxNumRetry: 3, retryDelayMs: 0, maxRetryDelayMs: 0 } as const;

export const hlsLiveSettings = {
  /** Parts and blocking reload; the target is then PART-HOLD-BACK. Do not set liveSyncDuration: it would replace it. */
  lowLatencyMode: true,
  /** 1 leaves the rate to us. (hls.js's own catch-up acts only with more than 1 s of buffer, which never happens here.) */
  maxLiveSyncPlaybackRate: 1,
  /** A stall adds this to the target; the default of 1 s turns one hiccup into a second of delay for the session. */
  liveSyncOnStallIncrease: 0.1,
  /** Duration Infinity, set once, in place of a new MediaSource.duration with every part. */
  liveDurationInfinity: true,
  /** Fetch the first part while the MediaSource is still opening. */
  startFragPrefetch: true,
  /** With several levels the default loads a low segment only to time it, and throws it away: a slower first frame. */
  testBandwidth: false,
  /** Start estimate, bit/s, instead of 500 kbit/s, so that the first segment is not of the lowest rung. */
  abrEwmaDefaultEstimate: 4_000_000,
  /** Seconds kept behind the playhead; the default (Infinity) grows until the browser's quota. */
  backBufferLength: 30,
  /** Only matters after going back in time: at the live edge there is never more than the hold-back to buffer. */
  maxBufferLength: 12,
  maxMaxBufferLength: 30,
  /** CMAF passes through without transmuxing; a worker would only add its start-up and a hop per part. */
  enableWorker: false,
  /** Nothing here carries captions, ID3 or interstitials. */
  enableInterstitialPlayback: false,
  /**
   * A publisher that re-connects leaves the playlist blocked, then 503 (rfc8216bis 6.2.5.2), for as long as its
   * re-connect window: keep asking instead of giving up after two tries.
   */
  playlistLoadPolicy: {
    default: { maxTimeToFirstByteMs: 12_000, maxLoadTimeMs: 20_000, timeoutRetry, errorRetry: liveLoadRetry },
  },
  fragLoadPolicy: {
    default: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 30_000, timeoutRetry, errorRetry: liveLoadRetry },
  },
} as const;
