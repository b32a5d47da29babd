/** How much of an original has come from its address. */
import { byteSize } from '../format/numbers.ts';
import { etaWords } from '../jobs/live-progress.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import type { Coming } from './list-with-jobs.ts';

export function ImportProgress({ coming, title }: { readonly coming: Coming; readonly title: string }) {
  const { receivedBytes, totalBytes, etaMs } = coming;
  const share = totalBytes === undefined || totalBytes === 0 ? undefined : (receivedBytes / totalBytes) * 100;
  const amount =
    totalBytes === undefined ? byteSize(receivedBytes) : `${byteSize(receivedBytes)} of ${byteSize(totalBytes)}`;
  return (
    <span className="video-card-progress">
      <ProgressBar value={share} label={`Import of ${title}`} />
      <span className="hint">
        {['Fetching the file', receivedBytes === 0 ? '' : amount, etaWords(etaMs)].filter(Boolean).join(' · ')}
      </span>
    </span>
  );
}
