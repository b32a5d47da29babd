/** Filter graphs that make pictures of a source into those of a rung: pure text. */
import type { ProbedVideo } from '@millrace/ffmpeg';
import type { FrameRate } from '@millrace/ladder';

/** BT.2020 with these transfer functions looks grey and flat as 8 bit BT.709 unless it is mapped. */
const highDynamicRange: ReadonlySet<string> = new Set(['smpte2084', 'arib-std-b67']);

export type FilteredVideo = Pick<ProbedVideo, 'fieldOrder' | 'colorTransfer'>;

/** To `width` x `height` with square pixels, progressive, 8 bit 4:2:0 in limited range, whatever came. */
export function pictureFilter(video: FilteredVideo, width: number, height: number): string {
  const scale = `scale=${width}:${height}:flags=bicubic:out_range=tv`;
  return [...(isHdr(video) ? toneMapping(width, height) : [scale]), 'setsar=1', 'format=yuv420p'].join(',');
}

export interface FrameCut {
  /** Where the source's timeline begins, ms. */
  readonly originMs: number;
  readonly rate: FrameRate;
  /** First frame of the cut and the one behind it, on the grid of `rate` from the origin; null: to the end. */
  readonly first: number;
  readonly end: number | null;
}

/**
 * Frames `first` to `end` of the source at a constant rate. Given times as they stand in the file (`-copyts`), every frame of the
 * grid shows the newest picture not later than its half, no matter where decoding began: cuts of neighbours meet to the frame.
 */
export function cutFilter(video: FilteredVideo, { originMs, rate, first, end }: FrameCut): string {
  const deinterlace = isInterlaced(video) ? ['bwdif=mode=send_frame:deint=interlaced'] : [];
  // Frames in front of a picture that comes late show it too; elsewhere they are the cut's before.
  const fill = first === 0 ? ':start_time=0' : '';
  const trim = `trim=start_pts=${first}${end === null ? '' : `:end_pts=${end}`}`;
  return [
    ...deinterlace,
    `setpts=PTS-(${(originMs / 1_000).toFixed(6)})/TB`,
    `fps=fps=${rate.num}/${rate.den}:round=near${fill}`,
    trim,
  ].join(',');
}

function isInterlaced({ fieldOrder }: FilteredVideo): boolean {
  return fieldOrder !== undefined && fieldOrder !== 'progressive';
}

function isHdr({ colorTransfer }: FilteredVideo): boolean {
  return colorTransfer !== undefined && highDynamicRange.has(colorTransfer);
}

function toneMapping(width: number, height: number): readonly string[] {
  return [
    `zscale=w=${width}:h=${height}:f=bicubic:t=linear:npl=100`,
    ...['format=gbrpf32le', 'zscale=p=bt709', 'tonemap=tonemap=hable:desat=0', 'zscale=t=bt709:m=bt709:r=tv'],
  ];
}
