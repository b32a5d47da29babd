/** The part of m3u8-parser (no types of its own) that the tests use. */
declare module 'm3u8-parser' {
  export class Parser {
    readonly manifest: {
      readonly mediaSequence: number;
      readonly discontinuitySequence?: number;
      readonly targetDuration: number;
      readonly partTargetDuration?: number;
      readonly endList?: boolean;
      readonly segments: readonly {
        readonly uri?: string;
        readonly duration?: number;
        readonly parts?: readonly { readonly uri: string; readonly duration: number }[];
      }[];
      readonly preloadSegment?: { readonly parts?: readonly { readonly uri: string }[] };
      readonly playlists?: readonly { readonly uri: string; readonly attributes: Readonly<Record<string, unknown>> }[];
    };
    on(event: 'warn' | 'info', listener: (event: { readonly message: string }) => void): void;
    push(text: string): void;
    end(): void;
  }
}
