/** The part of mpd-parser (no types of its own) that the tests use. */
declare module 'mpd-parser' {
  export interface ParsedSegment {
    readonly uri: string;
    readonly duration: number;
    readonly number: number;
    readonly presentationTime: number;
    readonly map?: { readonly uri: string };
  }
  export interface ParsedPlaylist {
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly segments: readonly ParsedSegment[];
    readonly endList: boolean;
  }
  export function parse(
    text: string,
    options: { readonly manifestUri: string; readonly eventHandler?: (event: { readonly message: string }) => void },
  ): {
    readonly duration: number;
    readonly playlists: readonly ParsedPlaylist[];
    readonly mediaGroups: {
      readonly AUDIO: Readonly<
        Record<string, Readonly<Record<string, { readonly playlists: readonly ParsedPlaylist[] }>>>
      >;
      readonly SUBTITLES: Readonly<
        Record<
          string,
          Readonly<Record<string, { readonly language: string; readonly playlists: readonly ParsedPlaylist[] }>>
        >
      >;
    };
  };
}
