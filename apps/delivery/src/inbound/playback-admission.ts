import type { TokenRefusal, TokenVerifier } from '@millrace/auth';

export interface PlaybackAsk {
  readonly playbackId: string;
  /** Playback token, from the path. */
  readonly token: string | undefined;
  /** What is private: "stream", for the words of a refusal. */
  readonly what: string;
}

export interface PlaybackAnswers {
  readonly admitted: () => void;
  readonly refused: (error: TokenRefusal) => void;
  /** One of the above threw after a wait, when nobody else would hear of it. */
  readonly crashed: (error: unknown) => void;
}

/** Whether somebody may play something private: with its own token. Answers at once where nothing has to be waited for. */
export function admitByToken(
  tokens: Pick<TokenVerifier, 'verifyPlaybackToken'>,
  { playbackId, token, what }: PlaybackAsk,
  { admitted, refused, crashed }: PlaybackAnswers,
): void {
  if (token === undefined) {
    return refused({ kind: 'malformed', message: `a private ${what} needs a playback token in its path` });
  }
  const verdict = tokens.verifyPlaybackToken(token, playbackId);
  if (!(verdict instanceof Promise)) return verdict.ok ? admitted() : refused(verdict.error);
  verdict.then((late) => (late.ok ? admitted() : refused(late.error))).catch(crashed);
}
