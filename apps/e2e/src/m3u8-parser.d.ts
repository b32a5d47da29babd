/** The part of m3u8-parser that the tests use; the package has no types. */
declare module 'm3u8-parser' {
  interface ParsedManifest {
    readonly endList?: boolean;
    readonly mediaSequence?: number;
    readonly targetDuration?: number;
    readonly partTargetDuration?: number;
    readonly segments: readonly {
      readonly uri?: string;
      readonly duration: number;
      readonly parts?: readonly unknown[];
    }[];
    readonly playlists?: readonly { readonly uri: string }[];
  }
  export class Parser {
    readonly manifest: ParsedManifest;
    push(text: string): void;
    end(): void;
  }
}
