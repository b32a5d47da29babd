/** Failures of ffmpeg and of the media store as failures of a task: whether another attempt may do better, and words for the user. */
import type { TaskFailure } from '@millrace/api';
import type { FfmpegFailure } from '@millrace/ffmpeg';
import type { StoreFailure } from '@millrace/media-store';
import { assertNever } from '@millrace/result';

/** What ffmpeg says when the file is to blame, not the machine. */
const blamesFile =
  /invalid data|moov atom not found|format is not taken|could not find codec|unknown decoder|no decoder|decoder .* not found|does not contain any stream|output file is empty|nothing was written|end of file|error while opening decoder|matches no streams/i;

/** `doing` says what failed: "encoding 720p". */
export function failureOfRun(failure: FfmpegFailure, doing: string): TaskFailure {
  switch (failure.kind) {
    case 'failed':
      return blamesFile.test(failure.reason)
        ? { code: 'bad-media', reason: `${doing}: the file cannot be read: ${failure.reason}`, retryable: false }
        : { code: 'encoder-failed', reason: `${doing}: ${failure.reason}`, retryable: true };
    case 'killed':
      return { code: 'encoder-killed', reason: `${doing}: the encoder ${failure.reason}`, retryable: true };
    case 'stalled':
    case 'too-long':
      return { code: 'encoder-stalled', reason: `${doing}: the encoder ${failure.reason}`, retryable: true };
    case 'unstarted':
      return { code: 'no-encoder', reason: `${doing}: ffmpeg cannot be started: ${failure.reason}`, retryable: true };
    default:
      return assertNever(failure);
  }
}

/** `doing` says what failed: "reading the original". */
export function failureOfStore(failure: StoreFailure, doing: string): TaskFailure {
  switch (failure.kind) {
    case 'not-found':
      return { code: 'file-missing', reason: `${doing}: ${failure.key} is not in the media store`, retryable: false };
    case 'full':
      return { code: 'store-full', reason: `${doing}: the media store has no space left`, retryable: true };
    case 'unavailable':
      return { code: 'store-unavailable', reason: `${doing}: ${failure.message}`, retryable: true };
    case 'bad-key':
    case 'bad-range':
      throw new Error(`${doing}: the media store refused a key of ours: ${JSON.stringify(failure)}`);
    default:
      return assertNever(failure);
  }
}

/** A file that is no media we take: repeating does not help. */
export function refusal(code: string, reason: string): TaskFailure {
  return { code, reason, retryable: false };
}
