/** Reading of what ffprobe prints as JSON. A file decides what stands there, so nothing is taken for granted. */

export interface ProbedVideo {
  /** Index of the stream in the file, for `-map 0:{index}`. */
  readonly index: number;
  readonly codec: string;
  readonly profile: string | undefined;
  /** As shown: rotation applied and pixels made square; even the smallest is 1. */
  readonly width: number;
  readonly height: number;
  /** Pixels as coded, before rotation. */
  readonly codedWidth: number;
  readonly codedHeight: number;
  /** Degrees clockwise that a player turns the picture by: 0, 90, 180, 270. */
  readonly rotation: number;
  /** Average over the file and the finest that its timestamps need, frames/s; 0: unknown. */
  readonly averageRate: number;
  readonly finestRate: number;
  readonly bitsPerSecond: number | undefined;
  readonly pixelFormat: string;
  /** `progressive`, `tt`, `bb`, `tb`, `bt`, or unknown. */
  readonly fieldOrder: string | undefined;
  /** `smpte2084` and `arib-std-b67` are HDR. */
  readonly colorTransfer: string | undefined;
  readonly colorRange: string | undefined;
  readonly startMs: number | undefined;
  readonly durationMs: number | undefined;
}

export interface ProbedAudio {
  readonly index: number;
  readonly codec: string;
  readonly profile: string | undefined;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bitsPerSecond: number | undefined;
  /** ISO 639. */
  readonly language: string | undefined;
  readonly startMs: number | undefined;
  readonly durationMs: number | undefined;
}

/** A file's facts. Of several tracks of a kind the default one is taken, else the first; covers are no video. */
export interface ProbedFile {
  /** Name of the demuxer, as `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly format: string;
  /** When its first stream begins, ms; where the timeline of everything made of it is at 0. */
  readonly startMs: number;
  /** Undefined: the file does not say. */
  readonly durationMs: number | undefined;
  readonly sizeBytes: number;
  readonly streams: number;
  readonly video: ProbedVideo | undefined;
  readonly audio: ProbedAudio | undefined;
}

/** What is asked for; more would only be more for a hostile file to fill. */
export const probedEntries =
  'format=format_name,start_time,duration,size,nb_streams:' +
  'stream=index,codec_type,codec_name,profile,width,height,sample_aspect_ratio,pix_fmt,field_order,color_transfer,color_range,' +
  'r_frame_rate,avg_frame_rate,bit_rate,start_time,duration,channels,sample_rate:' +
  'stream_tags=language,rotate:stream_disposition=default,attached_pic,timed_thumbnails:stream_side_data=rotation';

type Json = Readonly<Record<string, unknown>>;

/** Reads ffprobe's answer; undefined when it is none. */
export function readProbe(text: string): ProbedFile | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  const format = record(record(answer)?.['format']);
  const streams = list(record(answer)?.['streams']);
  const name = word(format?.['format_name']);
  if (format === undefined || name === undefined) return undefined;
  const video = chosen(streams.filter((stream) => stream['codec_type'] === 'video' && isMoving(stream)));
  const audio = chosen(streams.filter((stream) => stream['codec_type'] === 'audio'));
  return {
    format: name,
    startMs: millis(format['start_time']) ?? 0,
    durationMs: millis(format['duration']),
    sizeBytes: amount(format['size']) ?? 0,
    streams: amount(format['nb_streams']) ?? streams.length,
    video: video && videoOf(video),
    audio: audio && audioOf(audio),
  };
}

function chosen(streams: readonly Json[]): Json | undefined {
  const known = streams.filter((stream) => word(stream['codec_name']) !== undefined);
  // One that nothing here knows is told of too: to take the file for one without it would lose it without a word.
  return known.find((stream) => record(stream['disposition'])?.['default'] === 1) ?? known[0] ?? streams[0];
}

/** A cover or a strip of thumbnails is a stream of video to ffmpeg. */
function isMoving(stream: Json): boolean {
  const disposition = record(stream['disposition']);
  return disposition?.['attached_pic'] !== 1 && disposition?.['timed_thumbnails'] !== 1;
}

function videoOf(stream: Json): ProbedVideo {
  const codedWidth = amount(stream['width']) ?? 0;
  const codedHeight = amount(stream['height']) ?? 0;
  const sideData = list(stream['side_data_list']).map((data) => data['rotation']);
  // ffprobe's rotation of the display matrix is counter-clockwise.
  const turned = sideData.find((value): value is number => typeof value === 'number');
  const tagged = amount(record(stream['tags'])?.['rotate']);
  const rotation = (((Math.round((turned === undefined ? (tagged ?? 0) : -turned) / 90) * 90) % 360) + 360) % 360;
  const square = squareWidth(codedWidth, stream['sample_aspect_ratio']);
  const sideways = rotation === 90 || rotation === 270;
  return {
    index: amount(stream['index']) ?? 0,
    codec: word(stream['codec_name']) ?? 'unknown',
    profile: word(stream['profile']),
    width: sideways ? codedHeight : square,
    height: sideways ? square : codedHeight,
    codedWidth,
    codedHeight,
    rotation,
    averageRate: ratio(stream['avg_frame_rate'], '/'),
    finestRate: ratio(stream['r_frame_rate'], '/'),
    bitsPerSecond: amount(stream['bit_rate']),
    pixelFormat: word(stream['pix_fmt']) ?? 'unknown',
    fieldOrder: word(stream['field_order']),
    colorTransfer: word(stream['color_transfer']),
    colorRange: word(stream['color_range']),
    startMs: millis(stream['start_time']),
    durationMs: millis(stream['duration']),
  };
}

function audioOf(stream: Json): ProbedAudio {
  const language = word(record(stream['tags'])?.['language']);
  return {
    index: amount(stream['index']) ?? 0,
    codec: word(stream['codec_name']) ?? 'unknown',
    profile: word(stream['profile']),
    channels: amount(stream['channels']) ?? 0,
    sampleRate: amount(stream['sample_rate']) ?? 0,
    bitsPerSecond: amount(stream['bit_rate']),
    language: language !== undefined && /^[a-z]{2,3}$/.test(language) && language !== 'und' ? language : undefined,
    startMs: millis(stream['start_time']),
    durationMs: millis(stream['duration']),
  };
}

/** Width with square pixels; an aspect beyond 1:8 is a mistake of the file. */
function squareWidth(width: number, aspect: unknown): number {
  const factor = ratio(aspect, ':');
  return factor < 1 / 8 || factor > 8 ? width : Math.max(1, Math.round(width * factor));
}

/** `30000/1001` or `4:3` as a number; 0 when there is none. */
function ratio(value: unknown, separator: '/' | ':'): number {
  const [over, under] = typeof value === 'string' ? value.split(separator).map(Number) : [];
  const quotient = over === undefined || under === undefined ? 0 : over / under;
  return Number.isFinite(quotient) && quotient > 0 ? quotient : 0;
}

/** Seconds as text, in ms. */
function millis(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

function amount(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
}

/** A short word; ffprobe says `unknown` where it does not know. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== 'unknown' ? value.slice(0, 64) : undefined;
}

function record(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(record).filter((item) => item !== undefined) : [];
}
