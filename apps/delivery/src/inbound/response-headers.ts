/** Headers of playback answers. Caching rules: docs/decisions/0052. */
import type { HeaderList } from './shared-response.ts';

/** Players run on other sites, and what they play is not bound to cookies: everybody may read. */
export const corsHeaders: HeaderList = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  'Age, Content-Length, Content-Range, Date, Retry-After',
  'Timing-Allow-Origin',
  '*',
  'Cross-Origin-Resource-Policy',
  'cross-origin',
];

/** The same, by lower-case name. */
export const corsFields: Readonly<Record<string, string>> = Object.fromEntries(
  corsHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), corsHeaders[i + 1] ?? '']] : [])),
);

/** What a page of another site may ask with these methods. */
export const preflightHeaders = (methods: string): HeaderList => [
  ...corsHeaders,
  'Access-Control-Allow-Methods',
  methods,
  'Access-Control-Allow-Headers',
  'Content-Type, Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status',
  'Access-Control-Max-Age',
  '86400',
];

/** Who may keep an answer. A shared cache cannot check tokens, so what is private stays out of it. */
export type Audience = 'public' | 'private';

/** A media file's bytes never change under its name. */
export function mediaCaching(audience: Audience): string {
  return audience === 'public' ? 'public, max-age=31536000, immutable' : 'private, max-age=3600, immutable';
}

/**
 * A playlist that was asked for by number may be kept for six target durations (rfc8216bis Appendix B); one without
 * directives changes with every part.
 */
export function playlistCaching(audience: Audience, blocking: boolean, targetDurationS: number): string {
  return blocking ? `${audience}, max-age=${6 * targetDurationS}` : 'no-cache';
}

export const playlistType = 'application/vnd.apple.mpegurl';

/** Content type of a rendition's init section, segments and parts. */
export function mediaType(kind: 'video' | 'audio'): string {
  return kind === 'video' ? 'video/mp4' : 'audio/mp4';
}
