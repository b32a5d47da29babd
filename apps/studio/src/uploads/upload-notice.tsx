/** In the page's head while something is sent, whatever page is looked at. */
import { Link } from '../routing/router.tsx';
import { isUnderWay, sentBytes } from './upload-state.ts';
import { useUploads } from './uploads-context.tsx';

export function UploadNotice() {
  const { items } = useUploads();
  const moving = items.filter((item) => isUnderWay(item) || item.state.kind === 'queued');
  if (moving.length === 0) return null;
  const total = moving.reduce((sum, item) => sum + item.sizeBytes, 0);
  const sent = moving.reduce((sum, item) => sum + sentBytes(item), 0);
  return (
    <Link to={{ kind: 'videos', view: {} }} className="upload-notice">
      Uploading {total === 0 ? 0 : Math.floor((sent / total) * 100)} %
    </Link>
  );
}
