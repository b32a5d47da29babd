/**
 * What progress gives its workers to do and what they say back: internal, between services of one release. A job is made of tasks;
 * a task is what one worker leases, does without asking anybody, and may lose and repeat. So a task's outputs have names that
 * depend on the task alone, and writing them twice changes nothing.
 *
 * Keys: `source` and others are whole keys of the media store. `asset` is the folder of what is published, without the final
 * slash (`videos/vid_x/ast_y`); beside it lie `{asset}.m3u8` and `{asset}.mpd`, whose URIs start with the folder's own name.
 * `work` is the job's folder for what only its other tasks need (`work/job_x`); progress removes it when the job ends.
 */
import { z } from 'zod';
import { motionSchema as imageMotionSchema } from './image.ts';
import { mediaFactsSchema, mediaKeySchema, rungSchema, storedSegmentSchema } from './media-file.ts';

const asset = mediaKeySchema;
const limits = z.object({ max_duration_ms: z.int(), max_pixels: z.int(), max_frames_per_second: z.number() });
const crop = z.object({ start_ms: z.int(), end_ms: z.int() });

const joinTargetSchema = z.object({
  width: z.int(),
  height: z.int(),
  frames_per_second: z.number(),
  /** Of H.264, as the inputs have it whose pictures are copied. */
  profile: z.enum(['baseline', 'main', 'high']),
  sample_rate: z.int(),
  channels: z.int(),
  /**
   * Id of the parameter sets of pictures that `normalise` encodes; `join` takes the one below. The copied ones use neither, so all of
   * them can be in one track.
   */
  sets_id: z.int().min(1).max(31),
});
export type JoinTarget = z.infer<typeof joinTargetSchema>;
const joinInputsSchema = z
  .array(z.object({ source: mediaKeySchema, trim: crop.nullable(), gain_db: z.number() }))
  .min(2);
/** Folder where what a task encodes is kept for its next attempt, and how much is encoded in one go. */
const keepSchema = z.object({ work: mediaKeySchema, span_ms: z.int().positive() });
const transitionSchema = z.object({ kind: z.enum(['cut', 'fade', 'crossfade']), duration_ms: z.int() });

export const taskSpecSchema = z.discriminatedUnion('kind', [
  /** Reads the file's facts and its keyframes; refuses (not retryable) what is no media or beyond the limits. */
  z.object({ kind: z.literal('probe'), source: mediaKeySchema, limits }),
  /** Audio rendition as CMAF into `{asset}/audio/`, and mono 16 kHz WAV for speech recognition into `speech`. */
  z.object({
    kind: z.literal('audio'),
    source: mediaKeySchema,
    /** Null: only the WAV. */
    asset: asset.nullable(),
    duration_ms: z.int(),
    speech: mediaKeySchema.nullable(),
  }),
  /** WebVTT out of the WAV: whole to `{asset}/subtitles-{language}.vtt`, in segments into `{asset}/subtitles-{language}/`. */
  z.object({
    kind: z.literal('subtitles'),
    speech: mediaKeySchema,
    asset,
    duration_ms: z.int(),
    /** BCP 47; null: what the recogniser takes it for. */
    language: z.string().nullable(),
  }),
  /** `{asset}/poster.jpg`, `{asset}/storyboard.vtt` and its sprites `{asset}/storyboard-N.jpg`. */
  z.object({
    kind: z.literal('poster'),
    source: mediaKeySchema,
    asset,
    duration_ms: z.int(),
    width: z.int(),
    height: z.int(),
  }),
  /** One rung from one keyframe of the source to another: segments into `{asset}/video-{rung}/`. */
  z.object({
    kind: z.literal('span'),
    source: mediaKeySchema,
    asset,
    rung: rungSchema,
    /** Counts the spans of the video from 0; part of the segments' names. */
    span: z.int(),
    start_ms: z.number(),
    /** Null: to the end of the file. */
    end_ms: z.number().nullable(),
    segment_ms: z.int(),
  }),
  /**
   * Writes the playlists of the rungs whose spans are among its inputs, then `{asset}.m3u8` and `{asset}.mpd` over them: early
   * with the first rung, at last with all of them, audio and subtitles. Replaces what an earlier one wrote. With `renew` what is not
   * among its inputs stays as the run before left it: `{asset}/tracks.json`, which every publish writes, says what that is.
   */
  z.object({
    kind: z.literal('publish'),
    asset,
    duration_ms: z.int(),
    final: z.boolean(),
    renew: z.boolean().optional(),
  }),
  /** Reads what is to be known of each input before they are joined: whether its pictures fit those of others, and how loud it is. */
  z.object({
    kind: z.literal('inspect'),
    source: mediaKeySchema,
    trim: crop.nullable(),
    /** Measure EBU R128 loudness. */
    loudness: z.boolean(),
  }),
  /** Brings one input to the target: re-encoded, trimmed to the frame, with its gain, as an MP4 that `join` takes by copy. */
  z.object({
    kind: z.literal('normalise'),
    source: mediaKeySchema,
    output: mediaKeySchema,
    trim: crop.nullable(),
    target: joinTargetSchema,
    /** Gain for evenness, dB; 0: leave. */
    gain_db: z.number(),
    /** Absent: what it encodes is not kept, and encoded in one go. */
    keep: keepSchema.optional(),
  }),
  /**
   * Encodes the sound of a join, as far as it cannot be copied, in spans that the join takes: the `part`th of `parts` equal shares of
   * the spans.
   */
  z.object({
    kind: z.literal('sound'),
    inputs: joinInputsSchema,
    transition: transitionSchema,
    target: joinTargetSchema,
    keep: keepSchema,
    part: z.int(),
    parts: z.int().min(1),
  }),
  /**
   * Joins inputs whose pictures fit into one MP4 and an HLS rendition of it. Pictures are copied; encoded are only those of a
   * transition, and those between a trim or a transition and the next keyframe. Audio of inputs that have the same is copied where no
   * gain is to be given; the rest is encoded anew, and the pictures are copied all the same.
   */
  z.object({
    kind: z.literal('join'),
    inputs: joinInputsSchema,
    transition: transitionSchema,
    target: joinTargetSchema,
    /** Absent: what it encodes is not kept. */
    keep: keepSchema.optional(),
    /** Progressive MP4. */
    output: mediaKeySchema,
    asset,
  }),
  /** A still picture to a video: MP4 to `output`, HLS rendition of it to `asset`. */
  z.object({
    kind: z.literal('animate'),
    image: mediaKeySchema,
    audio: mediaKeySchema.nullable(),
    motion: imageMotionSchema,
    duration_ms: z.int(),
    width: z.int(),
    height: z.int(),
    frames_per_second: z.number(),
    caption: z.string().nullable(),
    /** EXIF orientation of the picture, 1..8; absent: 1. */
    orientation: z.int().min(1).max(8).optional(),
    /** How a picture of another shape fills the frame: cut, or whole over a blurred copy of itself; absent: crop. */
    fill: z.enum(['crop', 'blur']).optional(),
    output: mediaKeySchema,
    asset,
  }),
  /** The same by an external generator: what it makes is brought to the size and length that are asked for. */
  z.object({
    kind: z.literal('generate'),
    /** The worker has the provider's key by its name. */
    provider: z.object({ name: z.string(), url: z.string() }),
    /** Unique to the job: repeating the task finds what was begun. */
    request_id: z.string(),
    img_name: z.string(),
    /** Where the provider gets the picture while the job runs; null: there is none, the prompt is all. */
    image_url: z.string().nullable(),
    prompt: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()),
    audio: mediaKeySchema.nullable(),
    motion: imageMotionSchema,
    duration_ms: z.int(),
    width: z.int(),
    height: z.int(),
    frames_per_second: z.number(),
    caption: z.string().nullable(),
    output: mediaKeySchema,
    asset,
  }),
  /** A small copy of a picture, upright and at most `side` pixels a side: WebP to `output`. What can be seen through stays so. */
  z.object({
    kind: z.literal('thumbnail'),
    image: mediaKeySchema,
    content_type: z.string(),
    /** As stored, pixels, and its EXIF orientation. */
    width: z.int().positive(),
    height: z.int().positive(),
    orientation: z.int().min(1).max(8),
    side: z.int().min(16).max(4_096),
    output: mediaKeySchema,
  }),
]);
export type TaskSpec = z.infer<typeof taskSpecSchema>;
export type TaskKind = TaskSpec['kind'];
export const taskKinds = taskSpecSchema.options.map((option) => option.shape.kind.value);

const trackSchema = z.object({
  /** RFC 6381: `avc1.64001f`, `mp4a.40.2`. */
  codec: z.string(),
  /** Path of the init section, relative to the asset's folder. */
  init: z.string(),
  /** Ticks a second of the times in its segments, and of the numbers in their names. */
  timescale: z.int().positive(),
  segments: z.array(storedSegmentSchema),
});
export type StoredTrack = z.infer<typeof trackSchema>;
/** An HLS rendition of a whole video that was made in one go. */
const renditionSchema = z.object({ rung: rungSchema, video: trackSchema, audio: trackSchema.nullable() });
export type StoredRendition = z.infer<typeof renditionSchema>;

export const taskResultSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('probe'),
    media: mediaFactsSchema,
    /** Times of the video's keyframes, rising; where spans may begin. */
    keyframes_ms: z.array(z.number()),
  }),
  z.object({
    kind: z.literal('audio'),
    /** Null: the file has no audio. */
    track: trackSchema.nullable(),
    speech: mediaKeySchema.nullable(),
  }),
  z.object({
    kind: z.literal('subtitles'),
    outcome: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('written'),
        language: z.string(),
        /** Relative to the asset's folder. */
        vtt: z.string(),
        segments: z.array(storedSegmentSchema),
        cues: z.int(),
        words: z.int(),
        engine: z.string(),
      }),
      /** No model for the language, no speech...: the step is shown as skipped with this reason. */
      z.object({ kind: z.literal('skipped'), reason: z.string() }),
    ]),
  }),
  z.object({
    kind: z.literal('poster'),
    poster: z.string(),
    storyboard: z.string().nullable(),
    width: z.int(),
    height: z.int(),
  }),
  z.object({ kind: z.literal('span'), rung: rungSchema, span: z.int(), track: trackSchema }),
  z.object({
    kind: z.literal('publish'),
    /** Rungs that can be played now, best first. */
    rungs: z.array(rungSchema),
    bytes: z.int(),
  }),
  z.object({
    kind: z.literal('inspect'),
    media: mediaFactsSchema,
    /** Whether its pictures can be copied at all: progressive 8 bit H.264 with square pixels, not turned, in an indexed container. */
    joinable: z.boolean(),
    /** Equal for inputs that can be joined by stream copy: codec, profile, size, rate, parameter sets. */
    fingerprint: z.string(),
    /** Ids of its parameter sets. */
    sets_ids: z.array(z.int()),
    /** Length of the trimmed part in whole frames, ms. */
    length_ms: z.number(),
    /** Integrated loudness, LUFS; null: silent, without audio, or not asked for. */
    loudness_lufs: z.number().nullable(),
    /** Highest sample, dBFS; null as above. */
    peak_dbfs: z.number().nullable(),
    /** Whether the trim begins at a keyframe and ends between frames that need each other, so that no frame of it is encoded. */
    trim_on_keyframe: z.boolean(),
  }),
  z.object({ kind: z.literal('normalise'), media: mediaFactsSchema, fingerprint: z.string() }),
  z.object({
    kind: z.literal('sound'),
    /** How many spans it saw to. */
    spans: z.int(),
  }),
  z.object({
    kind: z.literal('join'),
    media: mediaFactsSchema,
    /** `copy`: no picture was encoded again. */
    method: z.enum(['copy', 'encode']),
    /** How much of the pictures was encoded, ms. */
    encoded_ms: z.number(),
    /** Of the MP4. */
    bytes: z.int(),
    rendition: renditionSchema,
  }),
  z.object({ kind: z.literal('animate'), media: mediaFactsSchema, poster: z.string().nullable(), bytes: z.int() }),
  z.object({ kind: z.literal('generate'), media: mediaFactsSchema, poster: z.string().nullable(), bytes: z.int() }),
  z.object({ kind: z.literal('thumbnail'), width: z.int(), height: z.int(), bytes: z.int() }),
]);
export type TaskResult = z.infer<typeof taskResultSchema>;
export type ResultOf<K extends TaskKind> = Extract<TaskResult, { kind: K }>;
export type SpecOf<K extends TaskKind> = Extract<TaskSpec, { kind: K }>;
