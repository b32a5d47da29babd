/**
 * What ffmpeg may open. Files of users are hostile: a "video" can be a playlist or a script that names other files, hosts or
 * devices. So every input says which demuxers may read it and that only local files may be opened, and ffmpeg itself enforces both
 * (`-format_whitelist`, `-protocol_whitelist`), also for what a file refers to.
 */

/** Containers that hold their media themselves. Not here on purpose: hls, dash, concat, image2, sdp, rtsp, lavfi, tee, ffmetadata... */
export const mediaFormats: readonly string[] = [
  ...['mov', 'matroska', 'mpegts', 'mpeg', 'avi', 'flv', 'live_flv', 'ogg', 'asf', 'mxf', 'nut', 'ivf'],
  ...['wav', 'w64', 'aiff', 'caf', 'mp3', 'aac', 'flac', 'ac3', 'eac3', 'amr', 'au'],
];

/** Pictures, each read whole by its content; `image2` would take the file's name for a pattern. SVG can name other files. */
export const imageFormats: readonly string[] = [
  ...['png_pipe', 'jpeg_pipe', 'webp_pipe', 'bmp_pipe', 'tiff_pipe', 'gif', 'ppm_pipe', 'pgm_pipe', 'jpegxl_pipe'],
];

export type FfmpegInput =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** Demuxers that may read it; default `mediaFormats`. */
      readonly formats?: readonly string[];
      /** Input options before `-i`: `['-ss', '12.5']`. */
      readonly options?: readonly string[];
    }
  /** A filter graph of ours as a source; never with words of a user in it. */
  | { readonly kind: 'graph'; readonly graph: string; readonly options?: readonly string[] }
  /** A script of the concat demuxer that we wrote, over files that were probed before. */
  | { readonly kind: 'concat'; readonly path: string; readonly options?: readonly string[] };

/** Raw or piped streams have no file name; nothing but local files and our own pipes is ever opened. */
const protocols = 'file,pipe';

/** Arguments that open an input, `-i` included. */
export function inputArgs(input: FfmpegInput): readonly string[] {
  const options = input.options ?? [];
  switch (input.kind) {
    case 'file':
      return [...guards(input.formats ?? mediaFormats), ...options, '-i', fileUrl(input.path)];
    case 'graph':
      return ['-f', 'lavfi', ...options, '-i', input.graph];
    case 'concat':
      return [
        ...guards(['concat', ...mediaFormats]),
        '-f',
        'concat',
        '-safe',
        '0',
        ...options,
        '-i',
        fileUrl(input.path),
      ];
  }
}

/** What keeps a demuxer from opening anything but the file that it was given. */
export function guards(formats: readonly string[]): readonly string[] {
  return ['-protocol_whitelist', protocols, '-format_whitelist', formats.join(',')];
}

/** With its protocol in front, a name that holds a colon or starts with a dash is still a name. */
export function fileUrl(path: string): string {
  return `file:${path}`;
}
